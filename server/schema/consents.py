"""What users have agreed to."""

from datetime import datetime
from typing import Annotated

import strawberry

from server.clock import to_datetime, to_datetime_if_any
from server.resolvers import consents as resolve
from server.resolvers import records
from server.resolvers.refusals import Refusal
from server.store.consents import Decision, Wanted
from server.store.paging import Slice
from server.store.projects import WRITE

from .fields import ONCE, Input, mutation
from .ids import to_id
from .info import Info
from .pages import PageInfo, cursor_of, page_info
from .permission_words import ConsentBasis, PermissionPurpose
from .problems import IdempotencyConflictProblem, InputProblem, NotFoundProblem, to_problem
from .suppressions import to_instant
from .users import IdentityInput
from .users import to_wanted as to_identity

ORDER = "consents"


@strawberry.type(description="What a user has decided about messages of a purpose on a channel.")
class Consent:
    user_key: strawberry.ID = strawberry.field(description="The id of the user, for `node`.")
    channel: str = strawberry.field(description="The channel, e.g. `email`.")
    purpose: PermissionPurpose = strawberry.field(description="For which messages.")
    is_granted: bool = strawberry.field(description="Whether the user agreed; false for a withdrawal.")
    decided_at: datetime = strawberry.field(description="When.")
    source: str = strawberry.field(description="Where, e.g. `checkout`.")
    evidence: str = strawberry.field(description="What proves it, e.g. the version of the terms.")
    basis: ConsentBasis | None = strawberry.field(
        description="On what ground it stands; null if nobody said."
    )
    until: datetime | None = strawberry.field(
        description="From then on it is no longer granted, unless it is given anew; null if it has no end."
    )

    @classmethod
    def from_record(cls, record: records.Consent) -> "Consent":
        decided = (record.channel, record.purpose, record.granted, record.decided_at)
        who = record.shard, record.user_number
        about = (record.source, record.evidence, record.basis, record.until)
        return cls.of(who, Decision(*decided, *about))

    @classmethod
    def of(cls, who: tuple[int, int], decision: Decision) -> "Consent":
        return cls(
            user_key=to_id("User", *who),
            channel=decision.channel,
            purpose=PermissionPurpose(decision.purpose),
            is_granted=bool(decision.granted),
            decided_at=to_datetime(decision.decided_at),
            source=decision.source,
            evidence=decision.evidence,
            basis=ConsentBasis(decision.basis) if decision.basis else None,
            until=to_datetime_if_any(decision.until),
        )


@strawberry.type(description="A decision and its place in the list.")
class ConsentEdge:
    node: Consent = strawberry.field(description="The decision.")
    cursor: str = strawberry.field(description="Its place, for `after` and `before`.")


@strawberry.type(description="A page of decisions.")
class ConsentConnection:
    edges: list[ConsentEdge] = strawberry.field(description="The page, user by user.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")

    @classmethod
    def from_slice(cls, found: Slice) -> "ConsentConnection":
        edges = [
            ConsentEdge(
                node=Consent.from_record(row),
                cursor=cursor_of(ORDER, row.shard, row.user_number, row.channel, row.purpose),
            )
            for row in found.rows
        ]
        return cls(edges=edges, page_info=page_info(found, [edge.cursor for edge in edges]))


@strawberry.input(description="Which decisions. What is left out does not matter.")
class ConsentFilter:
    channel: str | None = strawberry.field(default=None, description="About this channel, e.g. `email`.")
    purpose: PermissionPurpose | None = strawberry.field(
        default=None, description="About messages of this purpose."
    )
    is_granted: bool | None = strawberry.field(
        default=None, description="Only agreements, or only withdrawals."
    )
    source: str | None = strawberry.field(default=None, description="Made here, e.g. `checkout`.")
    until_before: datetime | None = strawberry.field(
        default=None, description="Granted, and has to be given anew before then."
    )
    decided_before: datetime | None = strawberry.field(
        default=None,
        description="Decided before then: in Korea a consent to advertisements is confirmed every two years.",
    )


def to_wanted(filter: ConsentFilter) -> Wanted:
    """Raises Invalid."""
    purpose = filter.purpose.value if filter.purpose else None
    times = (
        to_instant(filter.until_before, "filter", "untilBefore"),
        to_instant(filter.decided_before, "filter", "decidedBefore"),
    )
    return Wanted(filter.channel, purpose, filter.is_granted, filter.source, *times)


@strawberry.input(description="What a user has decided.")
class SetConsentInput:
    identity: IdentityInput = strawberry.field(description="Whose decision.")
    channel: str = strawberry.field(description="About which channel, e.g. `email`.")
    purpose: PermissionPurpose = strawberry.field(description="About which messages.")
    granted: bool = strawberry.field(description="Whether the user agreed; false for a withdrawal.")
    decided_at: datetime | None = strawberry.field(
        default=None, description="When, not in the future; now if left out. The latest decision holds."
    )
    source: str = strawberry.field(description="Where it was made, e.g. `checkout`.")
    evidence: str = strawberry.field(
        default="", description="What proves it, e.g. the version of the terms: at most 2000 characters."
    )
    basis: ConsentBasis | None = strawberry.field(default=None, description="On what ground it stands.")
    until: datetime | None = strawberry.field(
        default=None,
        description="When it has to be given anew: from then on it is no longer granted. Never if left out.",
    )
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.type(description="The decision is kept, and is worked in within moments.")
class SetConsentPayload:
    consent: Consent = strawberry.field(
        description="The decision as it was taken in; it holds unless the user has made a later one."
    )


SetConsentResult = Annotated[
    SetConsentPayload | NotFoundProblem | InputProblem | IdempotencyConflictProblem,
    strawberry.union("SetConsentResult", description="The decision, or why it was not taken in."),
]


@strawberry.type(description="What can be changed in consents.")
class ConsentMutation:
    @mutation("Keeps what a user has decided about messages of a purpose on a channel.")
    async def set_consent(self, info: Info, input: Annotated[SetConsentInput, Input]) -> SetConsentResult:
        info.context.require(WRITE)
        try:
            at = to_instant(input.decided_at, "input", "decidedAt")
            decision = Decision(
                input.channel,
                input.purpose.value,
                input.granted,
                info.context.clock.now() if at is None else at,
                input.source,
                input.evidence,
                input.basis.value if input.basis else "",
                to_instant(input.until, "input", "until"),
            )
            who, key = to_identity(input.identity), input.idempotency_key
            answer = await resolve.decide(info.context, who, decision, key, is_now=at is None)
            decided = Decision(*answer["decision"])
            return SetConsentPayload(consent=Consent.of((answer["user"][0], answer["user"][1]), decided))
        except Refusal as error:
            return to_problem(error)
