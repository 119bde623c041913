"""Codes that were kept, read again by today's tables: the reason moves, in the receipt and in every figure.

What happened stays: the code, the words, the time, the kind. Only what we take it to mean is corrected.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import bindparam, select

from channels.contract import ReceiptKind
from server.delivery.receipts import HeardReceipt
from server.delivery.status import STILL_OURS, status_of
from server.store.among import among
from server.store.bulk import table_of
from server.store.sessions import ReadSession
from server.store.tables import Receipt

from . import receipts
from .batch import Batch, Told
from .state import MessageState

_receipts = table_of(Receipt)
_TOLD = select(
    _receipts.c.message_id, _receipts.c.key, _receipts.c.kind, _receipts.c.occurred_at, _receipts.c.reason
).where(_receipts.c.shard == bindparam("shard"), among(_receipts.c.message_id, "ids"))


def messages_in(commands: Iterable[dict[str, Any]]) -> set[int]:
    return {message_id for command in commands for message_id, _, _ in command["receipts"]}


async def load(session: ReadSession, batch: Batch, ids: set[int]) -> None:
    """Everything that was heard of these messages, into the batch."""
    found: defaultdict[int, dict[str, Told]] = defaultdict(dict)
    for row in await session.rows_in(_TOLD, "ids", ids, {"shard": batch.shard}):
        found[row.message_id][row.key] = Told(ReceiptKind(row.kind), row.occurred_at, row.reason)
    batch.told.update(found)


def correct(batch: Batch, project_id: int, command: dict[str, Any]) -> None:
    """Gives receipts another reason, and their messages, where theirs comes from it."""
    for message_id, key, reason in command["receipts"]:
        message, told = batch.messages.get(message_id), batch.told.get(message_id, {})
        if message is None or message.project_id != project_id or key not in told:
            continue
        if told[key].reason != reason:
            told[key] = told[key]._replace(reason=reason)
            batch.corrections.append((batch.shard, message_id, key, reason))
            _follow(batch, message, told)
            about = HeardReceipt(message_id, key, told[key].kind, told[key].occurred_at, reason=reason)
            receipts.suppress(batch, message, about)


def _follow(batch: Batch, message: MessageState, told: dict[str, Told]) -> None:
    """The reason of a message is that of the earliest receipt that says its status; see `receipts`."""
    status = status_of(message.heard)
    saying = [
        (one.occurred_at, one.reason) for one in told.values() if status_of({one.kind.value: []}) is status
    ]
    if status in STILL_OURS or not saying:
        return
    before = receipts.counted_of(message)
    message.reason = min(saying)[1]
    message.is_changed = True
    receipts.count_change(batch, message, before, receipts.counted_of(message))
