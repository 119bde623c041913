"""The runs of a journey, one row each: the list of the audience dashboard, with the same filter.

A run is told as it stands when its page is read; runs that began after the export did are not in it.
"""

from collections.abc import AsyncIterator

from server.clock import Instant
from server.global_ids import global_id
from server.journey.marks import mark_of
from server.store import runs, visits
from server.store.paging import Page as PageWanted
from server.store.runs import Wanted
from server.store.tables import Run

from . import people
from .drawn import Titles, journey
from .kept import check_is_kept, check_was_kept
from .people import NOBODY, Person
from .run_words import MARKS, cancelled_by
from .sheets import Arguments, Asked, Cell, Column, Kind, Language, Page, Row, Sheet
from .words import END_REASONS

PAGE = 1000

COLUMNS = (
    *people.COLUMNS,
    Column("state", "상태", "State", words=MARKS),
    Column("last_step", "마지막 단계", "Last step"),
    Column("last_step_key", "마지막 단계 키", "Last step key"),
    Column("cancel_event", "취소 이벤트", "Cancel event"),
    Column("entered_at", "진입 시각", "Entered at", Cell.TIME),
    Column("ended_at", "종료 시각", "Ended at", Cell.TIME),
    Column("end_reason", "종료 사유", "End reason", words=END_REASONS),
    Column("version", "버전", "Version", Cell.COUNT),
    Column("run_id", "진입 ID", "Run ID"),
)
_SUFFIX = {Language.KO: "진입 목록", Language.EN: "runs"}


class RunListArguments(Arguments):
    journey_id: int
    wanted: Wanted = Wanted()

    @property
    def since(self) -> Instant | None:
        """Nothing of what is asked for happened before."""
        wanted = self.wanted
        bounds = [one for one in (wanted.entered[0], wanted.ended[0]) if one is not None]
        return max(bounds, default=None)


async def open_run_list(asked: Asked, arguments: RunListArguments) -> Sheet:
    async with asked.db.read() as session:
        await check_is_kept(session, asked, arguments.since, arguments.journey_id)
        found = await journey(session, asked, arguments.journey_id)
        expected = None
        if arguments.wanted == Wanted():
            expected = await runs.count_entered_by(
                session, asked.project_id, arguments.journey_id, asked.as_of
            )
    title = f"{found.title} {_SUFFIX[asked.language]}"
    return Sheet(title, COLUMNS, _pages(asked, arguments), expected)


async def _pages(asked: Asked, arguments: RunListArguments) -> AsyncIterator[Page]:
    titles = Titles(asked.project_id, arguments.journey_id)
    place = asked.run_place(asked.as_of + 1)
    while True:
        async with asked.db.read() as session:
            about = (asked.project_id, arguments.journey_id, arguments.wanted)
            found = await runs.page(session, *about, PageWanted(PAGE, place=place))
            who = await people.people(session, asked, [(run.shard, run.user_number) for run in found.rows])
            because = await visits.cancelled_by(session, asked.project_id, found.rows)
            await titles.learn(session, {run.version for run in found.rows})
        rows = [
            _row(
                run,
                who.get((run.shard, run.user_number), NOBODY),
                titles,
                because.get(run.id),
                asked.language,
            )
            for run in found.rows
        ]
        if found.rows:
            last = found.rows[-1]
            place = (last.entered_at, last.shard, last.id)
            yield Page(rows, list(place))
        if not found.has_next:
            await check_was_kept(asked, arguments.since, arguments.journey_id)
            return


def _row(run: Run, person: Person, titles: Titles, event: str | None, language: Language) -> Row:
    title = titles.of(run.version, run.step_key)
    return (
        *person,
        mark_of(run.end_reason).value,
        cancelled_by(event, language) if event else title,
        run.step_key,
        event or None,
        run.entered_at,
        run.ended_at,
        run.end_reason,
        run.version,
        global_id("Run", run.id),
    )


RUN_LIST = Kind("runs", RunListArguments, open_run_list)
