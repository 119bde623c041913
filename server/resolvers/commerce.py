"""What is known of users' orders, lives and coupons; and by which events a project tells of commerce."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from server.clock import Instant
from server.commerce.amounts import read_currency
from server.commerce.names import MOST_NAMES, Kind, Words, read_words
from server.context import Context
from server.ingest.messages import MAX_NAME_CHARS
from server.store import commerce, projects
from server.store.paging import Page, Slice
from server.store.sessions import WriteSession
from server.store.users import UserKey

from .once import Answer, once
from .refusals import Invalid
from .users import person


class KnownLife(NamedTuple):
    """A life with what was spent in it; none of either where nothing was heard."""

    life: Any | None
    spending: Sequence[Any]
    now: Instant
    zone: str


async def life(context: Context, key: UserKey) -> KnownLife:
    """Of the person whom this user turned out to be; itself, mostly."""
    whose = await _person(context, key)
    found = await context.loaders.life_by_user.load(whose)
    spending = await context.loaders.spending_by_user.load(whose) or []
    project = await context.loaders.project_by_id.load(context.project_id)
    return KnownLife(found, spending, context.clock.now(), project.time_zone)


async def coupons(context: Context, key: UserKey) -> Sequence[Any]:
    return await context.loaders.coupons_by_user.load(await _person(context, key)) or []


async def orders(context: Context, key: UserKey, page: Page) -> Slice:
    whose = await _person(context, key)
    async with context.db.read() as session:
        return await commerce.orders_page(session, context.project_id, whose, page)


async def _person(context: Context, key: UserKey) -> UserKey:
    found = await person(context, key)
    return key if found is None else (found.shard, found.number)


# How a project tells of commerce


async def words(context: Context) -> tuple[Words, Mapping[str, Sequence[str]]]:
    """All that counts, and the project's own names by kind."""
    async with context.db.read() as session:
        settings = (await projects.by_id(session, context.project_id)).commerce
    return read_words(settings), orjson.loads(settings or "{}").get("events", {})


async def change(
    context: Context, currency: str, events: Mapping[Kind, Sequence[str]], key: str | None
) -> Answer:
    """From now on events tell of commerce by these names, too. Raises Invalid, IdempotencyConflict."""
    if currency and not read_currency(currency):
        raise Invalid("A currency of three letters, like KRW, was wanted.", ("input", "currency"))
    named = {kind.value: _checked(kind, names) for kind, names in events.items() if names}
    settings = orjson.dumps({"currency": read_currency(currency), "events": named}).decode()

    async def work(session: WriteSession) -> Answer:
        await projects.set_commerce(session, context.project_id, settings)
        return {}

    return await once(context, key, ("setCommerce", settings), work)


def _checked(kind: Kind, names: Sequence[str]) -> list[str]:
    stripped = [name.strip() for name in names]
    if len(stripped) > MOST_NAMES or not all(0 < len(name) <= MAX_NAME_CHARS for name in stripped):
        message = f"At most {MOST_NAMES} names of 1 to {MAX_NAME_CHARS} characters were wanted."
        raise Invalid(message, ("input", _spelled(kind)))
    return stripped


def _spelled(kind: Kind) -> str:
    first, *rest = kind.value.split("_")
    return first + "".join(part.capitalize() for part in rest)
