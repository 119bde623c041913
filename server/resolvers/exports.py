"""Exports: asked for, looked at, taken back. `server.exports` writes them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import orjson

from server.context import Context
from server.errors import BadInput, NotFound
from server.exports.downloads import PURPOSE, Downloads
from server.exports.formats import Format
from server.exports.kinds import KINDS
from server.exports.sheets import Arguments, Asked, Language
from server.signing import Signer
from server.store import exports
from server.store.paging import Page, Slice
from server.store.sessions import WriteSession
from server.store.tables import Export

from .once import Answer, once
from .refusals import Invalid, Missing

MOST_UNFINISHED = 100
"""Of one project. Whoever asks for more has not seen that the last ones are not ready."""
LOOK_SECONDS = 0.5


class Wish(NamedTuple):
    """What somebody wants to have as a file."""

    kind: str
    arguments: Arguments
    format: Format
    language: Language
    marked: bool = False


async def by_id(context: Context, export_id: int) -> Export | None:
    async with context.db.read() as session:
        return (await exports.by_ids(session, context.project_id, [export_id])).get(export_id)


async def by_ids(context: Context, ids: list[int]) -> dict[int, Export]:
    async with context.db.read() as session:
        return await exports.by_ids(session, context.project_id, ids)


async def page(context: Context, page: Page) -> Slice:
    async with context.db.read() as session:
        return await exports.page(session, context.project_id, page)


async def start(context: Context, wish: Wish, key: str | None) -> Answer:
    """Raises Missing and Invalid for arguments that fit nothing, and Invalid while too many wait."""
    await _try_out(context, wish)

    async def work(session: WriteSession) -> Answer:
        waiting = await exports.count_unfinished(session, context.project_id)
        if waiting >= MOST_UNFINISHED:
            raise Invalid(
                f"{waiting} exports are not finished yet. Wait for them, or cancel some.", ("input",)
            )
        return {"export_id": await exports.create(session, _record(context, wish))}

    asked = [wish.kind, in_order(wish.arguments.model_dump()), *wish[2:]]
    answer = await once(context, key, ("startExport", asked), work)
    context.wake()
    return answer


async def cancel(context: Context, export_id: int, key: str | None) -> Answer:
    """Raises Missing; Invalid for one that is over."""

    async def work(session: WriteSession) -> Answer:
        if not await exports.cancel(session, context.project_id, export_id, context.clock.now()):
            if not await exports.by_ids(session, context.project_id, [export_id]):
                raise _missing()
            raise Invalid("This export is over already.", ("input", "id"))
        return {"export_id": export_id}

    return await once(context, key, ("cancelExport", [export_id]), work)


async def remove(context: Context, export_id: int, key: str | None) -> Answer:
    """Raises Missing."""

    async def work(session: WriteSession) -> Answer:
        if not await exports.remove(session, context.project_id, export_id):
            raise _missing()
        return {"export_id": export_id}

    return await once(context, key, ("deleteExport", [export_id]), work)


async def watch(context: Context, export_id: int) -> AsyncIterator[Export]:
    """The export as it is, and again whenever it has come further, until it is over."""
    seen: Export | None = None
    while (found := await by_id(context, export_id)) is not None:
        if seen is None or _progress(found) != _progress(seen):
            yield found
        if found.state not in exports.UNFINISHED:
            return
        seen = found
        await asyncio.sleep(LOOK_SECONDS)


def download_url(context: Context, export: Export) -> str | None:
    """A fresh link; none while there is no file, and once there is none any more."""
    now = context.clock.now()
    if export.state != exports.READY or export.expires_at is None or export.expires_at <= now:
        return None
    assert export.id is not None
    downloads = Downloads(Signer(context.settings.secrets, PURPOSE), context.settings.public_url)
    return downloads.url(export.id, export.expires_at, now)


def _progress(export: Export) -> tuple[object, ...]:
    return export.state, export.rows, export.size, export.expected


async def _try_out(context: Context, wish: Wish) -> None:
    """Opens the sheet and reads nothing of it: what cannot be exported is refused here and now."""
    zone = (await context.loaders.project_by_id.load(context.project_id)).time_zone
    about = (context.db, context.project_id, context.shards, zone, wish.language, context.clock.now())
    path = ("input", "what")
    try:
        await KINDS[wish.kind].open(Asked(*about), wish.arguments)
    except NotFound as error:
        raise Missing(error.message, path) from error
    except BadInput as error:
        raise Invalid(error.message, path) from error


def _record(context: Context, wish: Wish) -> Export:
    now = context.clock.now()
    return Export(
        project_id=context.project_id,
        kind=wish.kind,
        arguments=orjson.dumps(wish.arguments.model_dump(mode="json")).decode(),
        format=wish.format.value,
        language=wish.language.value,
        marked=wish.marked,
        of_people=KINDS[wish.kind].of_people,
        state=exports.QUEUED,
        asked_by=context.access.hint,
        created_at=now,
        turn_at=now,
    )


def in_order(said: Any) -> Any:
    """The same for the same wish: what is a set has no order of its own, and another one in each process."""
    if isinstance(said, dict):
        return {key: in_order(value) for key, value in said.items()}
    if isinstance(said, set | frozenset):
        return sorted(map(in_order, said), key=str)
    return [in_order(one) for one in said] if isinstance(said, list | tuple) else said


def _missing() -> Missing:
    return Missing("There is no such export in this project.", ("input", "id"))
