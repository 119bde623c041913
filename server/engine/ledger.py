"""What a batch holds in hand of commerce: orders whole, and what it adds to lives, spending and coupons.

Only orders are read beforehand, those that an event of the batch names: whether it is told again decides
whether it counts. Everything else is folded into what is on disk by the statement that writes it.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from server.commerce.amounts import MOST
from server.commerce.coupons import Coupon
from server.commerce.lives import FIRSTS, LASTS, SUMS, Life
from server.commerce.orders import REFUNDED, SPENT, Counts, Order, Refund
from server.commerce.rows import columns_of
from server.store import commerce, tables
from server.store.bulk import adding, deleting, replacing
from server.store.folding import folding
from server.store.sessions import WriteSession

UserKey = tuple[int, int]
"""Project and number of a user of this shard."""

_ORDER = ("order_id", "ordered_at", "digest", "amount", "currency", "refunded", "refunds", "coupons")
_PURCHASES = replacing(tables.Purchase, *_ORDER, "products", "flag")
_LIVES = folding(tables.Life, least=FIRSTS, most=LASTS, sums=SUMS)
_SPENDING = adding(tables.Spending, "spent", "refunded", most=MOST)
_COUPONS = folding(
    tables.Coupon,
    least=("issued_at", "used_at", "expired_at"),
    most=("applied_at",),
    latest={"name": "name_at", "expires_at": "expiry_at"},
)
_GONE = [deleting(one, "shard", "project_id", "user_number") for one in commerce.OF_USERS]


@dataclass(slots=True)
class Ledger:
    orders: defaultdict[UserKey, dict[str, Order]] = field(default_factory=lambda: defaultdict(dict))
    """By user and key, as far as they were asked for."""
    lives: defaultdict[UserKey, Life] = field(default_factory=lambda: defaultdict(Life))
    spending: defaultdict[tuple[UserKey, str], list[int]] = field(
        default_factory=lambda: defaultdict(lambda: [0, 0])
    )
    """By user and currency: paid, and given back."""
    coupons: defaultdict[UserKey, dict[str, Coupon]] = field(default_factory=lambda: defaultdict(dict))
    """By user and code."""
    gone: list[UserKey] = field(default_factory=list)
    """Users who turned out to be others, and have taken everything along."""

    def count(self, user: UserKey, counts: Iterable[Counts]) -> list[Counts]:
        """Adds what counts to the user's life."""
        found = list(counts)
        for one in found:
            self.lives[user].count(one)
            if one.deed == SPENT:
                self.spending[user, one.value][0] += one.amount
            elif one.deed == REFUNDED:
                self.spending[user, one.value][1] += one.amount
        return found

    def order(self, user: UserKey, key: str) -> Order:
        return self.orders[user].setdefault(key, Order(key))

    def coupon(self, user: UserKey, code: str) -> Coupon:
        return self.coupons[user].setdefault(code, Coupon())

    def coupons_of(self, user: UserKey) -> list[tuple[str, Coupon]]:
        """What was heard of them in this batch."""
        return list(self.coupons.get(user, {}).items())

    async def write(self, session: WriteSession, shard: int) -> None:
        for statement in _GONE:
            await session.bulk(statement, [(shard, *user) for user in self.gone])
        changed = [
            (shard, user[0], one.key, user[1], *columns_of(one))
            for user, orders in self.orders.items()
            for one in orders.values()
            if one.is_changed
        ]
        await session.bulk(_PURCHASES, changed)
        await session.bulk(_LIVES, [(shard, *user, *life.row()) for user, life in self.lives.items()])
        spending = [
            (shard, *user, currency, *(min(one, MOST) for one in sums))
            for (user, currency), sums in self.spending.items()
        ]
        await session.bulk(_SPENDING, spending)
        coupons = [
            (shard, *user, code, *one.row())
            for user, own in self.coupons.items()
            for code, one in own.items()
        ]
        await session.bulk(_COUPONS, coupons)


def to_plain(one: Any) -> dict[str, Any]:
    """A fold as it travels between shards."""
    return asdict(one)


def from_plain(given: dict[str, Any]) -> Order:
    refunds = {key: Refund(**one) for key, one in given["refunds"].items()}
    lists = {"coupons": tuple(given["coupons"]), "products": tuple(tuple(one) for one in given["products"])}
    return Order(**{**given, **lists, "refunds": refunds})
