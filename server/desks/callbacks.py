"""What a relay calls back with about templates."""

from collections.abc import Sequence

import structlog

from channels.alimtalk.desk import Registered, WithDesk
from channels.contract import Verified
from server.clock import Instant
from server.store import connected, sender_profiles
from server.store.database import Database
from server.store.open_connections import OpenConnection

from .hearing import take_in
from .office import desk_of
from .telling import Whose

log = structlog.get_logger("desks")


def read(connection: OpenConnection, verified: Verified) -> list[Registered]:
    """What a genuine callback tells of templates; nothing for any other."""
    adapter: object = connection.adapter
    if not isinstance(adapter, WithDesk):
        return []
    try:
        return list(adapter.template_news(connection.settings, verified))
    except Exception:
        # The relay is asked every few minutes: what cannot be read now is seen then.
        log.exception("an adapter raised while it read news", connection=connection.id)
        return []


async def keep(db: Database, connection: OpenConnection, told: Sequence[Registered], now: Instant) -> None:
    """Folds it in. What it does not say whole has the relay asked at the next look."""
    async with db.write() as session:
        name = await connected.name_of(session, connection.id)
        whose = Whose(connection.project_id, connection.id, name)
        heard = await take_in(session, whose, desk_of(connection.adapter), told, now)
        if heard.unknown or heard.unclear:
            # An edit at its console is no change for some relays: then everything is asked for.
            soon = {"asked_at": None, **({"all_at": None} if heard.unclear else {})}
            await sender_profiles.put(session, whose.project_id, connection.id, soon, now)
