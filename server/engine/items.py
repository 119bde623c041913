"""The rows of the inbox, understood: what each is about, and whose it turned out to be."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from server.clock import Instant
from server.delivery import receipts as wire
from server.delivery.receipts import HeardReceipt
from server.ingest.messages import ArrivedEvent, decode
from server.store import inbox
from server.store.commands import ERASE, MOVE
from server.store.ids import digest

from . import commands, people
from .batch import IdentityKey
from .invitations import Guest
from .people import ANONYMOUS_ID, USER_ID

_EVENTS = (inbox.EVENT, inbox.FORWARDED, inbox.HISTORY)


@dataclass(slots=True)
class Item:
    """One row of the inbox, understood."""

    row: inbox.Row
    event: ArrivedEvent | None = None
    digest: str = ""
    hops: int = 0
    receipt: HeardReceipt | None = None
    command: dict[str, Any] = field(default_factory=dict)
    found: people.Found | None = None
    planned: Sequence[Any] = ()
    """What the entries of a journey that is resumed have planned."""
    guests: list[Guest] = field(default_factory=list)
    """Those of an invitation who are to be let in here."""
    is_full: bool = False
    """Whether a command found as many runs as one turn may change: then it stays, to find the others."""

    @property
    def own_payload(self) -> bytes:
        """The event as it came, whoever has forwarded it."""
        return self.row.payload[1:] if self.row.kind == inbox.FORWARDED else self.row.payload

    @property
    def happened_at(self) -> Instant | None:
        """When a live event happened; none for anything else: history does not move the clock."""
        if self.event is None or self.hops & people.HISTORY_BIT:
            return None
        return self.event.occurred_at


def up_to_a_turn(rows: list[inbox.Row]) -> list[Item]:
    """The rows up to the first after which time, the graph, or who somebody is, is another."""
    items: list[Item] = []
    for row in rows:
        items.append(understand(row))
        if row.kind in (commands.PAUSE, commands.RESUME, MOVE, ERASE):
            break
    return items


def understand(row: inbox.Row) -> Item:
    """Reads a row's payload, which we wrote ourselves."""
    if row.kind in _EVENTS:
        if row.kind == inbox.FORWARDED:
            event, hops = decode(row.payload[1:]), row.payload[0]
        else:
            event, hops = decode(row.payload), people.HISTORY_BIT if row.kind == inbox.HISTORY else 0
        return Item(row, event, digest(event.message_id), hops)
    if row.kind == inbox.RECEIPT:
        return Item(row, receipt=wire.decode(row.payload))
    return Item(row, command=orjson.loads(row.payload))


def identities_in(item: Item) -> list[IdentityKey]:
    event, project_id = item.event, item.row.project_id
    assert event is not None
    found: list[IdentityKey] = []
    if event.user_id:
        found.append((project_id, USER_ID, event.user_id))
    if event.anonymous_id:
        found.append((project_id, ANONYMOUS_ID, event.anonymous_id))
    if event.previous_id:
        found += [(project_id, USER_ID, event.previous_id), (project_id, ANONYMOUS_ID, event.previous_id)]
    return found


def in_order(items: Sequence[Item]) -> Iterator[Item]:
    """As they came, but receipts by their messages: senders that work side by side tell theirs in any order,
    and what goes out in a message's place is born in one order all the same."""
    told = (item for item in items if item.receipt is not None)
    receipts = iter(sorted(told, key=lambda item: item.receipt.message_id if item.receipt else 0))
    return (item if item.receipt is None else next(receipts) for item in items)
