"""How registrations stand, for whoever shows them."""

from typing import Any

from channels.alimtalk.desk import DeskCan, WithDesk
from server.alimtalk.lifecycle import OF_THE_CODE, Act, Standing, allowed
from server.context import Context
from server.desks.hearing import standing_of
from server.store.alimtalk_sendable import Known

from . import connections


def of(record: Any) -> Standing:
    return standing_of(record)


async def known(context: Context, key: str) -> Known | None:
    return await context.loaders.alimtalk_known.load(key)


async def is_sendable(context: Context, record: Any) -> bool:
    found = await known(context, record.key)
    standings = found.standings if found is not None and not found.is_archived else ()
    return any(one.is_sendable for one in standings if one.registration_id == record.id)


async def desk(context: Context, record: Any) -> DeskCan | None:
    """What the desk of its relay can do; None for a relay without one, or a connection that is gone."""
    view = await connections.by_id(context, record.connection_id)
    adapter: object = context.plugged_in.channels.get(view.adapter) if view is not None else None
    if not isinstance(adapter, WithDesk) or record.is_replaced:
        return None
    return adapter.desk_can


async def acts(context: Context, record: Any) -> list[Act]:
    """What can be asked of its relay now: of one that shares its code nothing that is done to both."""
    can = await desk(context, record)
    if can is None:
        return []
    found = allowed(of(record), can)
    if OF_THE_CODE.isdisjoint(found):
        return found
    siblings = await known(context, record.key)
    is_shared = any(_shares(one, record) for one in (siblings.standings if siblings else ()))
    return [one for one in found if one not in OF_THE_CODE] if is_shared else found


def _shares(other: Any, record: Any) -> bool:
    there = (other.connection_id, other.code) == (record.connection_id, record.code)
    return there and other.registration_id != record.id and not other.is_replaced


async def comments(context: Context, registration_id: int) -> list[Any]:
    return await context.loaders.alimtalk_comments.load(registration_id) or []
