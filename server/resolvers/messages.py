"""Messages, and everything heard about them."""

import orjson

from server.clock import DAY, Instant
from server.context import Context
from server.delivery.status import is_in_doubt
from server.store.receipts import MessageKey, key_of
from server.store.tables import Message, Receipt

from . import connections


async def by_key(context: Context, key: MessageKey) -> Message | None:
    return await context.loaders.message_by_key.load(key)


async def by_id(context: Context, message_id: int) -> Message | None:
    return await by_key(context, key_of(message_id))


async def receipts(context: Context, key: MessageKey) -> list[Receipt]:
    return await context.loaders.receipts_by_message.load(key) or []


async def open_until(context: Context, message: Message) -> Instant | None:
    """Until when it may still be heard what became of it, of one of which nobody knows; None if it is known,
    if that time is over, or if its provider names none."""
    heard = orjson.loads(message.heard)
    through = await connections.by_id(context, message.connection_id) if is_in_doubt(heard) else None
    adapter = context.plugged_in.channels.get(through.adapter) if through else None
    days = adapter.capabilities.unknown_settles_after_days if adapter else None
    if days is None:
        return None
    until = int(heard["unknown"][1]) + days * DAY
    return until if until > context.clock.now() else None
