"""From stored conditions to a question that can be asked of a project's people."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson
from sqlalchemy import select

from server.journey.audience import (
    Question,
    goes_in_circles,
    reached_from,
    read_question,
    resolve,
    size_of,
)
from server.journey.audience.nesting import MOST_NESTED
from server.journey.moment import Problem
from server.journey.reading import Reader
from server.store import segments, user_lists
from server.store.bulk import table_of
from server.store.sessions import ReadSession
from server.store.tables import Journey, Project

_projects, _journeys = table_of(Project), table_of(Journey)
NEW = ""
"""Stands for conditions that have no name yet: no segment can be called so."""


class Askable(NamedTuple):
    """A question, and what asking it in a project takes."""

    question: Question
    lists: Mapping[str, int]
    """The project's lists: ids by name."""
    zone: str
    """The project's time zone."""


async def read(
    session: ReadSession, project_id: int, conditions: Mapping[str, Any], name: str = NEW
) -> tuple[Askable, list[Problem]]:
    """Ask it only if there are no problems. `name` is what the segment is called, or will be."""
    reader = Reader(conditions)
    question = read_question(reader)
    lists = await user_lists.names(session, project_id)
    named = {**await questions(session, project_id), name: question}
    problems = list(reader.problems)
    if not problems:
        problems = [
            *_unknown(question, lists, named),
            *await _unknown_journeys(session, project_id, question),
            *_nested(name, named),
        ]
    whole = question if problems else resolve(question, named, frozenset((name,)))
    return Askable(whole, lists, await zone_of(session, project_id)), problems


async def stored(session: ReadSession, project_id: int, name: str) -> Askable | None:
    """What the segment of this name asks; none if there is no such segment."""
    named = await questions(session, project_id)
    if name not in named:
        return None
    lists = await user_lists.names(session, project_id)
    whole = resolve(named[name], named, frozenset((name,)))
    return Askable(whole, lists, await zone_of(session, project_id))


async def questions(session: ReadSession, project_id: int) -> dict[str, Question]:
    """What the project's segments ask, by name, as they are written."""
    rows = await segments.of_project(session, project_id)
    return {row.name: read_question(Reader(orjson.loads(row.conditions))) for row in rows}


async def zone_of(session: ReadSession, project_id: int) -> str:
    rows = await session.rows(select(_projects.c.time_zone).where(_projects.c.id == project_id))
    return str(rows[0].time_zone)


def _unknown(question: Question, lists: Mapping[str, int], named: Mapping[str, Question]) -> list[Problem]:
    wants = question.wants()
    lost = sorted(wants.lists - lists.keys())
    found = [Problem((), f"There is no list {one!r}.", "unknown_list") for one in lost]
    lost = sorted(wants.segments - named.keys())
    return found + [Problem((), f"There is no segment {one!r}.", "unknown_segment") for one in lost]


async def _unknown_journeys(session: ReadSession, project_id: int, question: Question) -> list[Problem]:
    wanted = [one for one in question.wants().journeys if one < 2**31]
    if not question.wants().journeys:
        return []
    statement = select(_journeys.c.id).where(_journeys.c.project_id == project_id, _journeys.c.id.in_(wanted))
    known = {row.id for row in await session.rows(statement)}
    lost = question.wants().journeys - known
    return [Problem((), "A journey is named that is not in this project.", "unknown_journey")] if lost else []


def _nested(name: str, named: Mapping[str, Question]) -> list[Problem]:
    """Neither this segment nor one that names it may go in circles, or ask more than is good."""
    if goes_in_circles(name, named):
        message = "A segment that it names leads back to this one: it would go in circles."
        return [Problem((), message, "circle")]
    with_it = [one for one in named if name in reached_from(one, named)]
    if any(size_of(one, named) > MOST_NESTED for one in [name, *with_it]):
        message = f"With all segments that are named, more than {MOST_NESTED} questions would be asked."
        return [Problem((), message, "out_of_range")]
    return []
