"""A version is handed in at a relay, and its review is asked for.

What is wanted is written down before the relay is asked. Whoever asks again after no answer came looks there
first: nothing is registered twice.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from channels.alimtalk.desk import Attachment, DeskCan, Registered
from channels.alimtalk.template import Image, Template
from channels.reasons import Reason
from server.alimtalk.lifecycle import OPEN, UNDER_REVIEW, Act, refused
from server.alimtalk.likeness import Likeness, code_for, is_same, likeness
from server.clock import Instant
from server.store import alimtalk_images as images
from server.store import alimtalk_registrations as registrations
from server.store import alimtalk_templates as templates
from server.store import connected
from server.store.sessions import WriteSession
from server.store.tables import AlimtalkRegistration

from . import following
from .hearing import keep, standing_of, template_of
from .office import AtDesk, DeskRefused, Desks
from .pictured import digest_of
from .telling import Whose


@dataclass(frozen=True, slots=True)
class Version:
    """Which version is handed in."""

    project_id: int
    template_id: int
    key: str
    number: int


@dataclass(frozen=True, slots=True)
class Letter:
    """What is said to the reviewer."""

    comment: str = ""
    attachments: tuple[Attachment, ...] = ()


async def intend(
    session: WriteSession, version: Version, connection_id: int, can: DeskCan, now: Instant
) -> int | None:
    """Writes down that a review is about to be asked for; None while an answer is waited for.

    Returns the registration, which is new for a version that the relay does not have yet.
    """
    rows = (await registrations.of_templates(session, version.project_id, [version.template_id])).get(
        version.template_id, []
    )
    here = [row for row in rows if row.connection_id == connection_id]
    mine = next((row for row in here if row.number == version.number), None)
    await templates.submitted(session, version.template_id, version.number, now)
    if mine is not None:
        return mine.id if await registrations.intend(session, mine.id, Act.REQUEST, now) else None
    fresh = _fresh(version, connection_id, _code(version, here, can), now)
    fresh.intent, fresh.intent_at = Act.REQUEST, now
    return await registrations.add(session, fresh)


def _fresh(version: Any, connection_id: int, code: str, now: Instant) -> AlimtalkRegistration:
    return AlimtalkRegistration(
        project_id=version.project_id,
        template_id=version.template_id,
        number=version.number,
        connection_id=connection_id,
        code=code,
        inspection="draft",
        operation="ready",
        requested_at=now,
        created_at=now,
        changed_at=now,
    )


def _code(version: Version, here: Sequence[AlimtalkRegistration], can: DeskCan) -> str:
    """An earlier version's where the relay lets it be edited; else a new one, if that is for us to choose."""
    for row in here:
        standing = standing_of(row)
        # One that was replaced has a code that is a later version's by now.
        if (
            row.code
            and not row.is_replaced
            and not all(refused(act, standing, can) for act in (Act.EDIT, Act.REVISE))
        ):
            return row.code
    return "" if can.chooses_code else code_for(version.key, version.number, can.limits.code)


async def submit(desks: Desks, registration_id: int, project_id: int, letter: Letter) -> None:
    """Asks the relay. Raises DeskRefused: then all is as it was, or open until the next look at the relay."""
    async with desks.db.read() as session:
        row = (await registrations.by_ids(session, project_id, [registration_id]))[registration_id]
        others = await registrations.of_connection(session, row.connection_id)
    template = template_of(row.content)
    assert template is not None
    taken = {one.code for one in others if one.id != row.id}
    done: list[Registered] = []
    try:
        async with desks.at(row.connection_id) as at:
            at.before = _Turn(desks, row.id, row.intent_at).hold
            template = await with_images(desks, at, template)
            await _hand_in(at, row.code, template, taken, letter, done)
    except DeskRefused as error:
        async with desks.db.write() as session:
            # What the relay did before it said no, or said nothing, is done all the same.
            if done:
                await _keep(desks, session, row, done[-1], is_more_asked=error.is_open)
            elif not error.is_open:
                await take_back(session, row, desks)
        raise
    async with desks.db.write() as session:
        await _keep(desks, session, row, done[-1])


@dataclass(slots=True)
class _Turn:
    """What we are at, for as long as it takes: what is noted about it is renewed before each question."""

    desks: Desks
    registration_id: int
    since: Instant

    async def hold(self) -> None:
        now = self.desks.clock.now()
        async with self.desks.db.write() as session:
            is_ours = await registrations.renew(session, self.registration_id, self.since, now)
        if not is_ours:
            raise DeskRefused(Reason.OUTCOME_UNKNOWN, "", "it took so long that it is no longer waited for")
        self.since = now


