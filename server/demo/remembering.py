"""Gives a fake relay of this process what one of an earlier process had of the sample."""

from typing import Any

import orjson
from sqlalchemy import select

from channels.alimtalk.reading import read_template
from channels.testing.providers.nhn import FakeNhn
from channels.testing.providers.nhn_words import a_profile, clock_time
from server.runtime import Runtime
from server.store.bulk import table_of
from server.store.tables import AlimtalkRegistration, AlimtalkVersion, Connection

from .alimtalk import CATEGORY, CHANNEL, CONNECTION, SENDER_KEY, verify


async def remember(runtime: Runtime, relay: FakeNhn) -> dict[str, str]:
    """Hands every template in once more. Returns what the settings of its connection have besides."""
    made = clock_time(runtime.clock.now())
    relay.desk.profiles[SENDER_KEY] = a_profile(SENDER_KEY, CHANNEL, CATEGORY, made)
    verify(relay)
    rows = await _registrations(runtime)
    for connection_id in {row.connection_id for row in rows}:
        async with runtime.keeper.desks.at(connection_id) as at:
            for row in rows:
                template, _ = read_template(orjson.loads(row.content))
                assert template is not None
                await at.ask(at.desk.create(row.code, template))
    for row in rows:
        if row.inspection == "approved":
            relay.desk.approve(row.code)
    # The server knows all of it.
    relay.desk.news()
    return {"sender_key": SENDER_KEY}


async def _registrations(runtime: Runtime) -> list[Any]:
    at, version, connection = (table_of(one) for one in (AlimtalkRegistration, AlimtalkVersion, Connection))
    statement = (
        select(at.c.connection_id, at.c.code, at.c.inspection, version.c.content)
        .join(connection, connection.c.id == at.c.connection_id)
        .join(version, (version.c.template_id == at.c.template_id) & (version.c.number == at.c.number))
        .where(connection.c.name == CONNECTION, at.c.code != "", ~at.c.is_replaced)
    )
    async with runtime.db.read() as session:
        return list(await session.rows(statement))
