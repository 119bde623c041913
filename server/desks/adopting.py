"""Templates that a relay has and we do not become the project's, under their code."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from channels.alimtalk.desk import Inspection, Registered
from channels.alimtalk.reading import to_data
from server.alimtalk.likeness import is_same, key_for
from server.clock import Instant
from server.store import alimtalk_registrations as registrations
from server.store import alimtalk_templates as templates
from server.store.alimtalk_templates import Text
from server.store.sessions import WriteSession
from server.store.tables import AlimtalkRegistration

from .hearing import keep, template_of
from .telling import Whose

MOST_TEMPLATES = 2000
"""Of a project."""


async def adopt(
    session: WriteSession, whose: Whose, told: Sequence[Registered], as_of: Instant, now: Instant
) -> int:
    """Each as a version 1, or as the answer that never came to what we had asked. Returns how many."""
    open_rows = [row for row in await registrations.of_connection(session, whose.connection_id) if row.intent]
    room = MOST_TEMPLATES - await templates.count(session, whose.project_id)
    done = 0
    for one in told:
        if one.template is None or one.is_revision:
            continue
        mine = next((row for row in open_rows if not row.code and _is_of(row.content, one)), None)
        if mine is not None:
            # We had asked for it, and where the relay chooses codes we could not know this one.
            open_rows.remove(mine)
            await registrations.name_code(session, mine.id, one.code)
            number = mine.id
        elif done < room:
            number = await _add(session, whose, one, now)
        else:
            continue
        rows = await registrations.by_ids(session, whose.project_id, [number])
        await keep(session, whose, [(rows[number], one)], now, as_of=as_of)
        done += 1
    return done


def _is_of(content: str, told: Registered) -> bool:
    template = template_of(content)
    return template is not None and told.template is not None and is_same(template, told.template)


async def _add(session: WriteSession, whose: Whose, told: Registered, now: Instant) -> int:
    """Its registration, which is as it is told already: nobody has to be told that it was approved once."""
    assert told.template is not None
    known = await templates.by_keys(session, whose.project_id, [told.code])
    template_id = await _same_at_another(session, whose, told, known)
    if template_id is None:
        taken = list(known)
        if known:
            taken = [*known, *await templates.keys_beginning(session, whose.project_id, told.code)]
        key = key_for(told.code, taken, whose.name)
        text = Text(orjson.dumps(to_data(told.template)).decode(), "{}", "{}")
        name = told.template.name or key
        template_id = await templates.create(
            session, whose.project_id, key, name, text, now, is_submitted=True
        )
    decided = told.inspection in (Inspection.APPROVED, Inspection.REJECTED)
    return await registrations.add(
        session,
        AlimtalkRegistration(
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
        ),
    )


async def _same_at_another(
    session: WriteSession, whose: Whose, told: Registered, known: Mapping[str, Any]
) -> int | None:
    """The template of this key, if its only version says the same and is not registered here."""
    row = known.get(told.code)
    if row is None or row.latest != 1:
        return None
    number: int = row.id
    versions = await templates.versions(session, whose.project_id, [number])
    here = await registrations.of_templates(session, whose.project_id, [number])
    if any(one.connection_id == whose.connection_id for one in here.get(number, [])):
        return None
    return number if _is_of(versions[number][0].content, told) else None
