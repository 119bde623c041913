"""Messages as the API shows them, and what was heard about them."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import select

from .bulk import table_of
from .sessions import ReadSession
from .tables import Message, Receipt
from .users import among

MessageKey = tuple[int, int]
"""Shard and id. A message stays in the shard in which it was born."""

SHARD_MASK = 4095
"""An id ends with the shard in which it was made."""

_messages, _receipts = table_of(Message), table_of(Receipt)


def key_of(message_id: int) -> MessageKey:
    return message_id & SHARD_MASK, message_id


async def messages_by_keys(
    session: ReadSession, project_id: int, keys: Sequence[MessageKey]
) -> dict[MessageKey, Message]:
    statement = select(_messages).where(_messages.c.project_id == project_id, among(_messages, keys, "id"))
    return {(row.shard, row.id): row for row in await session.rows(statement)}


async def by_messages(
    session: ReadSession, project_id: int, keys: Sequence[MessageKey]
) -> dict[MessageKey, list[Receipt]]:
    """Everything heard about these messages, in the order in which it happened."""
    statement = select(_receipts).where(
        _receipts.c.project_id == project_id, among(_receipts, keys, "message_id")
    )
    order = (_receipts.c.occurred_at, _receipts.c.received_at, _receipts.c.key)
    found: defaultdict[MessageKey, list[Receipt]] = defaultdict(list)
    for row in await session.rows(statement.order_by(*order)):
        found[row.shard, row.message_id].append(row)
    return found
