"""What people wrote back: kept, understood, and heard as a reply to the message that it answers."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import itemgetter

import structlog

from channels.contract import Inbound, Receipt, ReceiptKind
from server.clock import DAY, Instant
from server.delivery.keywords import START, STOP, meaning_of
from server.store import inbound, inbox, messages, sightings, unclaimed
from server.store import tables as store
from server.store.open_connections import OpenConnection
from server.store.sessions import ReadSession, WriteSession
from server.store.sightings import Wish

from .hearing import LONGEST_DETAIL, Placed, bounded, bounded_instant, clean
from .receipts import WRITTEN, HeardReceipt, encode

ANSWERS_WITHIN = 7 * DAY
"""A message that somebody writes without saying to what answers our last one, if that was not longer ago."""
EVERY_PURPOSE = ""
_LONGEST_ADDRESS = 2000
"""Bytes. Nobody is reached at a longer one, and no index can hold it."""
log = structlog.get_logger("delivery")


@dataclass(slots=True)
class Written:
    """What people wrote in one callback: rows to keep, and the replies for the inbox."""

    rows: list[store.Inbound] = field(default_factory=list)
    replies: list[inbox.Entry] = field(default_factory=list)


def is_well_formed(one: Inbound) -> bool:
    """Whether an adapter has filled it in as the contract says."""
    texts = [one.key, one.sender, one.text, one.provider_id or ""] if isinstance(one, Inbound) else [None]
    return all(isinstance(text, str) for text in texts) and type(one.occurred_at) is int


async def read(
    session: ReadSession, shards: int, connection: OpenConnection, told: Sequence[Inbound], now: Instant
) -> Written:
    """Finds what was answered: the message that the provider names, or our last one to whoever wrote."""
    asked = {_answered_id(one) for one in told if one.provider_id}
    known = await messages.by_provider_id(session, shards, connection.id, asked)
    told = sorted(told, key=lambda one: one.occurred_at)
    rows = [_row(connection, one, now) for one in told]
    names = [_answered_id(one) for one in told]
    open_rows = [row for row, name in zip(rows, names, strict=True) if name not in known]
    sent = await _sent(session, shards, connection, open_rows)
    replies = []
    for row, name in zip(rows, names, strict=True):
        answered = known.get(name) or _last(sent.get(row.address, ()), row.occurred_at)
        if answered is not None:
            replies += _replies(connection, row, answered, now)
    return Written(rows, replies)


async def _sent(
    session: ReadSession, shards: int, connection: OpenConnection, rows: Sequence[store.Inbound]
) -> dict[str, list[inbound.Sent]]:
    """What those who wrote may have answered, a few statements for all of them."""
    if not rows:
        return {}
    times = [row.occurred_at for row in rows]
    where = (connection.project_id, shards, connection.id, {row.address for row in rows})
    return await inbound.sent_to(session, *where, min(times) - ANSWERS_WITHIN, max(times))


def _last(sent: Sequence[inbound.Sent], at: Instant) -> tuple[int, int] | None:
    """Shard and id of our last message before somebody wrote, if that was not too long ago."""
    number = bisect_right(sent, at, key=itemgetter(0))
    if not number or sent[number - 1][0] < at - ANSWERS_WITHIN:
        return None
    _, message_id, shard = sent[number - 1]
    return shard, message_id


async def keep(
    session: WriteSession, connection: OpenConnection, placed: Placed, written: Written, now: Instant
) -> None:
    """Keeps what names no message, and what people wrote; whoever asked for no more gets no more.

    The opt-out is in the transaction of the row that asks for it.
    """
    await unclaimed.keep(session, placed.unclaimed)
    new = await inbound.keep(session, connection.id, written.rows)
    wishes = [_opt_out(connection, one, now) for one in placed.opt_outs]
    wishes += [wish for one in new for wish in _wishes_of(one)]
    wishes = [wish for wish in wishes if _is_address(connection, wish.sighting.address)]
    await sightings.hear_wishes(session, wishes)


def _is_address(connection: OpenConnection, address: str) -> bool:
    if len(address.encode()) <= _LONGEST_ADDRESS:
        return True
    log.warning("an address is too long to be one", connection=connection.id, begins=address[:100])
    return False


def _wishes_of(row: store.Inbound) -> list[Wish]:
    about = (row.project_id, row.channel, row.address, EVERY_PURPOSE)
    if row.meaning == STOP:
        return [sightings.opt_out(*about, source="inbound", now=row.occurred_at, note=row.text)]
    return sightings.opt_in(*about, now=row.occurred_at) if row.meaning == START else []


def _opt_out(connection: OpenConnection, receipt: Receipt, now: Instant) -> Wish:
    address = stored_address(connection, receipt.recipient or "")
    purpose = receipt.purpose.value if receipt.purpose else EVERY_PURPOSE
    about = (connection.project_id, connection.adapter.channel, address, purpose)
    note = " ".join(filter(None, (receipt.kind.value, receipt.code, receipt.text)))
    at = min(receipt.occurred_at, now)
    return sightings.opt_out(*about, source="receipt", now=at, note=note[:LONGEST_DETAIL])


def stored_address(connection: OpenConnection, address: str) -> str:
    """As it stands with us: an adapter that has a scheme speaks of addresses without it."""
    scheme = connection.adapter.capabilities.address_scheme
    return address if address.startswith(scheme) else scheme + address


def _answered_id(one: Inbound) -> str:
    return bounded(clean(one.provider_id or ""))


def _row(connection: OpenConnection, one: Inbound, now: Instant) -> store.Inbound:
    text = clean(one.text, LONGEST_DETAIL)
    return store.Inbound(
        connection_id=connection.id,
        key=bounded(clean(one.key)),
        project_id=connection.project_id,
        channel=connection.adapter.channel,
        address=stored_address(connection, clean(one.sender, LONGEST_DETAIL)),
        text=text,
        meaning=meaning_of(text),
        # Nobody has written in the future, whatever the clock over there says.
        occurred_at=min(bounded_instant(one.occurred_at), now),
        received_at=now,
    )


def _replies(
    connection: OpenConnection, row: store.Inbound, answered: tuple[int, int], now: Instant
) -> list[inbox.Entry]:
    """What an answer says of the message: it was answered, and perhaps that no more are wanted."""
    shard, message_id = answered
    told = partial(
        HeardReceipt,
        message_id=message_id,
        occurred_at=row.occurred_at,
        detail=row.text,
        connection_id=connection.id,
    )
    heard = [told(key=f"{connection.id}:reply:{row.key}", kind=ReceiptKind.REPLIED)]
    if row.meaning == STOP:
        key = f"{connection.id}:stop:{row.key}"
        heard.append(told(key=key, kind=ReceiptKind.UNSUBSCRIBED, code=WRITTEN))
    return [inbox.Entry(shard, connection.project_id, inbox.RECEIPT, encode(one), now) for one in heard]
