"""Templates that a relay has and we do not become the project's, under their code."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from channels.alimtalk.desk import Inspection, Registered
from channels.alimtalk.reading import to_data
from server.alimtalk.likeness import is_same, key_for
from server.clock import Instant
from server.store import alimtalk_registrations as registrations
from server.store import alimtalk_templates as templates
from server.store import setup
from server.store.alimtalk_templates import Fresh, Text
from server.store.sessions import WriteSession
from server.store.tables import AlimtalkRegistration

from .hearing import keep, template_of
from .telling import Whose

MOST_TEMPLATES = 2000
"""Of a project."""


@dataclass(slots=True)
class _Sorted:
    """What is told of codes that nobody knows, by what it is."""

    answers: list[tuple[Any, Registered]] = field(default_factory=list)
    """Of registrations that wait for an answer: where the relay chooses codes we could not know this one."""
    again: list[tuple[int, Registered]] = field(default_factory=list)
    """The same as a template that another relay has."""
    fresh: list[tuple[str, Registered]] = field(default_factory=list)
    """New ones, with the keys that they get."""
    left: int = 0
    """How many there is no room for."""


class Adopted(NamedTuple):
    """What came of it."""

    made: int = 0
    left: int = 0
    """Those that the project has no room for."""


async def adopt(
    session: WriteSession, whose: Whose, told: Sequence[Registered], as_of: Instant, now: Instant
) -> Adopted:
    """Each as a version 1, or as the answer that never came to what we had asked."""
    wanted = {one.code: one for one in told if one.template is not None and not one.is_revision}
    if not wanted:
        return Adopted()
    await setup.hold_catalog(session)  # One after the other: two looks must not make one key twice.
    found = await _sorted(session, whose, list(wanted.values()))
    for row, one in found.answers:
        await registrations.name_code(session, row.id, one.code)
    made = await templates.create_all(
        session, whose.project_id, [_fresh(key, one) for key, one in found.fresh], now
    )
    places = [*found.again, *((made[key], one) for key, one in found.fresh)]
    added = await registrations.add_all(
        session, [_registration(whose, number, one, now) for number, one in places]
    )
    numbers = dict(zip(added, (one for _, one in places), strict=True))
    numbers |= {row.id: one for row, one in found.answers}
    rows = await registrations.by_ids(session, whose.project_id, list(numbers))
    await keep(session, whose, [(rows[id], one) for id, one in numbers.items()], now, as_of=as_of)
    return Adopted(len(numbers), found.left)


async def _sorted(session: WriteSession, whose: Whose, told: Sequence[Registered]) -> _Sorted:
    here = await registrations.of_connection(session, whose.connection_id)
    waiting = [row for row in here if row.intent and not row.code]
    singles = await _only_versions(session, whose, [one.code for one in told])
    mine = {row.template_id for row in here}
    taken = await templates.keys(session, whose.project_id)
    room = MOST_TEMPLATES - len(taken)
    found = _Sorted()
    for one in told:
        asked = next((row for row in waiting if _is_of(row.content, one)), None)
        known = singles.get(one.code)
        if asked is not None:
            waiting.remove(asked)
            found.answers.append((asked, one))
        elif known is not None and known.template_id not in mine and _is_of(known.content, one):
            found.again.append((known.template_id, one))
        elif len(found.fresh) < room:
            key = key_for(one.code, taken, whose.name)
            taken.add(key)
            found.fresh.append((key, one))
        else:
            found.left += 1
    return found


async def _only_versions(session: WriteSession, whose: Whose, codes: Sequence[str]) -> dict[str, Any]:
    """By key: the only version of those templates that have one."""
    known = await templates.by_keys(session, whose.project_id, codes)
    single = {row.id: key for key, row in known.items() if row.latest == 1}
    versions = await templates.versions(session, whose.project_id, list(single))
    return {single[id]: rows[0] for id, rows in versions.items()}


def _is_of(content: str, told: Registered) -> bool:
    template = template_of(content)
    return template is not None and told.template is not None and is_same(template, told.template)


def _fresh(key: str, told: Registered) -> Fresh:
    assert told.template is not None
    text = Text(orjson.dumps(to_data(told.template)).decode(), "{}", "{}")
    return Fresh(key, told.template.name or key, text)


def _registration(whose: Whose, template_id: int, told: Registered, now: Instant) -> AlimtalkRegistration:
    """It stands as it is told already: nobody has to hear that it was approved once."""
    decided = told.inspection in (Inspection.APPROVED, Inspection.REJECTED)
    return AlimtalkRegistration(
        project_id=whose.project_id,
        template_id=template_id,
        number=1,
        connection_id=whose.connection_id,
        code=told.code,
        inspection=told.inspection.value,
        operation=told.operation.value,
        is_blocked=told.is_blocked,
        is_dormant=told.is_dormant,
        requested_at=told.changed_at,
        decided_at=(told.changed_at or now) if decided else None,
        created_at=now,
        changed_at=now,
    )
