"""What needs a segment or a list: journeys that are not over, other segments, saved cohort reports."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from server.journey.audience import Question, Wants, read_question
from server.journey.reading import Reader
from server.store import cohort_reports, segments, uses
from server.store.sessions import ReadSession

Found = tuple[int, str]
"""Id, and title or name."""


class Uses(NamedTuple):
    journeys: tuple[Found, ...] = ()
    segments: tuple[Found, ...] = ()
    reports: tuple[Found, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.journeys or self.segments or self.reports)


async def of_segments(session: ReadSession, project_id: int) -> Mapping[str, Uses]:
    """By name: all segments that anything names."""
    return await _uses(session, project_id, "segment", lambda wants: wants.segments)


async def of_lists(session: ReadSession, project_id: int) -> Mapping[str, Uses]:
    """By name: all lists that anything names."""
    return await _uses(session, project_id, "list", lambda wants: wants.lists)


async def _uses(session: ReadSession, project_id: int, member: str, names_in: Any) -> Mapping[str, Uses]:
    journeys = await uses.naming(session, project_id, member)
    of_segments: dict[str, list[Found]] = {}
    for row in await segments.of_project(session, project_id):
        for name in names_in(_wants(orjson.loads(row.conditions))):
            of_segments.setdefault(name, []).append((row.id or 0, row.name))
    reports: dict[str, list[Found]] = {}
    for report in await cohort_reports.of_project(session, project_id):
        given = orjson.loads(report.definition).get("segment") or {}
        named = set(names_in(_wants(given["conditions"]))) if given.get("conditions") else set()
        if member == "segment" and given.get("name"):
            named.add(given["name"])
        for name in named:
            reports.setdefault(name, []).append((report.id or 0, report.name))
    return {
        name: Uses(*(tuple(one.get(name, ())) for one in (journeys, of_segments, reports)))
        for name in {*journeys, *of_segments, *reports}
    }


def _wants(conditions: Any) -> Wants:
    question: Question = read_question(Reader(conditions))
    return question.wants()
