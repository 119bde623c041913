"""Connections: what is connected, and with which settings. Secrets go in and never come out."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from server.context import Context
from server.errors import BadInput, Conflict, NotFound
from server.store import connections
from server.store.connections import BadSettings, ConnectionView
from server.store.sessions import WriteSession

from .once import Answer, once
from .refusals import Invalid, InvalidSettings, Missing, Taken

Settings = Mapping[str, Any]


async def listed(context: Context) -> list[ConnectionView]:
    """All of the project, in the order in which they were made."""
    async with context.db.read() as session:
        return await connections.listed(session, context.plugged_in, context.box, context.project_id)


async def by_id(context: Context, connection_id: int) -> ConnectionView | None:
    async with context.db.read() as session:
        try:
            return await connections.get(
                session, context.plugged_in, context.box, context.project_id, connection_id
            )
        except NotFound:
            return None


async def create(context: Context, name: str, adapter: str, settings: Settings, key: str | None) -> Answer:
    """Raises InvalidSettings, Taken, Invalid."""

    if adapter not in context.plugged_in.channels:
        there = ", ".join(context.plugged_in.channels) or "none"
        message = f"There is no adapter {adapter!r}; there are: {there}."
        raise Invalid(message, ("input", "adapter"))

    async def make(session: WriteSession) -> ConnectionView:
        return await connections.create(
            session,
            context.plugged_in,
            context.box,
            context.project_id,
            name=name,
            adapter=adapter,
            settings=settings,
            now=context.clock.now(),
        )

    wish = ("createConnection", [name, adapter, settings])
    return await once(context, key, wish, lambda session: _refusing(make, session))


async def update(
    context: Context, connection_id: int, name: str | None, settings: Settings | None, key: str | None
) -> Answer:
    """Raises Missing, InvalidSettings, Taken, Invalid."""

    async def change(session: WriteSession) -> ConnectionView:
        return await connections.update(
            session,
            context.plugged_in,
            context.box,
            context.project_id,
            connection_id,
            name=name,
            settings=settings,
            now=context.clock.now(),
        )

    wish = ("updateConnection", [connection_id, name, settings])
    return await once(context, key, wish, lambda session: _refusing(change, session))


async def _refusing(
    work: Callable[[WriteSession], Awaitable[ConnectionView]], session: WriteSession
) -> Answer:
    try:
        return {"connection_id": (await work(session)).id}
    except BadSettings as error:
        raise InvalidSettings(error.message, error.problems) from error
    except NotFound as error:
        raise Missing("There is no such connection in this project.", ("input", "id")) from error
    except Conflict as error:
        raise Taken(error.message, ("input", "name")) from error
    except BadInput as error:
        raise Invalid(error.message) from error


__all__ = ["ConnectionView", "by_id", "create", "listed", "update"]
