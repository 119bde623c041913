"""Suppressed addresses from and to CSV files."""

from collections.abc import Iterator
from pathlib import Path

from channels.reasons import Reason
from server.clock import Instant
from server.errors import BadInput
from server.resolvers import suppressions as people
from server.resolvers.refusals import Refusal
from server.store import suppressed, suppressions
from server.store.database import Database
from server.store.paging import Page
from server.store.suppressed import Wanted
from server.store.suppressions import PutRow

from . import sheets
from .taking import Taken, in_chunks, instant, written

COLUMNS = ("channel", "address", "purpose", "reason", "since", "until", "source", "note")
NEEDED = ("channel", "address")
PAGE = 1000


async def take_in(db: Database, path: Path, project_id: int, now: Instant, *, dry_run: bool = False) -> Taken:
    """Suppresses what the file says. A bad row is told of, and the others are taken.

    Taking the same file in again changes nothing. Raises BadInput for a file without the columns.
    """
    taken = Taken()
    async with db.read() as session:
        grounds = await people.grounds(session, project_id)
    for chunk in in_chunks(_rows(path, project_id, grounds, now, taken)):
        if dry_run:
            async with db.read() as session:
                changed = len(await suppressions.fresh(session, chunk))
        else:
            async with db.write() as session:
                changed = await suppressions.put(session, chunk)
        taken.changed += changed
        taken.known += len(chunk) - changed
    return taken


def _rows(
    path: Path, project_id: int, grounds: people.Grounds, now: Instant, taken: Taken
) -> Iterator[PutRow]:
    for line in sheets.read(path, NEEDED, COLUMNS):
        try:
            if line.wrong:
                raise BadInput(line.wrong)
            yield _row(project_id, grounds, line.cells, now)
        except (BadInput, Refusal) as error:
            taken.refuse(line.number, error.message)


def _row(project_id: int, grounds: people.Grounds, cells: dict[str, str], now: Instant) -> PutRow:
    since = instant(cells["since"], lambda: now)
    assert since is not None
    return people.put_row(
        project_id,
        people.place(cells["channel"], cells["address"], cells["purpose"], grounds),
        reason=cells["reason"] or Reason.OPTED_OUT.value,
        since=min(since, now),
        until=instant(cells["until"], lambda: None),
        source="import",
        note=cells["note"],
    )


async def write_out(db: Database, path: Path, project_id: int, now: Instant) -> int:
    """Writes what suppresses now. Returns how many rows."""
    with sheets.writing(path, COLUMNS) as sheet:
        place = None
        while True:
            async with db.read() as session:
                page = Page(PAGE, place=place)
                found = await suppressed.page(session, project_id, Wanted(), now, page)
            for row in found.rows:
                about = (row.channel, row.address, row.purpose, row.reason)
                sheet.add([*about, written(row.since), written(row.until), row.source, row.note])
            if not found.has_next:
                return sheet.rows
            last = found.rows[-1]
            place = (last.channel, last.address, last.purpose, last.set_by)
