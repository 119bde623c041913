"""By which events a project tells of commerce."""

from typing import Annotated, Any

import strawberry

from server.commerce.names import KNOWN, Kind
from server.resolvers import commerce as resolve
from server.resolvers.refusals import Refusal
from server.store.projects import WRITE

from .fields import ONCE, Input, field, mutation
from .info import Info
from .problems import IdempotencyConflictProblem, InputProblem, to_problem

_ALSO = {kind: ", ".join(f"`{name}`" for name in names) for kind, names in KNOWN.items()}


def _own(kind: Kind, what: str) -> Any:
    about = f"The project's own names of events that tell {what}, beside {_ALSO[kind]}."
    return strawberry.field(description=about, metadata={"list_size": 5})


def _more(kind: Kind, what: str) -> Any:
    about = f"Names of events that tell {what}, beside {_ALSO[kind]}."
    return strawberry.field(default_factory=list, description=about)


@strawberry.type(
    description="By which events a project tells of commerce. Small and capital letters, blanks and "
    "underscores make no difference in a name."
)
class CommerceEvents:
    currency: str | None = strawberry.field(description="Of amounts that name none.")
    ordered: list[str] = _own(Kind.ORDERED, "an order")
    refunded: list[str] = _own(Kind.REFUNDED, "that something was given back")
    cancelled: list[str] = _own(Kind.CANCELLED, "that an order was cancelled")
    signed_up: list[str] = _own(Kind.SIGNED_UP, "a sign-up")
    coupon_issued: list[str] = _own(Kind.COUPON_ISSUED, "that a coupon was issued")
    coupon_applied: list[str] = _own(Kind.COUPON_APPLIED, "that a coupon was put on a cart")
    coupon_used: list[str] = _own(Kind.COUPON_USED, "that a coupon was used")
    coupon_expired: list[str] = _own(Kind.COUPON_EXPIRED, "that a coupon is over")


@strawberry.input(description="By which events a project tells of commerce, whole: what is left out is none.")
class SetCommerceEventsInput:
    currency: str | None = strawberry.field(
        default=None, description="Of amounts that name none, e.g. KRW; none by default."
    )
    ordered: list[str] = _more(Kind.ORDERED, "an order")
    refunded: list[str] = _more(Kind.REFUNDED, "that something was given back")
    cancelled: list[str] = _more(Kind.CANCELLED, "that an order was cancelled")
    signed_up: list[str] = _more(Kind.SIGNED_UP, "a sign-up")
    coupon_issued: list[str] = _more(Kind.COUPON_ISSUED, "that a coupon was issued")
    coupon_applied: list[str] = _more(Kind.COUPON_APPLIED, "that a coupon was put on a cart")
    coupon_used: list[str] = _more(Kind.COUPON_USED, "that a coupon was used")
    coupon_expired: list[str] = _more(Kind.COUPON_EXPIRED, "that a coupon is over")
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.type(description="Events that come from now on are understood so. What has come before stays.")
class SetCommerceEventsPayload:
    commerce_events: CommerceEvents = strawberry.field(description="As they are now.")


SetCommerceEventsResult = Annotated[
    SetCommerceEventsPayload | InputProblem | IdempotencyConflictProblem,
    strawberry.union("SetCommerceEventsResult", description="The names, or why they stay as they were."),
]


@strawberry.type(description="What can be asked about commerce.")
class CommerceQuery:
    @field("By which events the project tells of orders, refunds, coupons and sign-ups.")
    async def commerce_events(self, info: Info) -> CommerceEvents:
        return await _events(info)


@strawberry.type(description="What can be changed about commerce.")
class CommerceMutation:
    @mutation("Says by which events the project tells of commerce, beside the names that everybody uses.")
    async def set_commerce_events(
        self, info: Info, input: Annotated[SetCommerceEventsInput, Input]
    ) -> SetCommerceEventsResult:
        info.context.require(WRITE)
        try:
            events = {kind: getattr(input, kind.value) for kind in Kind}
            await resolve.change(info.context, input.currency or "", events, input.idempotency_key)
            return SetCommerceEventsPayload(commerce_events=await _events(info))
        except Refusal as error:
            return to_problem(error)


async def _events(info: Info) -> CommerceEvents:
    words, own = await resolve.words(info.context)
    names = {kind.value: list(own.get(kind.value, ())) for kind in Kind}
    return CommerceEvents(currency=words.currency or None, **names)
