"""Addresses that nobody writes to."""

from datetime import UTC, datetime
from typing import Annotated

import strawberry

from server.clock import Instant, to_datetime, to_datetime_if_any
from server.resolvers import records
from server.resolvers import suppressions as resolve
from server.resolvers.refusals import Invalid, Refusal
from server.store.paging import Slice
from server.store.projects import WRITE
from server.store.suppressed import PEOPLE, Wanted

from .fields import ONCE, Input, mutation
from .info import Info
from .pages import PageInfo, cursor_of, page_info
from .permission_words import PermissionPurpose, SuppressionSource
from .problems import IdempotencyConflictProblem, InputProblem, NotFoundProblem, to_problem
from .words import FailureReason, word

ORDER = "suppressions"


@strawberry.type(description="An address of a channel that nobody writes to, whoever it belongs to.")
class Suppression:
    channel: str = strawberry.field(description="The channel, e.g. `email`.")
    address: str = strawberry.field(description="The address; e-mail addresses in small letters.")
    purpose: PermissionPurpose | None = strawberry.field(
        description="For which messages; null for all of them."
    )
    reason: FailureReason = strawberry.field(description="Why.")
    since: datetime = strawberry.field(description="When the latest that says so happened.")
    until: datetime | None = strawberry.field(description="When it ends by itself; null for never.")
    source: SuppressionSource = strawberry.field(description="Who said so.")
    is_set_by_people: bool = strawberry.field(
        description="Whether people set it: then nothing that is heard of the address ends it."
    )
    note: str = strawberry.field(description="What was noted when it was set or last lifted.")

    @classmethod
    def from_record(cls, record: records.Suppression) -> "Suppression":
        assert record.since is not None
        return cls(
            channel=record.channel,
            address=record.address,
            purpose=PermissionPurpose(record.purpose) if record.purpose else None,
            reason=word(FailureReason, record.reason, FailureReason.UNKNOWN),
            since=to_datetime(record.since),
            until=to_datetime_if_any(record.until),
            source=word(SuppressionSource, record.source, SuppressionSource.OTHER),
            is_set_by_people=record.set_by == PEOPLE,
            note=record.note,
        )


@strawberry.type(description="A suppression and its place in the list.")
class SuppressionEdge:
    node: Suppression = strawberry.field(description="The suppression.")
    cursor: str = strawberry.field(description="Its place, for `after` and `before`.")


@strawberry.type(description="A page of suppressions.")
class SuppressionConnection:
    edges: list[SuppressionEdge] = strawberry.field(description="The page, by channel and address.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")

    @classmethod
    def from_slice(cls, found: Slice) -> "SuppressionConnection":
        edges = [
            SuppressionEdge(
                node=Suppression.from_record(row),
                cursor=cursor_of(ORDER, row.channel, row.address, row.purpose, row.set_by),
            )
            for row in found.rows
        ]
        return cls(edges=edges, page_info=page_info(found, [edge.cursor for edge in edges]))


@strawberry.input(description="Which suppressions. What is left out does not matter.")
class SuppressionFilter:
    channel: str | None = strawberry.field(default=None, description="Of this channel, e.g. `email`.")
    address: str | None = strawberry.field(default=None, description="Of this address.")
    purpose: PermissionPurpose | None = strawberry.field(
        default=None, description="For messages of this purpose only, not for all."
    )
    reason: FailureReason | None = strawberry.field(default=None, description="For this reason.")
    source: SuppressionSource | None = strawberry.field(default=None, description="Said by this source.")
    at: datetime | None = strawberry.field(
        default=None, description="Those that hold at this instant, as far as is known now; now by default."
    )


def to_wanted(filter: SuppressionFilter) -> Wanted:
    return Wanted(
        channel=filter.channel,
        address=filter.address,
        purpose=filter.purpose.value if filter.purpose else None,
        reason=filter.reason.value if filter.reason else None,
        source=filter.source.value if filter.source else None,
    )


