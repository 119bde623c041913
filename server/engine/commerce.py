"""Commerce in a batch: what events tell of orders, coupons and sign-ups, and what a merge takes along."""

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from server.commerce.coupons import NAMES as COUPON_NAMES
from server.commerce.coupons import Coupon
from server.commerce.lives import NAMES as LIFE_NAMES
from server.commerce.lives import Life
from server.commerce.orders import SIGNED_UP, Counts
from server.commerce.reading import Cancelled, CouponTold, Ordered, Refunded, SignedUp, Told, tell
from server.commerce.rows import to_order
from server.ingest.messages import ArrivedEvent
from server.store import commerce
from server.store.sessions import ReadSession

from .batch import Batch
from .ledger import from_plain, to_plain
from .state import UserState

if TYPE_CHECKING:  # `items` needs this file itself, by way of `commands`.
    from .items import Item

# Reading


async def load(session: ReadSession, batch: Batch, items: Iterable["Item"]) -> None:
    """The orders that the events of a batch name, into the batch."""
    keys: defaultdict[int, set[str]] = defaultdict(set)
    for item in items:
        if item.event is not None and item.found is not None:
            told = _told_by(batch, item.row.project_id, item.event)
            keys[item.row.project_id] |= {key for one in told if (key := _key_of(one, item.digest))}
    for project_id, wanted in keys.items():
        await _load_orders(session, batch, project_id, wanted)


async def load_merge(session: ReadSession, batch: Batch, project_id: int, number: int) -> None:
    """All of a user who turns out to be another, into the batch."""
    user = (project_id, number)
    orders, lives, coupons = await commerce.all_of_user(session, batch.shard, project_id, number)
    for row in orders:
        batch.ledger.orders[user].setdefault(row.key, to_order(row))
    life = next((Life(*(getattr(row, name) for name in LIFE_NAMES)) for row in lives), Life())
    known = {row.code: Coupon(*(getattr(row, name) for name in COUPON_NAMES)) for row in coupons}
    batch.moving_commerce[user] = (life, known)


async def load_adoption(session: ReadSession, batch: Batch, project_id: int, command: dict[str, Any]) -> None:
    """Those of the orders that come which are here already."""
    keys = {one["key"] for one in command.get("commerce", {}).get("orders", ())}
    await _load_orders(session, batch, project_id, keys)


async def _load_orders(session: ReadSession, batch: Batch, project_id: int, keys: set[str]) -> None:
    for row in await commerce.orders_by_keys(session, batch.shard, project_id, keys):
        batch.ledger.orders[project_id, row.user_number].setdefault(row.key, to_order(row))


# Deciding


def take_in(batch: Batch, user: UserState, project_id: int, event: ArrivedEvent, digest: str) -> list[Counts]:
    """What the event tells, kept at the user. Returns what counts by it: an order only the first time."""
    at, whose = event.occurred_at, (project_id, user.number)
    batch.ledger.lives[whose].see(at)
    found: list[Counts] = []
    for one in _told_by(batch, project_id, event):
        if isinstance(one, CouponTold):
            batch.ledger.coupon(whose, one.code).hear(one, at)
        else:
            found += batch.ledger.count(whose, _counts(batch, whose, one, at, digest))
    return found


def _counts(batch: Batch, whose: tuple[int, int], told: Told, at: int, digest: str) -> Iterable[Counts]:
    if isinstance(told, SignedUp):
        return [Counts(SIGNED_UP, "", at, 1)]
    order = batch.ledger.order(whose, _key_of(told, digest))
    if isinstance(told, Ordered):
        return order.order(told, at, digest)
    if isinstance(told, Refunded):
        return order.refund(told, at, digest)
    return order.cancel(at)


def _told_by(batch: Batch, project_id: int, event: ArrivedEvent) -> list[Told]:
    if event.type != "track":
        return []
    words = batch.catalog.words_of(project_id)
    return tell(words, event.name, event.body, batch.catalog.zone_of(project_id))


def _key_of(told: Told, digest: str) -> str:
    """The order that this is about; empty for what is not about one."""
    if isinstance(told, Ordered | Refunded | Cancelled):
        return commerce.key_of(told.order_id, digest)
    return ""


# Users who turned out to be one


def leave(batch: Batch, project_id: int, number: int) -> dict[str, Any]:
    """Takes everything from a user who turned out to be another, and says what it was."""
    user, ledger = (project_id, number), batch.ledger
    life, coupons = batch.moving_commerce.pop(user, (Life(), {}))
    if user in ledger.lives:
        life.add(ledger.lives.pop(user))
    for code, told in ledger.coupons.pop(user, {}).items():
        coupons.setdefault(code, Coupon()).add(told)
    for whose, currency in list(ledger.spending):
        if whose == user:
            del ledger.spending[whose, currency]
    ledger.gone.append(user)
    return {
        "orders": [to_plain(one) for one in ledger.orders.pop(user, {}).values()],
        "life": to_plain(life),
        "coupons": {code: to_plain(one) for code, one in coupons.items()},
    }


def adopt(batch: Batch, user: UserState, project_id: int, command: dict[str, Any]) -> list[Counts]:
    """Takes over from a user who turned out to be ours. Returns what counts of ours by it."""
    given, whose, ledger = command.get("commerce"), (project_id, user.number), batch.ledger
    if given is None:
        return []
    found: list[Counts] = []
    for one in given["orders"]:
        found += ledger.count(whose, ledger.order(whose, one["key"]).absorb(from_plain(one)))
    theirs = Life(**given["life"])
    signed_up_at = theirs.signed_up_at
    # What their orders come to is counted anew: some may be ours already. So are their sessions.
    theirs.orders = theirs.cancelled = theirs.visits = 0
    theirs.first_order_at = theirs.last_order_at = None
    ledger.lives[whose].add(theirs)
    for code, one in given["coupons"].items():
        ledger.coupon(whose, code).add(Coupon(**one))
    return [*found, *([Counts(SIGNED_UP, "", signed_up_at, 1)] if signed_up_at is not None else [])]