async def _keep(
    desks: Desks, session: WriteSession, row: Any, told: Registered, *, is_more_asked: bool = False
) -> None:
    now = desks.clock.now()
    number = await _still_there(session, row, now)
    if number is None:
        return
    whose = Whose(row.project_id, row.connection_id, await connected.name_of(session, row.connection_id))
    await registrations.name_code(session, number, told.code)
    rows = await registrations.by_ids(session, row.project_id, [number])
    placed = [(rows[number], told)]
    await keep(session, whose, placed, now, as_of=now, is_answer=True, is_more_asked=is_more_asked)
    place = (row.connection_id, told.code, row.number)
    await registrations.replace_older(session, *place, now, inspections=OPEN)


async def _still_there(session: WriteSession, row: Any, now: Instant) -> int | None:
    """The registration that was asked for. One that was let go meanwhile is back: the relay has it."""
    rows = await registrations.of_templates(session, row.project_id, [row.template_id])
    there = [one for one in rows.get(row.template_id, []) if one.connection_id == row.connection_id]
    if mine := next((one for one in there if one.number == row.number), None):
        return int(mine.id)
    if await connected.project_of(session, row.connection_id) is None:
        return None
    await templates.submitted(session, row.template_id, row.number, now)
    return await registrations.add(session, _fresh(row, row.connection_id, row.code, now))


async def take_back(session: WriteSession, row: Any, desks: Desks) -> None:
    """The relay said no: a registration that it never had is none."""
    if row.told_at == 0:
        await following.forget(session, row)
    else:
        await registrations.give_up(session, row.id, desks.clock.now())


async def _hand_in(
    at: AtDesk,
    code: str,
    template: Template,
    taken: Collection[str],
    letter: Letter,
    done: list[Registered],
) -> None:
    """What the relay answers goes into `done`, answer by answer: a later question may fail."""
    found = await _there(at, code, template, taken)
    if found is None:
        done.append(await at.ask(at.desk.create(code, template)))
    elif _is_done(at, found, template):
        done.append(found)
    elif found.inspection in UNDER_REVIEW:
        text = "the relay reviews another version under this code: cancel that first, or wait"
        raise DeskRefused(Reason.REQUEST_INVALID, "", text)
    else:
        done.append(await at.ask(at.desk.update(found.code, template)))
    if done[-1].inspection in OPEN:
        asked = at.desk.request_review(done[-1].code, letter.comment, letter.attachments)
        done.append(await at.ask(asked))


async def _there(at: AtDesk, code: str, template: Template, taken: Collection[str]) -> Registered | None:
    """What the relay has of it already: by its code, or where that is not known by what it says."""
    if code:
        return await at.ask(at.desk.template(code))
    if not at.can.chooses_code:
        return None
    for one in await at.ask(at.desk.templates()):
        if one.code in taken:
            continue
        if one.template is None or one.template.name != template.name:
            continue
        if is_same(one.template, template) and (one.inspection in OPEN or _is_done(at, one, template)):
            return one
    return None


def _is_done(at: AtDesk, found: Registered, template: Template) -> bool:
    """Whether the relay has this very version. If unsure it has not, unless it could not be changed now."""
    if found.template is None:
        return False
    least = Likeness.UNTOLD if found.inspection in UNDER_REVIEW else Likeness.SAME
    return likeness(found.template, template, at.can.more.get("not_told", ())) >= least


async def with_images(desks: Desks, at: AtDesk, template: Template) -> Template:
    """The template with its pictures as this relay keeps them; what it does not keep yet is uploaded."""
    if template.image is not None:
        template = replace(template, image=await _at_relay(desks, at, "image", template.image))
    highlight = template.highlight
    if highlight is not None and highlight.image is not None:
        picture = await _at_relay(desks, at, "thumbnail", highlight.image)
        template = replace(template, highlight=replace(highlight, image=picture))
    return template


async def _at_relay(desks: Desks, at: AtDesk, kind: str, image: Image) -> Image:
    """One that is not ours is one that the relay has given."""
    project_id, connection_id = at.connection.project_id, at.connection.id
    digest = digest_of(image)
    async with desks.db.read() as session:
        kept = (await images.by_digests(session, project_id, kind, [digest], content=True)).get(digest)
        if kept is None:
            return image
        place = (await images.places(session, connection_id, [kept.id])).get(kept.id)
    if place is not None:
        return replace(image, name=place.name, url=place.url)
    picture = Attachment(kept.name, kept.media_type, kept.content)
    told = await at.ask(at.desk.upload_image(kind, picture))
    async with desks.db.write() as session:
        where = (project_id, kept.id)
        await images.place(session, where, connection_id, told.name, told.url, desks.clock.now())
    return replace(image, name=told.name, url=told.url)
