"""Coupons that were issued, used or taken back elsewhere: each becomes an event, like everything else."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any, NamedTuple

import orjson

from server.clock import Instant
from server.commerce.names import KNOWN, Kind
from server.commerce.reading import LONGEST
from server.context import Context
from server.ingest.messages import MAX_ID_CHARS, ArrivedEvent, encode
from server.store import inbox, projects
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
        if (found := wrong_with(one)) is not None:
            raise Invalid(found.message, ("input", "coupons", str(n), found.member))

    async def work(session: WriteSession) -> Answer:
        about = (context.project_id, context.shards, context.clock.now())
        return {"coupons": len(told), "events": await put(session, told, *about)}

    answer = await once(context, key, ("recordCoupons", [astuple(one) for one in told]), work)
    context.wake()
    return answer


async def put(session: WriteSession, told: Sequence[Told], project_id: int, shards: int, now: Instant) -> int:
    """Puts an event of everything that is told into the inbox. Returns how many."""
    names = await _names(session, project_id)
    entries = [
        inbox.Entry(
            shard_of(project_id, event.user_id or "", shards), project_id, inbox.EVENT, encode(event), now
        )
        for one in told
        for event in events_of(one, now, names)
    ]
    await inbox.append(session, entries)
    return len(entries)


class Wrong(NamedTuple):
    """A member of what is told that cannot be kept, and why."""

    member: str
    message: str


def wrong_with(one: Told) -> Wrong | None:
    for name, value, longest in (
        ("userId", one.user_id, MAX_ID_CHARS),
        ("code", one.code, LONGEST),
        ("name", one.name or "-", LONGEST),
    ):
        if not 0 < len(value.strip()) <= longest or "\0" in value:
            return Wrong(name, f"1 to {longest} characters without NUL were wanted.")
    return None


async def _names(session: WriteSession, project_id: int) -> Mapping[Kind, str]:
    """How the project calls these events: by its own names, where it has any."""
    own = orjson.loads((await projects.by_id(session, project_id)).commerce or "{}").get("events", {})
    return {kind: (own.get(kind.value) or names)[0] for kind, names in KNOWN.items()}


def events_of(one: Told, now: Instant, names: Mapping[Kind, str]) -> list[ArrivedEvent]:
    """The same coupon told again makes the same events, which count once."""
    times = {
        Kind.COUPON_ISSUED: one.issued_at,
        Kind.COUPON_USED: one.used_at,
        Kind.COUPON_EXPIRED: one.expired_at,
    }
    if not any(at is not None for at in times.values()):
        times[Kind.COUPON_ISSUED] = now
    about: dict[str, Any] = {"code": one.code.strip()}
    if one.name.strip():
        about["name"] = one.name.strip()
    if one.expires_at is not None:
        about["expires_at"] = one.expires_at
    whose = one.user_id.strip()
    found = []
    for kind, at in times.items():
        if at is not None:
            id = "coupon-" + digest(orjson.dumps([kind, whose, at, about]).decode())
            found.append(ArrivedEvent("track", id, whose, None, None, names[kind], at, now, about, {}))
    return found
