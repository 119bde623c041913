"""What people wrote back: kept, understood, and heard as a reply to the message that it answers."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog

from channels.contract import Inbound, Receipt, ReceiptKind
from server.clock import DAY, Instant
from server.delivery.keywords import START, STOP, meaning_of
from server.store import inbound, inbox, messages, sightings, unclaimed
from server.store import tables as store
from server.store.open_connections import OpenConnection
from server.store.sessions import ReadSession, WriteSession

from .hearing import LONGEST_DETAIL, Placed, bounded, bounded_instant, clean
from .receipts import HeardReceipt, encode

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
    written = Written()
    for one in sorted(told, key=lambda one: one.occurred_at):
        row = _row(connection, one, now)
        written.rows.append(row)
        answered = known.get(_answered_id(one)) if one.provider_id else None
        if answered is None:
            since = row.occurred_at - ANSWERS_WITHIN
            where = (connection.project_id, shards, connection.id, row.address)
            answered = await inbound.latest_message(session, *where, since, row.occurred_at)
        if answered is not None:
            written.replies.append(_reply(connection, one, row, answered, now))
    return written


async def keep(
    session: WriteSession, connection: OpenConnection, placed: Placed, written: Written, now: Instant
) -> None:
    """Keeps what names no message, and what people wrote; whoever asked for no more gets no more.

    The opt-out is in the transaction of the row that asks for it.
    """
    await unclaimed.keep(session, placed.unclaimed)
    for receipt in placed.opt_outs:
        if _is_address(connection, receipt.recipient or ""):
            await _opt_out(session, connection, receipt, now)
    for one in written.rows:
        if await inbound.keep(session, one) and _is_address(connection, one.address):
            await _obey(session, one)


def _is_address(connection: OpenConnection, address: str) -> bool:
    if len(address.encode()) <= _LONGEST_ADDRESS:
        return True
    log.warning("an address is too long to be one", connection=connection.id, begins=address[:100])
    return False


async def _obey(session: WriteSession, row: store.Inbound) -> None:
    about = (session, row.project_id, row.channel, row.address, EVERY_PURPOSE)
    if row.meaning == STOP:
        await sightings.opt_out_address(*about, source="inbound", now=row.occurred_at, note=row.text)
    elif row.meaning == START:
        await sightings.opt_in_address(*about, now=row.occurred_at)


async def _opt_out(session: WriteSession, connection: OpenConnection, receipt: Receipt, now: Instant) -> None:
    address = stored_address(connection, receipt.recipient or "")
    purpose = receipt.purpose.value if receipt.purpose else EVERY_PURPOSE
    about = (session, connection.project_id, connection.adapter.channel, address, purpose)
    note = " ".join(filter(None, (receipt.kind.value, receipt.code, receipt.text)))
    at = min(receipt.occurred_at, now)
    await sightings.opt_out_address(*about, source="receipt", now=at, note=note[:LONGEST_DETAIL])


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


def _reply(
    connection: OpenConnection, one: Inbound, row: store.Inbound, answered: tuple[int, int], now: Instant
) -> inbox.Entry:
    shard, message_id = answered
    heard = HeardReceipt(
        message_id=message_id,
        key=f"{connection.id}:reply:{row.key}",
        kind=ReceiptKind.REPLIED,
        occurred_at=row.occurred_at,
        detail=row.text,
        connection_id=connection.id,
    )
    return inbox.Entry(shard, connection.project_id, inbox.RECEIPT, encode(heard), now)
