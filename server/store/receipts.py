"""Messages as the API shows them, and what was heard about them."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import bindparam, select, tuple_

from channels.contract import ReceiptKind

from .bulk import table_of
from .sessions import ReadSession
from .tables import Message, Receipt
from .users import among

MessageKey = tuple[int, int]
"""Shard and id. A message stays in the shard in which it was born."""

SHARD_MASK = 4095
"""An id ends with the shard in which it was made."""

_messages, _receipts = table_of(Message), table_of(Receipt)

Place = tuple[int, str]
"""Of a receipt in its shard: message and key."""
BAD_NEWS = (ReceiptKind.REFUSED.value, ReceiptKind.FAILED.value, ReceiptKind.BOUNCED.value)
"""Kinds whose reason is read from a provider's code."""
_CODED = (
    select(
        _receipts.c.message_id,
        _receipts.c.key,
        _receipts.c.code,
        _receipts.c.reason,
        _receipts.c.connection_id,
    )
    .where(_receipts.c.shard == bindparam("of_shard"), _receipts.c.project_id == bindparam("of_project"))
    .where(tuple_(_receipts.c.message_id, _receipts.c.key) > tuple_(bindparam("message"), bindparam("key")))
    .where(_receipts.c.kind.in_(BAD_NEWS), _receipts.c.code != "", _receipts.c.connection_id.is_not(None))
    .order_by(_receipts.c.message_id, _receipts.c.key)
    .limit(bindparam("most"))
)
_OF_REASON = _CODED.where(_receipts.c.reason == bindparam("of_reason"))


class Coded(NamedTuple):
    """Bad news in a provider's code."""

    message_id: int
    key: str
    code: str
    reason: str
    connection_id: int


def key_of(message_id: int) -> MessageKey:
    return message_id & SHARD_MASK, message_id


async def messages_by_keys(
    session: ReadSession, project_id: int, keys: Sequence[MessageKey]
) -> dict[MessageKey, Message]:
    statement = select(_messages).where(_messages.c.project_id == project_id, among(_messages, keys, "id"))
    return {(row.shard, row.id): row for row in await session.rows(statement)}


async def messages_by_runs(
    session: ReadSession, project_id: int, shards: int, run_ids: Sequence[int]
) -> dict[int, list[Message]]:
    """All messages of these runs, wherever they were born, in the order in which they were decided."""
    statement = select(_messages).where(
        _messages.c.shard.in_(list(range(shards))),
        _messages.c.run_id.in_(list(run_ids)),
        _messages.c.project_id == project_id,
    )
    found: defaultdict[int, list[Message]] = defaultdict(list)
    for row in await session.rows(statement.order_by(_messages.c.created_at, _messages.c.id)):
        found[row.run_id].append(row)
    return found


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


async def coded(
    session: ReadSession, project_id: int, shard: int, after: Place, most: int, *, reason: str | None
) -> list[Coded]:
    """A project's bad news in codes, of one reason or of any, in the order of their places."""
    about = {"of_shard": shard, "of_project": project_id, "message": after[0], "key": after[1], "most": most}
    if reason is None:
        return [Coded(*row) for row in await session.rows(_CODED, about)]
    return [Coded(*row) for row in await session.rows(_OF_REASON, {**about, "of_reason": reason})]
