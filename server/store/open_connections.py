"""Connections for whoever sends and asks through them: of every project, with their secrets."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from sqlalchemy import select

from channels.contract import AnyChannel, ReceiptKind
from channels.host import Host
from server.clock import Instant
from server.errors import NotFound, ServerError
from server.secretbox import SecretBox

from . import adapters, sealed
from .bulk import table_of
from .sessions import ReadSession
from .tables import Connection

Observed = tuple[str, frozenset[ReceiptKind]]
"""A channel, and what can be heard there."""

_table = table_of(Connection)


@dataclass(frozen=True, slots=True)
class OpenConnection:
    """A connection with its secrets, ready to be used. Shows nothing of its settings."""

    id: int
    project_id: int
    adapter: AnyChannel
    changed_at: Instant
    settings: BaseModel = field(repr=False)


async def load(
    session: ReadSession, host: Host, box: SecretBox, connection_id: int, *, for_desk: bool = False
) -> OpenConnection:
    """With its secrets, for whoever sends, or goes to its relay's desk; of any project.

    Raises NotFound, BadInput if its adapter is not plugged in, BadSettings if the adapter has changed its
    mind about them, CannotUnseal.
    """
    row = await session.get(Connection, connection_id)
    if row is None:
        raise NotFound(f"There is no connection {connection_id}.")
    channel = adapters.named(host, row.adapter)
    settings = adapters.read_settings(channel, sealed.filled(row, box), may_wait=for_desk)
    return OpenConnection(connection_id, row.project_id, channel, row.changed_at, settings)


_SEEN_BY_OUR_LINKS = frozenset({ReceiptKind.OPENED, ReceiptKind.CLICKED, ReceiptKind.UNSUBSCRIBED})
"""In e-mails, our own links tell this, whatever the provider does."""
CLICKS_FOLLOWED = ("push", "sms", "whatsapp", "in_app")
"""Channels without HTML whose links lead through us, too."""
BY_OUR_LINKS = {
    "email": _SEEN_BY_OUR_LINKS,
    **dict.fromkeys(CLICKS_FOLLOWED, frozenset({ReceiptKind.CLICKED})),
}
"""By channel: what our own links tell."""

_BY_WRITING = frozenset({ReceiptKind.REPLIED, ReceiptKind.UNSUBSCRIBED})
"""What is known of a message by what its reader writes back."""


async def observed(session: ReadSession, host: Host, box: SecretBox, project_id: int) -> list[Observed]:
    """The channel of each of a project's connections, and the receipts that it can bring as it is set up."""
    rows = await session.rows(select(_table).where(_table.c.project_id == project_id))
    return [(row.channel, _observes(row, host, box)) for row in rows if row.adapter in host.channels]


def heard(observed: Iterable[Observed]) -> dict[str, frozenset[ReceiptKind]]:
    """By channel: the kinds of receipts that any of the connections can bring, or our own links."""
    found = dict(BY_OUR_LINKS)
    for channel, kinds in observed:
        found[channel] = found.get(channel, frozenset()) | kinds
    return found


def _observes(row: Any, host: Host, box: SecretBox) -> frozenset[ReceiptKind]:
    channel = host.channels[row.adapter]
    try:
        told = channel.observes(adapters.read_settings(channel, sealed.filled(row, box)))
        return told | _BY_WRITING if channel.capabilities.inbound else told
    except ServerError:
        # With settings that cannot be read nothing is believed.
        return frozenset()


async def changes(session: ReadSession) -> dict[int, tuple[str, Instant]]:
    """Every connection's adapter, and when it was last changed."""
    rows = await session.rows(select(_table.c.id, _table.c.adapter, _table.c.changed_at))
    return {row.id: (row.adapter, row.changed_at) for row in rows}


async def projects(session: ReadSession) -> dict[int, int]:
    """Every connection's project."""
    return {row.id: row.project_id for row in await session.rows(select(_table.c.id, _table.c.project_id))}
