"""Connections: what is connected, with which settings and how it fares. Secrets go in and never come out."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from server.context import Context
from server.errors import BadInput, Conflict, NotFound
from server.store import connected, connections
from server.store.adapters import BadSettings
from server.store.connections import ConnectionView
from server.store.handling import BadHandling, Handling
from server.store.sessions import ReadSession, WriteSession
from server.store.tables import ConnectionHealth

from .once import Answer, once
from .refusals import InUse, Invalid, InvalidSettings, Missing, Taken

Settings = Mapping[str, Any]
AS_IT_IS = Handling()


async def listed(context: Context) -> list[ConnectionView]:
    """All of the project, in the order in which they were made."""
    return await context.connection_views.load(context.project_id)


async def by_id(context: Context, connection_id: int | None) -> ConnectionView | None:
    return next((one for one in await listed(context) if one.id == connection_id), None)


async def health(context: Context, connection_id: int) -> ConnectionHealth | None:
    return await context.loaders.health_by_connection.load(connection_id)


async def backlog(context: Context, connection_id: int) -> int:
    return await context.loaders.backlog_by_connection.load(connection_id) or 0


async def create(
    context: Context,
    name: str,
    adapter: str,
    settings: Settings,
    key: str | None,
    handling: Handling = AS_IT_IS,
) -> Answer:
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
            handling=handling,
        )

    wish = ("createConnection", [name, adapter, settings, *_told(handling)])
    return await once(context, key, wish, lambda session: _refusing(make, session))


async def update(
    context: Context,
    connection_id: int,
    name: str | None,
    settings: Settings | None,
    key: str | None,
    handling: Handling = AS_IT_IS,
) -> Answer:
    """Raises Missing, InvalidSettings, Taken, Invalid; InUse for another name while journeys use this one."""

    async def change(session: WriteSession) -> ConnectionView:
        if name is not None:
            await _refuse_rename(session, context, connection_id, name)
        return await connections.update(
            session,
            context.plugged_in,
            context.box,
            context.project_id,
            connection_id,
            name=name,
            settings=settings,
            now=context.clock.now(),
            handling=handling,
        )

    wish = ("updateConnection", [connection_id, name, settings, *_told(handling)])
    return await once(context, key, wish, lambda session: _refusing(change, session))


async def remove(context: Context, connection_id: int, key: str | None) -> Answer:
    """Raises Missing; InUse while a journey or a message needs it."""

    async def work(session: WriteSession) -> Answer:
        view = await _view(session, context, connection_id)
        use = await _use(session, context, view)
        if use.journeys or use.messages:
            why = _named_by(use)
            if use.messages:
                why.append(f"{use.messages} message(s) wait to be sent through it")
            message = f"The connection is needed: {'; '.join(why)}. Disable it, or wait until it is not."
            raise InUse(message, ("input", "id"), use.journeys, use.messages)
        await connections.remove(session, context.project_id, connection_id)
        return {"connection_id": connection_id}

    answer = await once(context, key, ("deleteConnection", [connection_id]), work)
    context.forget()
    return answer


async def reorder(
    context: Context, is_of_channel: Callable[[str], bool], ids: Sequence[int], key: str | None
) -> None:
    """Raises Missing for one that is not there, Invalid unless all of the channel are named once."""

    async def work(session: WriteSession) -> Answer:
        views = await connections.listed(session, context.plugged_in, context.box, context.project_id)
        here = {one.id: one.channel for one in views if is_of_channel(one.channel)}
        for place, connection_id in enumerate(ids):
            if connection_id not in here:
                message = "There is no such connection of this channel in this project."
                raise Missing(message, ("input", "ids", str(place)))
        if len(ids) != len(here):
            message = f"The order has to name each of the channel's {len(here)} connections once."
            raise Invalid(message, ("input", "ids"))
        for channel in sorted(set(here.values())):
            await _reorder(session, context, channel, [one for one in ids if here[one] == channel])
        return {}

    await once(context, key, ("reorderConnections", list(ids)), work)
    context.forget()


async def _reorder(session: WriteSession, context: Context, channel: str, ids: list[int]) -> None:
    try:
        await connections.reorder(session, context.project_id, channel, ids)
    except BadInput as error:
        raise Invalid(error.message, ("input", "ids")) from error


async def _refuse_rename(session: ReadSession, context: Context, connection_id: int, name: str) -> None:
    """Published steps name a connection by its name, and never change."""
    view = await _view(session, context, connection_id)
    if name.strip() == view.name:
        return
    use = await _use(session, context, view)
    if use.journeys:
        message = f"Another name would break what is running: {'; '.join(_named_by(use))}."
        raise InUse(message, ("input", "name"), use.journeys, use.messages)


async def _view(session: ReadSession, context: Context, connection_id: int) -> ConnectionView:
    try:
        return await connections.get(
            session, context.plugged_in, context.box, context.project_id, connection_id
        )
    except NotFound as error:
        raise Missing("There is no such connection in this project.", ("input", "id")) from error


async def _use(session: ReadSession, context: Context, view: ConnectionView) -> connected.Use:
    return await connected.use(session, context.project_id, context.shards, view.id, view.name)


def _named_by(use: connected.Use) -> list[str]:
    return [f"the journey “{title}” sends through it" for _, title in use.journeys]


def _told(handling: Handling) -> list[Any]:
    return [
        handling.preference,
        handling.is_enabled,
        handling.concurrency,
        handling.rate_per_second,
        sorted(handling.default),
    ]


_FIELDS = {"rate_per_second": "ratePerSecond"}


async def _refusing(
    work: Callable[[WriteSession], Awaitable[ConnectionView]], session: WriteSession
) -> Answer:
    try:
        return {"connection_id": (await work(session)).id}
    except BadSettings as error:
        raise InvalidSettings(error.message, error.problems) from error
    except BadHandling as error:
        raise Invalid(error.message, ("input", _FIELDS.get(error.field, error.field))) from error
    except NotFound as error:
        raise Missing("There is no such connection in this project.", ("input", "id")) from error
    except Conflict as error:
        raise Taken(error.message, ("input", "name")) from error
    except BadInput as error:
        raise Invalid(error.message) from error


__all__ = [
    "AS_IT_IS",
    "ConnectionView",
    "Handling",
    "backlog",
    "by_id",
    "create",
    "health",
    "listed",
    "remove",
    "reorder",
    "update",
]
