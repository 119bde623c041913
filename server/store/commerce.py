"""What is known of the orders, lives and coupons of users."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import and_, bindparam, select

from .among import among
from .bulk import table_of
from .ids import digest
from .paging import Page, Slice, sliced, within
from .sessions import ReadSession
from .tables import Coupon, Life, Purchase, Spending
from .users import UserKey
from .users import among as of_these

OF_USERS = (Purchase, Life, Spending, Coupon)
"""Every table that is of users, by `shard`, `project_id` and `user_number`."""

_purchases, _lives, _spending, _coupons = (table_of(one) for one in OF_USERS)


def _of_project(table: Any) -> Any:
    return and_(table.c.shard == bindparam("shard"), table.c.project_id == bindparam("project_id"))


_BY_KEYS = select(_purchases).where(_of_project(_purchases), among(_purchases.c.key, "keys"))
_OF_USER = {
    table: select(table).where(_of_project(table), table.c.user_number == bindparam("number"))
    for table in (_purchases, _lives, _spending, _coupons)
}


def key_of(order_id: str, event_digest: str) -> str:
    """What an order is known by: its id. Without one nothing can be told to be the same: it is its event."""
    return digest(f"order {order_id}") if order_id else event_digest


async def orders_by_keys(session: ReadSession, shard: int, project_id: int, keys: Iterable[str]) -> list[Any]:
    """The orders of these keys, whoever has made them."""
    return await session.rows_in(_BY_KEYS, "keys", keys, {"shard": shard, "project_id": project_id})


async def all_of_user(
    session: ReadSession, shard: int, project_id: int, number: int
) -> tuple[Sequence[Any], Sequence[Any], Sequence[Any]]:
    """Everything that goes along with a user who turns out to be another: orders, life, coupons."""
    about = {"shard": shard, "project_id": project_id, "number": number}
    purchases = await session.rows(_OF_USER[_purchases], about)
    lives = await session.rows(_OF_USER[_lives], about)
    return purchases, lives, await session.rows(_OF_USER[_coupons], about)


async def lives(session: ReadSession, project_id: int, keys: Sequence[UserKey]) -> dict[UserKey, Any]:
    statement = select(_lives).where(_lives.c.project_id == project_id, of_these(_lives, keys))
    return {(row.shard, row.user_number): row for row in await session.rows(statement)}


async def spending(
    session: ReadSession, project_id: int, keys: Sequence[UserKey]
) -> dict[UserKey, list[Any]]:
    """What users have paid and got back, by currency."""
    statement = select(_spending).where(_spending.c.project_id == project_id, of_these(_spending, keys))
    return _by_user(await session.rows(statement.order_by(_spending.c.currency)))


async def coupons(
    session: ReadSession, project_id: int, keys: Sequence[UserKey], most: int
) -> dict[UserKey, list[Any]]:
    """The coupons of users, those that end first before those without an end."""
    statement = select(_coupons).where(_coupons.c.project_id == project_id, of_these(_coupons, keys))
    order = (_coupons.c.expires_at.is_(None), _coupons.c.expires_at, _coupons.c.code)
    found = _by_user(await session.rows(statement.order_by(*order)))
    return {key: rows[:most] for key, rows in found.items()}


async def orders_page(session: ReadSession, project_id: int, key: UserKey, page: Page) -> Slice:
    """The orders of a user, the latest first."""
    is_told = _purchases.c.ordered_at.is_not(None)
    statement = select(_purchases).where(
        _purchases.c.project_id == project_id, of_these(_purchases, [key]), is_told
    )
    place = (_purchases.c.ordered_at, _purchases.c.key)
    return sliced(await session.rows(within(statement, place, page, descending=True)), page)


def _by_user(rows: Iterable[Any]) -> dict[UserKey, list[Any]]:
    found: defaultdict[UserKey, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.shard, row.user_number].append(row)
    return found
