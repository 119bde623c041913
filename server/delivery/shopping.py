"""What texts may tell of a person's life and coupons: `{{ user.life.orders }}`, `{{ user.coupons[0].name }}`.

Read when a message is written, and only for steps whose texts ask for it. An attribute of the same name that
the project keeps itself goes before.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from server.clock import Instant, to_datetime
from server.journey.goals import AMOUNT_SCALE
from server.journey.local_time import day_of
from server.store import commerce
from server.store.sessions import ReadSession
from server.store.users import UserKey, key_in

from .claims import Claimed

Values = dict[str, object]
MOST_COUPONS = 50
"""Of a person, those that end first."""
_TIMES = ("first_seen", "last_seen", "first_visit", "last_visit", "first_order", "last_order", "signed_up")


def asks(text: str) -> bool:
    """Whether a text may ask for it, seen without reading it."""
    return "life" in text or "coupons" in text


async def of(session: ReadSession, batch: Iterable[Claimed]) -> dict[tuple[int, int], Values]:
    """By message: the life and the coupons of whom it goes to, in three statements a project."""
    found: dict[tuple[int, int], Values] = {}
    by_project: dict[int, list[Claimed]] = {}
    for one in batch:
        by_project.setdefault(one.row.project_id, []).append(one)
    for project_id, here in by_project.items():
        keys = [_whose(one) for one in here]
        about = (session, project_id, keys)
        lives, spending = await commerce.lives(*about), await commerce.spending(*about)
        coupons = await commerce.coupons(*about, MOST_COUPONS)
        for one, key in zip(here, keys, strict=True):
            when = (one.attempted_at, one.row.time_zone)
            life = life_of(lives.get(key), spending.get(key, ()), *when)
            found[one.key] = {"life": life, "coupons": coupons_of(coupons.get(key, ()), *when)}
    return found


def _whose(one: Claimed) -> UserKey:
    """The user, or whom it has turned out to be since the message was decided."""
    return key_in(one.row.merged_into) if one.row.merged_into else (one.shard, one.row.user_number)


def life_of(life: Any | None, spending: Sequence[Any], now: Instant, zone: str) -> Values:
    told: Values = {name: getattr(life, name, 0) for name in ("visits", "orders")}
    told["cancelled_orders"] = getattr(life, "cancelled", 0)
    for name in _TIMES:
        at = getattr(life, f"{name}_at", None)
        told[f"{name}_at"] = _written(at)
        if name.startswith("last"):
            told[f"days_since_{name}"] = None if at is None else _days(at, now, zone)
    told["spending"] = [_spent(row) for row in spending]
    # Of who buys in one currency, which is nearly everybody, without a loop.
    return {**told, **(_spent(spending[0]) if len(spending) == 1 else {})}


def _spent(row: Any) -> Mapping[str, object]:
    return {
        "currency": row.currency,
        "spent": _amount(row.spent),
        "refunded": _amount(row.refunded),
        "net_spent": _amount(row.spent - row.refunded),
    }


def _amount(amount: int) -> int | float:
    return amount // AMOUNT_SCALE if amount % AMOUNT_SCALE == 0 else amount / AMOUNT_SCALE


def coupons_of(rows: Sequence[Any], now: Instant, zone: str) -> list[Values]:
    """Those that can be used now."""
    return [_coupon(row, now, zone) for row in rows if _is_usable(row, now)]


def _is_usable(row: Any, now: Instant) -> bool:
    over = any(at is not None and at <= now for at in (row.expires_at, row.expired_at))
    return row.issued_at is not None and row.used_at is None and not over


def _coupon(row: Any, now: Instant, zone: str) -> Values:
    # One that ends at midnight is good until the end of the day before.
    last = None if row.expires_at is None else row.expires_at - 1
    return {
        "code": row.code,
        "name": row.name or row.code,
        "issued_at": _written(row.issued_at),
        "expires_at": _written(row.expires_at),
        "last_day": None if last is None else day_of(last, zone).isoformat(),
        "days_left": None if last is None else _days(now, last, zone),
    }


def _days(since: Instant, until: Instant, zone: str) -> int:
    return (day_of(until, zone) - day_of(since, zone)).days


def _written(at: Instant | None) -> str | None:
    return None if at is None else to_datetime(at).isoformat()
