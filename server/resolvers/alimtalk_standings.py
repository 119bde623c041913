"""How registrations stand, for whoever shows them."""

from typing import Any

from channels.alimtalk.desk import DeskCan, WithDesk
from server.alimtalk.lifecycle import Standing
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


async def comments(context: Context, registration_id: int) -> list[Any]:
    return await context.loaders.alimtalk_comments.load(registration_id) or []
