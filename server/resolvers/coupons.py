"""Coupons that were issued, used or taken back elsewhere: each becomes an event, like everything else."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any

import orjson

from server.clock import Instant
from server.commerce.reading import LONGEST
from server.context import Context
from server.ingest.messages import MAX_ID_CHARS, ArrivedEvent, encode
from server.store import inbox
from server.store.ids import digest, shard_of
from server.store.sessions import WriteSession

from .once import Answer, once
from .refusals import Invalid

MOST_COUPONS = 1000
"""Handed in at once."""


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of one coupon. Without any time it is issued now."""

    user_id: str
    code: str
    name: str = ""
    issued_at: Instant | None = None
    expires_at: Instant | None = None
    used_at: Instant | None = None
    expired_at: Instant | None = None


async def record(context: Context, told: Sequence[Told], key: str | None) -> Answer:
    """Makes an event of everything that is told. Raises Invalid, IdempotencyConflict."""
    if not 1 <= len(told) <= MOST_COUPONS:
        message = f"1 to {MOST_COUPONS} coupons were wanted, found {len(told)}."
        raise Invalid(message, ("input", "coupons"))
    for n, one in enumerate(told):
        _check(one, n)

    async def work(session: WriteSession) -> Answer:
        now = context.clock.now()
        events = [event for one in told for event in events_of(one, now)]
        entries = [
            inbox.Entry(
                shard_of(context.project_id, event.user_id or "", context.shards),
                context.project_id,
                inbox.EVENT,
                encode(event),
                now,
            )
            for event in events
        ]
        await inbox.append(session, entries)
        return {"coupons": len(told), "events": len(events)}

    answer = await once(context, key, ("recordCoupons", [astuple(one) for one in told]), work)
    context.wake()
    return answer


def _check(one: Told, n: int) -> None:
    for name, value, longest in (
        ("userId", one.user_id, MAX_ID_CHARS),
        ("code", one.code, LONGEST),
        ("name", one.name or "-", LONGEST),
    ):
        if not 0 < len(value.strip()) <= longest or "\0" in value:
            message = f"1 to {longest} characters without NUL were wanted."
            raise Invalid(message, ("input", "coupons", str(n), name))


def events_of(one: Told, now: Instant) -> list[ArrivedEvent]:
    """The same coupon told again makes the same events, which count once."""
    times = {
        "Coupon Issued": one.issued_at,
        "Coupon Used": one.used_at,
        "Coupon Expired": one.expired_at,
    }
    if not any(at is not None for at in times.values()):
        times["Coupon Issued"] = now
    about: dict[str, Any] = {"code": one.code.strip()}
    if one.name.strip():
        about["name"] = one.name.strip()
    if one.expires_at is not None:
        about["expires_at"] = one.expires_at
    return [_event(name, one.user_id.strip(), at, about, now) for name, at in times.items() if at is not None]


def _event(name: str, user_id: str, at: Instant, about: dict[str, Any], now: Instant) -> ArrivedEvent:
    message_id = "coupon-" + digest(orjson.dumps([name, user_id, at, about]).decode())
    return ArrivedEvent("track", message_id, user_id, None, None, name, at, now, about, {})
