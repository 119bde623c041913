"""Who passed a step of any kind in some days: a row for each passage that was over in them."""

from collections.abc import AsyncIterator
from typing import Any

from server.global_ids import global_id
from server.store import run_facts

from . import people
from .drawn import Titles, journey, step_title
from .kept import check_is_kept, check_was_kept
from .people import NOBODY, Person
from .sheets import Arguments, Asked, Cell, Column, Days, Kind, Language, Page, Row, Sheet
from .words import END_REASONS

PAGE = 1000

COLUMNS = (
    *people.COLUMNS,
    Column("step", "단계", "Step"),
    Column("step_key", "단계 키", "Step key"),
    Column("arrived_at", "도착 시각", "Arrived at", Cell.TIME),
    Column("left_at", "통과 시각", "Left at", Cell.TIME),
    Column("output", "출력", "Output"),
    Column("because", "사유", "Because"),
    Column("end_reason", "종료 사유", "End reason", words=END_REASONS),
    Column("version", "버전", "Version", Cell.COUNT),
    Column("run_id", "진입 ID", "Run ID"),
)
_SUFFIX = {Language.KO: "통과 사용자", Language.EN: "users who passed"}


class StepUsersArguments(Arguments):
    journey_id: int
    step_key: str
    days: Days = Days()
    """In which the passages were over."""


async def open_step_users(asked: Asked, arguments: StepUsersArguments) -> Sheet:
    async with asked.db.read() as session:
        await check_is_kept(session, asked, arguments.days.since(asked.zone))
        found = await journey(session, asked, arguments.journey_id)
        step = await step_title(session, asked, arguments.journey_id, arguments.step_key)
    return Sheet(f"{found.title} {step} {_SUFFIX[asked.language]}", COLUMNS, _pages(asked, arguments))


async def _pages(asked: Asked, arguments: StepUsersArguments) -> AsyncIterator[Page]:
    titles = Titles(asked.project_id, arguments.journey_id)
    since, before = arguments.days.since(asked.zone), asked.before(arguments.days)
    place = asked.run_place(before)
    while True:
        async with asked.db.read() as session:
            about = (asked.project_id, arguments.journey_id, place, PAGE)
            found = await run_facts.runs_before(session, *about, until=since)
            runs = {run.id: run for run in found.rows}
            where = (asked.project_id, asked.shards, arguments.step_key, list(runs), since or 0, before)
            visits = await run_facts.visits_at(session, *where)
            passed = [(runs[run_id].shard, runs[run_id].user_number) for run_id in visits]
            who = await people.people(session, asked, passed)
            await titles.learn(session, {visit.version for these in visits.values() for visit in these})
        rows = [
            _row(visit, who.get((run.shard, run.user_number), NOBODY), titles)
            for run in found.rows
            for visit in visits.get(run.id, ())
        ]
        if found.rows:
            last = found.rows[-1]
            place = (last.entered_at, last.shard, last.id)
            yield Page(rows, list(place))
        if not found.has_next:
            await check_was_kept(asked, since)
            return


def _row(visit: Any, person: Person, titles: Titles) -> Row:
    return (
        *person,
        titles.of(visit.version, visit.step_key),
        visit.step_key,
        visit.arrived_at,
        visit.left_at,
        visit.output or None,
        visit.because or None,
        visit.end_reason,
        visit.version,
        global_id("Run", visit.run_id),
    )


STEP_USERS = Kind("step_users", StepUsersArguments, open_step_users)
