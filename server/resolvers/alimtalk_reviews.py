"""Reviews of templates: asked for, talked about, taken back; and what is done with a template at its relay.

What is wanted is written down with the idempotency key, then the relay is asked. Whoever repeats a request
that was cut off is told that the answer is open: the next look at the relay settles it.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from channels.alimtalk.desk import DeskCan, Does, Inspection
from server.alimtalk.lifecycle import OF_THE_CODE, Act, allowed, refused
from server.context import Context
from server.desks import acting, submitting
from server.desks.hearing import standing_of
from server.desks.office import DeskRefused, Desks, desk_of
from server.desks.submitting import Letter, Version
from server.errors import NotFound, ServerError
from server.store import adapters, connections, idempotency
from server.store import alimtalk_registrations as registrations
from server.store import alimtalk_templates as templates
from server.store.sessions import ReadSession, WriteSession

from . import alimtalk, alimtalk_checks
from .once import Answer, once
from .refusals import DeskSaysNo, Invalid, Missing, NotAsItStands

BUSY = "The relay was asked something about it and has not answered yet; wait for the next look at it."
SHARED = (
    "Another version is at the relay under the same code, and this would be done to that one, too: wait "
    "until one has taken the other's place, or do it at the relay's own console."
)
OPEN = {
    "message": "The request was cut off while the relay was asked; the next look at the relay settles it.",
    "reason": "outcome_unknown",
    "relay_code": "",
    "text": "",
    "is_open": True,
}


@dataclass(frozen=True, slots=True)
class Review:
    """A review that is asked for."""

    template_id: int
    letter: Letter
    connection_ids: tuple[int, ...] = ()
    """At all relays of the project if none is named."""


def desks_of(context: Context) -> Desks:
    return Desks(context.db, context.clock, context.plugged_in, context.box, context.tools)


async def by_id(context: Context, registration_id: int) -> Any | None:
    async with context.db.read() as session:
        found = await registrations.by_ids(session, context.project_id, [registration_id])
    return found.get(registration_id)


async def request(context: Context, wanted: Review, key: str | None) -> Answer:
    """Hands the latest version in, at each of these relays. Returns which relays refused, and why.

    Raises Missing, Unfit, Undeclared, NotAsItStands, Invalid; DeskSaysNo where every relay refused.
    """
    begun: dict[int, int] = {}

    async def take(session: WriteSession) -> Answer:
        begun.clear()
        begun.update(await _intend(session, context, wanted))
        return _told(wanted, dict.fromkeys(begun, OPEN))

    wish = ("requestAlimtalkReview", _wish(wanted))
    answer = await once(context, key, wish, take)
    if begun:
        asked = (_submit(context, number, wanted.letter) for number in begun.values())
        refusals = dict(zip(begun, await asyncio.gather(*asked), strict=True))
        answer = _told(wanted, {one: why for one, why in refusals.items() if why is not None}, len(begun))
        await _keep(context, key, answer, is_done=_is_done(answer["refusals"], len(begun)))
    if answer["refusals"] and len(answer["refusals"]) == answer["asked"]:
        raise _says_no(answer["refusals"][0], ("input", "id"))
    return answer


async def _intend(session: WriteSession, context: Context, wanted: Review) -> dict[int, int]:
    """By connection: the registration for which the relay is going to be asked."""
    found = (await templates.by_ids(session, context.project_id, [wanted.template_id])).get(
        wanted.template_id
    )
    if found is None:
        raise Missing(alimtalk.GONE, ("input", "id"))
    if found.archived_at is not None:
        raise Invalid("The template was put away: take it out again first.", ("input", "id"))
    # Held until the end: nobody saves the version meanwhile that is handed in.
    found = await templates.locked(session, context.project_id, found.key) or found
    versions = await templates.versions(session, context.project_id, [found.id])
    rows = (await registrations.of_templates(session, context.project_id, [found.id])).get(found.id, [])
    version = Version(context.project_id, found.id, found.key, found.latest)
    _check_journeys_go_on(versions[found.id], rows)
    begun = {}
    for connection_id, can in (await _relays(session, context, wanted.connection_ids)).items():
        where = (found.key, connection_id)
        await alimtalk_checks.check(session, context.project_id, versions[found.id][0], where, can)
        _check_letter(wanted.letter, can)
        here = [row for row in rows if row.connection_id == connection_id and row.number == found.latest]
        if here:
            _refuse(Act.REQUEST, here[0], can)
        elif Does.DRAFT not in can.does and (wanted.letter.comment or wanted.letter.attachments):
            message = "This relay takes comments only once somebody reviews it: hand it in without, and then "
            message += "say it by `commentOnAlimtalk`."
            raise Invalid(message, ("input", "comment"))
        number = await submitting.intend(session, version, connection_id, can, context.clock.now())
        if number is None:
            raise NotAsItStands(BUSY, ("input", "id"), [])
        begun[connection_id] = number
    return begun


def _check_journeys_go_on(versions: Sequence[Any], rows: Sequence[Any]) -> None:
    """Raises Invalid."""
    approved = {row.number for row in rows if row.inspection == Inspection.APPROVED.value}
    latest, *earlier = versions
    former = next((one for one in earlier if one.number in approved), None)
    if former is not None:
        alimtalk_checks.check_bound(latest, former)


async def _relays(session: ReadSession, context: Context, ids: Sequence[int]) -> dict[int, DeskCan]:
    """The desks of these connections, or of all that have one. Raises Missing, Invalid."""
    views = await connections.listed(session, context.plugged_in, context.box, context.project_id)
    known = {one.id: one for one in views}
    for place, one in enumerate(ids):
        if one not in known:
            where = ("input", "connectionIds", str(place))
            raise Missing("There is no such connection in this project.", where)
    found: dict[int, DeskCan] = {}
    for one in ids or sorted(known):
        adapter = context.plugged_in.channels.get(known[one].adapter)
        setting = adapters.profile_setting(adapter) if adapter is not None else ""
        ready = bool(known[one].settings.get(setting)) if setting else True
        try:
            can = desk_of(adapter)
        except ServerError as error:
            if ids:
                raise Invalid(error.message, ("input", "connectionIds")) from error
            continue
        if ready:
            found[one] = can
        elif ids:
            message = f"“{known[one].name}” has no sender profile yet: register one first."
            raise Invalid(message, ("input", "connectionIds"))
    if not found:
        message = "No relay of the project takes templates: connect one, and register a sender profile."
        raise Invalid(message, ("input", "connectionIds"))
    return found


async def _submit(context: Context, registration_id: int, letter: Letter) -> dict[str, Any] | None:
    """Why the relay refused; None if it did not."""
    try:
        await submitting.submit(desks_of(context), registration_id, context.project_id, letter)
    except DeskRefused as error:
        return _why(error)
    except ServerError as error:
        # The connection cannot be opened: nobody was asked.
        async with context.db.write() as session:
            found = await registrations.by_ids(session, context.project_id, [registration_id])
            if registration_id in found:
                await submitting.take_back(session, found[registration_id], desks_of(context))
        return {"message": error.message, "reason": "unknown", "relay_code": "", "text": "", "is_open": False}
    return None


async def act(context: Context, registration_id: int, act: Act, letter: Letter, key: str | None) -> Answer:
    """Asks a relay about a template that it has. Raises Missing, NotAsItStands, Invalid, DeskSaysNo."""
    begun: list[Any] = []

    async def take(session: WriteSession) -> Answer:
        begun[:] = [await _begin(session, context, registration_id, act, letter)]
        return {"registration_id": registration_id, "template_id": begun[0].template_id, "refusal": OPEN}

    wish = (f"{act.value}Alimtalk", [registration_id, *_letter(letter)])
    answer = await once(context, key, wish, take)
    if begun:
        answer = {**answer, "refusal": await _acted(context, begun[0], act, letter)}
        refusals = [answer["refusal"]] if answer["refusal"] is not None else []
        await _keep(context, key, answer, is_done=_is_done(refusals, 1))
    if answer["refusal"] is not None:
        raise _says_no(answer["refusal"], ("input", "id"))
    return answer


async def _begin(
    session: WriteSession, context: Context, registration_id: int, act: Act, letter: Letter
) -> Any:
    found = await registrations.by_ids(session, context.project_id, [registration_id])
    row = found.get(registration_id)
    if row is None:
        raise Missing("There is no such registration in this project.", ("input", "id"))
    views = await connections.listed(session, context.plugged_in, context.box, context.project_id)
    view = next((one for one in views if one.id == row.connection_id), None)
    try:
        can = desk_of(context.plugged_in.channels.get(view.adapter) if view else None)
    except ServerError as error:
        raise Invalid(error.message, ("input", "id")) from error
    _refuse(act, row, can)
    if act in OF_THE_CODE and await registrations.share_code(session, row):
        others = [one.value for one in allowed(standing_of(row), can) if one not in OF_THE_CODE]
        raise NotAsItStands(SHARED, ("input", "id"), others)
    _check_letter(letter, can)
    if act is Act.COMMENT and not (letter.comment or letter.attachments):
        raise Invalid("Say something, or attach something.", ("input", "comment"))
    if not await registrations.intend(session, row.id, act, context.clock.now()):
        raise NotAsItStands(BUSY, ("input", "id"), [])
    return row


async def _acted(context: Context, row: Any, act: Act, letter: Letter) -> dict[str, Any] | None:
    try:
        await acting.act(desks_of(context), row, act, letter)
    except DeskRefused as error:
        return _why(error)
    except ServerError as error:
        async with context.db.write() as session:
            await registrations.give_up(session, row.id, context.clock.now())
        return {"message": error.message, "reason": "unknown", "relay_code": "", "text": "", "is_open": False}
    return None


def _refuse(act: Act, row: Any, can: DeskCan) -> None:
    standing = standing_of(row)
    if row.is_replaced:
        raise NotAsItStands("A later version has taken its place at the relay.", ("input", "id"), [])
    if why := refused(act, standing, can):
        raise NotAsItStands(why.message, ("input", "id"), [one.value for one in allowed(standing, can)])


def _check_letter(letter: Letter, can: DeskCan) -> None:
    limits, path = can.limits, ("input", "attachments")
    if len(letter.comment) > alimtalk_checks.LONGEST_COMMENT:
        message = f"A comment has at most {alimtalk_checks.LONGEST_COMMENT:,} characters."
        raise Invalid(message, ("input", "comment"))
    if letter.attachments and Does.ATTACH not in can.does:
        raise Invalid("This relay takes no files here: attach them at its own console.", path)
    if len(letter.attachments) > limits.attachments:
        raise Invalid(f"The relay takes at most {limits.attachments} files.", path)
    sizes = [len(one.content) for one in letter.attachments]
    if any(size > limits.attachment_bytes for size in sizes) or sum(sizes) > limits.attachments_bytes:
        each, all = limits.attachment_bytes >> 20, limits.attachments_bytes >> 20
        raise Invalid(f"The relay takes {each} MiB a file, and {all} MiB together.", path)
    types: Collection[str] | None = can.more.get("attachment_types")
    for place, one in enumerate(letter.attachments):
        ending = one.name.rpartition(".")[2].lower()
        if types is not None and ending not in types:
            message = f"The relay takes files of these kinds: {', '.join(types)}."
            raise Invalid(message, (*path, str(place), "name"))


def _is_done(refusals: Sequence[dict[str, Any]], asked: int) -> bool:
    """Whether anything was done, or may have been."""
    return len(refusals) < asked or any(one["is_open"] for one in refusals)


async def _keep(context: Context, key: str | None, answer: Answer, *, is_done: bool) -> None:
    """As everywhere, a refusal leaves the key free."""
    if key is None:
        return
    async with context.db.write() as session:
        if is_done:
            await idempotency.keep(session, context.project_id, key, orjson.dumps(answer).decode())
        else:
            await idempotency.free(session, context.project_id, key)


def _told(wanted: Review, refusals: dict[int, dict[str, Any]], asked: int | None = None) -> Answer:
    return {
        "template_id": wanted.template_id,
        "asked": len(refusals) if asked is None else asked,
        "refusals": [{"connection_id": one, **why} for one, why in refusals.items()],
    }


def _wish(wanted: Review) -> list[Any]:
    return [wanted.template_id, list(wanted.connection_ids), *_letter(wanted.letter)]


def _letter(letter: Letter) -> list[Any]:
    return [letter.comment, [[one.name, one.media_type, one.content.hex()] for one in letter.attachments]]


def _why(error: DeskRefused) -> dict[str, Any]:
    return {
        "message": error.message,
        "reason": error.reason.value,
        "relay_code": error.relay_code,
        "text": error.text,
        "is_open": error.is_open,
    }


def _says_no(why: dict[str, Any], path: tuple[str, ...]) -> DeskSaysNo:
    about = {name: why[name] for name in ("reason", "relay_code", "text", "is_open")}
    return DeskSaysNo(why["message"], path, **about)


__all__ = ["Act", "Letter", "NotFound", "Review", "act", "by_id", "desks_of", "request"]
