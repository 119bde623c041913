"""Letting people into journeys over the API."""

from datetime import datetime
from typing import Annotated, Any, cast

import orjson
import strawberry
from strawberry.scalars import JSON

from server.clock import to_datetime
from server.resolvers import entering as resolve
from server.resolvers import journeys, records
from server.resolvers.refusals import Missing, Refusal
from server.store.paging import Slice

from .audience import RefusalCount, refusals_of
from .changing import journey_key, writing
from .fields import ONCE, Input, field, mutation
from .ids import to_id
from .info import Info
from .journeys import Journey
from .nodes import Node
from .pages import After, Before, First, Last, PageInfo, cursor_of, page_info, page_of
from .problems import (
    IdempotencyConflictProblem,
    InputProblem,
    NotAllowedProblem,
    NotFoundProblem,
    to_problem,
)
from .words import IdentityKind, RefusedEntry, word

ORDER = "entryAnswers"


@strawberry.type(description="What became of one person of a request.")
class EntryAnswer:
    kind: IdentityKind = strawberry.field(description="By what kind of id the person was named.")
    value: str = strawberry.field(description="The id.")
    run_id: strawberry.ID | None = strawberry.field(description="The run that began; null if none did.")
    refused: RefusedEntry | None = strawberry.field(description="Why none did; null if one did.")

    @classmethod
    def from_record(cls, record: records.EntryAnswer) -> "EntryAnswer":
        return cls(
            kind=IdentityKind(record.kind),
            value=record.value,
            run_id=None if record.run_id is None else to_id("Run", record.run_id),
            refused=word(RefusedEntry, record.reason, RefusedEntry.OTHER) if record.reason else None,
        )


@strawberry.type(description="What became of a person, and its place in the list.")
class EntryAnswerEdge:
    node: EntryAnswer = strawberry.field(description="What became of the person.")
    cursor: str = strawberry.field(description="Its place, for `after` and `before`.")


@strawberry.type(description="A page of what became of the people of a request.")
class EntryAnswerConnection:
    edges: list[EntryAnswerEdge] = strawberry.field(description="The page, in no order that means anything.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")

    @classmethod
    def from_slice(cls, found: Slice) -> "EntryAnswerConnection":
        edges = [
            EntryAnswerEdge(
                node=EntryAnswer.from_record(row), cursor=cursor_of(ORDER, row.shard, row.kind, row.value)
            )
            for row in found.rows
        ]
        return cls(edges=edges, page_info=page_info(found, [edge.cursor for edge in edges]))


@strawberry.type(description="How far a request has come.")
class EntryProgress:
    entered: int = strawberry.field(description="People who have come in.")
    refused: int = strawberry.field(description="People who have not.")
    refused_by: list[RefusalCount] = strawberry.field(
        description="Why, of people who were named; of a segment or a list the journey's figures tell it.",
        metadata={"list_size": 5},
    )
    is_done: bool = strawberry.field(description="Whether nobody is left to be asked.")


@strawberry.type(description="A request over the API to let people into a journey.")
class EntryRequest(Node):
    record: strawberry.Private[records.EntryRequest]
    requested_at: datetime = strawberry.field(description="When it was made; those who come in come in then.")
    asked: int | None = strawberry.field(
        description="How many different people it names; null for a segment or a list."
    )
    segment: str | None = strawberry.field(description="The segment that it lets in.")
    list: str | None = strawberry.field(description="The list that it lets in.")

    @classmethod
    def from_record(cls, record: records.EntryRequest) -> "EntryRequest":
        assert record.id is not None
        audience = orjson.loads(record.audience)
        return cls(
            id=to_id("EntryRequest", record.id),
            record=record,
            requested_at=to_datetime(record.requested_at),
            asked=record.asked or None,
            segment=audience.get("segment"),
            list=audience.get("list"),
        )

    @field("The journey.")
    async def journey(self, info: Info) -> Journey | None:
        found = await journeys.by_id(info.context, self.record.journey_id)
        return Journey.from_record(found) if found else None

    @field("How far it has come.")
    async def progress(self, info: Info) -> EntryProgress:
        found = await resolve.counts(info.context, self.record)
        by = refusals_of(dict(sorted(found.reasons.items())), found.entered + found.refused)
        return EntryProgress(
            entered=found.entered, refused=found.refused, refused_by=by, is_done=found.is_done
        )

    @field("What became of each of the people whom it names.")
    async def answers(
        self,
        info: Info,
        refused: Annotated[
            bool | None, strawberry.argument(description="Only who was refused, or only who came in.")
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> EntryAnswerConnection:
        assert self.record.id is not None
        page = page_of(ORDER, first, after, last, before)
        found = await resolve.answers(info.context, self.record.id, page, refused=refused)
        return EntryAnswerConnection.from_slice(found)


@strawberry.input(description="People to let into a running journey: by ids, or a segment, or a list.")
class EnterJourneyInput:
    id: strawberry.ID = strawberry.field(description="The journey.")
    entry: strawberry.ID | None = strawberry.field(
        default=None, description="The key of the entry by API; not needed if there is only one."
    )
    user_ids: list[str] | None = strawberry.field(
        default=None, description="Ids by which the project knows people; with `anonymousIds` up to 10,000."
    )
    anonymous_ids: list[str] | None = strawberry.field(
        default=None, description="Ids of devices or browsers, such as an HWID."
    )
    segment: str | None = strawberry.field(default=None, description="The name of a segment.")
    list: str | None = strawberry.field(default=None, description="The name of an uploaded list.")
    properties: JSON | None = strawberry.field(
        default=None,
        description="What texts and conditions of the journey know as the properties of what let people in.",
    )
    create_users: bool = strawberry.field(
        default=False,
        description="Whether ids that lead to nobody make new users; else they are refused as UNKNOWN_USER.",
    )
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.type(description="The request was taken; what becomes of each person shows within moments.")
class EnterJourneyPayload:
    request: EntryRequest = strawberry.field(description="The request.")


EnterJourneyResult = Annotated[
    EnterJourneyPayload | NotFoundProblem | NotAllowedProblem | InputProblem | IdempotencyConflictProblem,
    strawberry.union("EnterJourneyResult", description="The request, or why nobody is let in."),
]


@strawberry.type(description="Letting people into journeys.")
class EnteringMutation:
    @mutation("Lets people into a running journey by an entry of the kind `entryApi`.")
    async def enter_journey(
        self, info: Info, input: Annotated[EnterJourneyInput, Input]
    ) -> EnterJourneyResult:
        context = writing(info)
        try:
            answer = await resolve.enter(context, _wish(input), input.idempotency_key)
            found = await resolve.by_id(context, answer["request_id"])
            if found is None:
                raise Missing("The request is gone.", ("input", "idempotencyKey"))
            return EnterJourneyPayload(request=EntryRequest.from_record(found))
        except Refusal as error:
            return to_problem(error)


def _wish(input: EnterJourneyInput) -> resolve.Wish:
    return resolve.Wish(
        journey_id=journey_key(input.id),
        entry_key=input.entry,
        user_ids=tuple(input.user_ids or ()),
        anonymous_ids=tuple(input.anonymous_ids or ()),
        segment=input.segment,
        list_name=input.list,
        properties=cast(Any, input.properties) or {},
        creates_users=input.create_users,
    )
