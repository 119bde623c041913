"""Which saved cohort reports ask for a segment."""

import orjson

from server.cohorts.stored import from_data
from server.store import cohort_reports
from server.store.sessions import ReadSession


async def reports(session: ReadSession, project_id: int, name: str) -> list[tuple[int, str]]:
    """Id and name of those that name it."""
    found = []
    for report in await cohort_reports.of_project(session, project_id):
        segment = from_data(orjson.loads(report.definition)).segment
        if segment is not None and segment.name == name:
            found.append((report.id or 0, report.name))
    return found
