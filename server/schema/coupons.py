"""Coupons of users, and those that are handed in."""

from datetime import datetime
from enum import Enum
from typing import Annotated, Any

import strawberry

from server.clock import Instant, to_datetime_if_any
from server.resolvers import coupons as resolve
from server.resolvers.coupons import Told
from server.resolvers.refusals import Refusal
from server.store.projects import WRITE

from .fields import ONCE, Input, mutation
from .info import Info
from .problems import IdempotencyConflictProblem, InputProblem, to_problem
from .suppressions import to_instant
from .words import value


@strawberry.enum(description="How a coupon stands.")
class CouponState(Enum):
    USABLE = value("usable", description="Issued, neither used nor over.")
    USED = value("used", description="An order has used it, or an event said so.")
    EXPIRED = value("expired", description="Over without having been used.")
    NOT_ISSUED = value("not_issued", description="Put on a cart; that it was issued was never told.")


@strawberry.type(description="A coupon that a user has, or had.")
class Coupon:
    code: str = strawberry.field(description="Its code.")
    name: str | None = strawberry.field(description="What it is called, such as 장바구니 20%.")
    state: CouponState = strawberry.field(description="How it stands now.")
    issued_at: datetime | None = strawberry.field(description="When it was issued.")
    expires_at: datetime | None = strawberry.field(
        description="From when on it cannot be used any more; null if it has no end."
    )
    applied_at: datetime | None = strawberry.field(description="When it was last put on a cart.")
    used_at: datetime | None = strawberry.field(description="When it was first used.")
    expired_at: datetime | None = strawberry.field(
        description="When an event said that it was over, whatever its expiry says."
    )

    @classmethod
    def from_record(cls, row: Any, now: Instant) -> "Coupon":
        names = ("issued_at", "expires_at", "applied_at", "used_at", "expired_at")
        times: dict[str, Any] = {name: to_datetime_if_any(getattr(row, name)) for name in names}
        return cls(code=row.code, name=row.name or None, state=_state(row, now), **times)


def _state(row: Any, now: Instant) -> CouponState:
    if row.used_at is not None:
        return CouponState.USED
    if any(at is not None and at <= now for at in (row.expired_at, row.expires_at)):
        return CouponState.EXPIRED
    return CouponState.NOT_ISSUED if row.issued_at is None else CouponState.USABLE


@strawberry.input(
    description="What is told of one coupon of a user. Without any time it is issued at the time of the "
    "request."
)
class CouponInput:
    user_id: str = strawberry.field(description="The user's id; whoever is not known is made.")
    code: str = strawberry.field(description="Its code; one user has it once.")
    name: str | None = strawberry.field(default=None, description="What it is called.")
    issued_at: datetime | None = strawberry.field(default=None, description="When it was issued.")
    expires_at: datetime | None = strawberry.field(
        default=None, description="From when on it cannot be used any more."
    )
    used_at: datetime | None = strawberry.field(default=None, description="When it was used.")
    expired_at: datetime | None = strawberry.field(
        default=None, description="When it was taken back, whatever its expiry says."
    )


@strawberry.input(description="Coupons that were issued, used or taken back.")
class RecordCouponsInput:
    coupons: list[CouponInput] = strawberry.field(
        description="1 to 1000. Told again with the same times they count once."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.type(description="They are taken in as events, and show within moments.")
class RecordCouponsPayload:
    coupons: int = strawberry.field(description="How many coupons were told.")
    events: int = strawberry.field(description="How many events that makes.")


RecordCouponsResult = Annotated[
    RecordCouponsPayload | InputProblem | IdempotencyConflictProblem,
    strawberry.union("RecordCouponsResult", description="How many were taken, or why none."),
]


@strawberry.type(description="What can be changed in coupons.")
class CouponMutation:
    @mutation("Takes in coupons that were issued, used or taken back elsewhere, many at once.")
    async def record_coupons(
        self, info: Info, input: Annotated[RecordCouponsInput, Input]
    ) -> RecordCouponsResult:
        info.context.require(WRITE)
        try:
            told = [_told(one, n) for n, one in enumerate(input.coupons)]
            answer = await resolve.record(info.context, told, input.idempotency_key)
            return RecordCouponsPayload(coupons=answer["coupons"], events=answer["events"])
        except Refusal as error:
            return to_problem(error)


def _told(one: CouponInput, n: int) -> Told:
    times = {
        name: to_instant(getattr(one, name), "input", "coupons", str(n), spelled)
        for name, spelled in (
            ("issued_at", "issuedAt"),
            ("expires_at", "expiresAt"),
            ("used_at", "usedAt"),
            ("expired_at", "expiredAt"),
        )
    }
    return Told(one.user_id, one.code, one.name or "", **times)
