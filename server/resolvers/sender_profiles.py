"""Sender profiles: listed, registered, told the name of their shop; and the look at their relay."""

import secrets
from typing import Any

from channels.alimtalk.desk import Category, Does
from server.alimtalk import dormancy
from server.clock import Instant
from server.context import Context
from server.desks import following, holding, profiles
from server.desks.office import DeskRefused, desk_of
from server.desks.profiles import Administrator
from server.errors import NotFound, ServerError
from server.store import adapters, connections, sender_profiles
from server.store.sessions import WriteSession

from . import connections as connection_views
from .alimtalk_reviews import desks_of
from .once import Answer, once, repeatable
from .refusals import DeskSaysNo, Invalid, Missing, NotAsItStands

LONGEST_COMPANY = 50
_GONE = "There is no such connection in this project."


async def listed(context: Context) -> list[Any]:
    """By connection."""
    async with context.db.read() as session:
        return await sender_profiles.of_project(session, context.project_id)


async def by_id(context: Context, profile_id: int) -> Any | None:
    async with context.db.read() as session:
        return (await sender_profiles.by_ids(session, context.project_id, [profile_id])).get(profile_id)


async def by_connection(context: Context, connection_id: int) -> Any | None:
    found = await listed(context)
    return next((one for one in found if one.connection_id == connection_id), None)


async def ask_token(context: Context, connection_id: int, who: Administrator, key: str | None) -> Answer:
    """Has the relay send a token to the administrator. Raises Missing, Invalid, DeskSaysNo."""
    await _desk(context, connection_id)

    async def work() -> Answer:
        await _asked(profiles.ask_token(desks_of(context), connection_id, who))
        return {"connection_id": connection_id}

    wish = [connection_id, who.search_id, who.phone, who.category]
    return await repeatable(context, key, ("requestProfileToken", wish), work)


async def register(
    context: Context, connection_id: int, who: Administrator, token: str, key: str | None
) -> Answer:
    """Registers it, and writes its key into the connection. Raises as `ask_token` does, and NotAsItStands."""
    view = await _desk(context, connection_id)
    setting = adapters.profile_setting(context.plugged_in.channels[view.adapter])

    async def work() -> Answer:
        if view.settings.get(setting):
            message = (
                f"“{view.name}” has a sender profile already; another one wants a connection of its own."
            )
            raise NotAsItStands(message, ("input", "connectionId"), [])
        await _asked(profiles.register(desks_of(context), connection_id, who, token))
        return {"connection_id": connection_id}

    wish = [connection_id, who.search_id, who.phone, who.category, token]
    answer = await repeatable(context, key, ("registerSenderProfile", wish), work)
    context.forget()
    return answer


async def set_company(context: Context, profile_id: int, company: str, key: str | None) -> Answer:
    """Says how the shop is called. Raises Missing, Invalid."""
    company = company.strip()
    if len(company) > LONGEST_COMPANY or not company.isprintable():
        raise Invalid(f"A name has at most {LONGEST_COMPANY} visible characters.", ("input", "company"))

    async def work(session: WriteSession) -> Answer:
        found = await sender_profiles.by_ids(session, context.project_id, [profile_id])
        if profile_id not in found:
            raise Missing("There is no such sender profile in this project.", ("input", "id"))
        connection_id = found[profile_id].connection_id
        whose = (context.project_id, connection_id)
        await sender_profiles.put(session, *whose, {"company": company}, context.clock.now())
        return {"connection_id": connection_id}

    return await once(context, key, ("setSenderProfile", [profile_id, company]), work)


async def sync(context: Context, connection_id: int, key: str | None) -> Answer:
    """Looks at a relay now, at all of it. Raises Missing, Invalid, NotAsItStands, DeskSaysNo."""
    await _desk(context, connection_id)

    async def work() -> Answer:
        done = await _looked(context, connection_id)
        if done is None:
            message = "The connection has no sender profile yet: register one first."
            raise Invalid(message, ("input", "connectionId"))
        about = {"changed": done.changed, "adopted": done.adopted, "is_complete": done.is_complete}
        return {"connection_id": connection_id, **about}

    answer = await repeatable(context, key, ("syncAlimtalk", connection_id), work)
    context.forget()
    return answer


async def _looked(context: Context, connection_id: int) -> following.Followed | None:
    """Raises NotAsItStands while somebody else looks at this relay."""
    holder, db = f"sync-{secrets.token_hex(4)}", context.db
    taken = await holding.take(db, [connection_id], holder)
    if not taken:
        message = "Somebody looks at this relay just now: ask again in a minute."
        raise NotAsItStands(message, ("input", "connectionId"), [])
    async with holding.renewed(db, taken, holder):
        found: following.Followed | None = await _asked(
            following.follow(desks_of(context), connection_id, all=True)
        )
    return found


async def categories(context: Context, connection_id: int, *, of_templates: bool) -> list[Category]:
    """As the relay knows them; empty where it has none. Raises ServerError."""
    view = await connection_views.by_id(context, connection_id)
    if view is None:
        raise NotFound(_GONE)
    if Does.CATEGORIES not in desk_of(context.plugged_in.channels.get(view.adapter)).does:
        return []
    async with desks_of(context).at(connection_id) as at:
        asked = at.desk.template_categories() if of_templates else at.desk.profile_categories()
        return await at.ask(asked)


def sleeps_at(profile: Any) -> Instant | None:
    """When it falls asleep unless something is sent; None while that is not known, or once it is asleep."""
    if profile.is_dormant:
        return None
    about = {"registered_at": profile.registered_at, "last_sent_at": profile.last_sent_at}
    return dormancy.profile_sleeps_at(**about)


async def _desk(context: Context, connection_id: int) -> connections.ConnectionView:
    view = await connection_views.by_id(context, connection_id)
    if view is None:
        raise Missing(_GONE, ("input", "connectionId"))
    try:
        desk_of(context.plugged_in.channels.get(view.adapter))
    except ServerError as error:
        raise Invalid(error.message, ("input", "connectionId")) from error
    return view


async def _asked(question: Any) -> Any:
    try:
        return await question
    except DeskRefused as error:
        raise DeskSaysNo(
            error.message,
            ("input", *([error.path] if error.path else [])),
            reason=error.reason.value,
            relay_code=error.relay_code,
            text=error.text,
            is_open=error.is_open,
        ) from error
    except ServerError as error:
        raise Invalid(error.message, ("input", "connectionId")) from error
