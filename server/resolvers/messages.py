"""Messages, and everything heard about them."""

from server.context import Context
from server.store.receipts import MessageKey, key_of
from server.store.tables import Message, Receipt


async def by_key(context: Context, key: MessageKey) -> Message | None:
    return await context.loaders.message_by_key.load(key)


async def by_id(context: Context, message_id: int) -> Message | None:
    return await by_key(context, key_of(message_id))


async def receipts(context: Context, key: MessageKey) -> list[Receipt]:
    return await context.loaders.receipts_by_message.load(key) or []