def to_instant(moment: datetime | None, *path: str) -> Instant | None:
    """Raises Invalid for a time without a zone, and for one that lies in no year of ours in UTC."""
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise Invalid("A time needs its zone, e.g. 2026-03-01T09:00:00+09:00.", path)
    try:
        return int(moment.astimezone(UTC).timestamp() * 1000)
    except OverflowError as error:
        raise Invalid("In UTC this time lies before the year 1 or after the year 9999.", path) from error


@strawberry.input(description="An address to leave alone.")
class AddSuppressionInput:
    channel: str = strawberry.field(description="The channel, e.g. `email`.")
    address: str = strawberry.field(
        description="The address; a telephone number like +821012345678. Without a country it is dialled "
        "in the country of the project's time zone."
    )
    purpose: PermissionPurpose | None = strawberry.field(
        default=None, description="For which messages; for all of them if left out."
    )
    reason: FailureReason = strawberry.field(
        default=FailureReason.OPTED_OUT, description="Why; one of the reasons that providers give, too."
    )
    until: datetime | None = strawberry.field(
        default=None, description="When it ends by itself; never if left out."
    )
    note: str = strawberry.field(default="", description="What is worth knowing: at most 2000 characters.")
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.input(description="An address to write to again.")
class RemoveSuppressionInput:
    channel: str = strawberry.field(description="The channel, e.g. `email`.")
    address: str = strawberry.field(description="The address.")
    purpose: PermissionPurpose | None = strawberry.field(
        default=None, description="As the suppression has it; left out for one of all messages."
    )
    evidence: str = strawberry.field(
        default="",
        description="How the reader has taken an opt-out back: without it an opt-out stays. Is kept.",
    )
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.type(description="The address is suppressed.")
class AddSuppressionPayload:
    suppression: Suppression | None = strawberry.field(
        description="What suppresses it; null if that was removed since a key was first used."
    )


@strawberry.type(description="What suppressed the address for this purpose has ended.")
class RemoveSuppressionPayload:
    removed: int = strawberry.field(
        description="How many were there: one that was heard, one that people set, or both."
    )


AddSuppressionResult = Annotated[
    AddSuppressionPayload | InputProblem | IdempotencyConflictProblem,
    strawberry.union("AddSuppressionResult", description="The suppression, or why there is none."),
]
RemoveSuppressionResult = Annotated[
    RemoveSuppressionPayload | NotFoundProblem | InputProblem | IdempotencyConflictProblem,
    strawberry.union("RemoveSuppressionResult", description="How many ended, or why they stay."),
]


@strawberry.type(description="What can be changed in suppressions.")
class SuppressionMutation:
    @mutation("Leaves an address alone, from now on.")
    async def add_suppression(
        self, info: Info, input: Annotated[AddSuppressionInput, Input]
    ) -> AddSuppressionResult:
        info.context.require(WRITE)
        try:
            where, until = await _place(info, input), to_instant(input.until, "input", "until")
            answer = await resolve.add(
                info.context, where, input.reason.value, until, input.note, input.idempotency_key
            )
            found = await resolve.get(info.context, where, answer["set_by"])
            return AddSuppressionPayload(suppression=Suppression.from_record(found) if found else None)
        except Refusal as error:
            return to_problem(error)

    @mutation("Lets an address be written to again. What is heard of it from now on counts anew.")
    async def remove_suppression(
        self, info: Info, input: Annotated[RemoveSuppressionInput, Input]
    ) -> RemoveSuppressionResult:
        info.context.require(WRITE)
        try:
            where = await _place(info, input)
            answer = await resolve.remove(info.context, where, input.evidence, input.idempotency_key)
            return RemoveSuppressionPayload(removed=answer["removed"])
        except Refusal as error:
            return to_problem(error)


async def _place(info: Info, input: AddSuppressionInput | RemoveSuppressionInput) -> resolve.Place:
    purpose = input.purpose.value if input.purpose else ""
    return await resolve.where(info.context, input.channel, input.address, purpose)
