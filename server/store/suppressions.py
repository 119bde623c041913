"""Addresses that people have decided to leave alone, or to write to again. The rules: docs/permissions.md."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from server.clock import Instant

from .bulk import deleting
from .same_address import same_address
from .sessions import ReadSession, WriteSession
from .sightings import hear
from .suppressed import HEARD, PEOPLE, REPLACE, Key, by_key, key_of, rows_of
from .suppressing import Sighting
from .tables import Suppression

_REMOVE = deleting(Suppression, "project_id", "channel", "address", "purpose", "set_by")


class PutRow(NamedTuple):
    """A suppression that people set."""

    project_id: int
    channel: str
    address: str
    purpose: str
    reason: str
    since: Instant
    until: Instant | None
    source: str
    note: str

    @property
    def key(self) -> Key:
        return self.project_id, self.channel, same_address(self.channel, self.address), self.purpose

    def row(self) -> tuple[Any, ...]:
        return (*self.key, PEOPLE, self.reason, self.since, self.until, self.source, self.note, "{}")


async def put(session: WriteSession, rows: Sequence[PutRow]) -> int:
    """What people decided: suppresses addresses, in the place of what people decided before.

    Whatever holds already for the same reason and as long, whoever said so, is left as it is. Returns how
    many rows are new or have changed.
    """
    changed = await fresh(session, rows)
    await session.bulk(REPLACE, [one.row() for one in changed])
    return len(changed)


async def fresh(session: ReadSession, rows: Sequence[PutRow]) -> list[PutRow]:
    """Those among these that say something new, each place once, in the order of the places."""
    wanted = {one.key: one for one in rows}
    known: dict[Key, list[Any]] = {}
    for set_by in (HEARD, PEOPLE):
        for row in await rows_of(session, wanted, set_by):
            known.setdefault(key_of(row), []).append(row)
    return [one for key, one in sorted(wanted.items()) if not _says_so(one, known.get(key, ()))]


async def remove(session: WriteSession, key: Key, set_by: str, *, now: Instant, note: str) -> None:
    """Ends a suppression because people want it to end. What is heard from then on counts anew."""
    if set_by == PEOPLE:
        await session.bulk(_REMOVE, [(*key, PEOPLE)])
        return
    row = await by_key(session, key, set_by)
    # Later than what it ends, should a provider's clock be ahead of ours.
    at = max(now, row.since if row else now) + 1
    await hear(session, [Sighting(*key, "", at, "api", is_opt_in=True)], {key: note})


def _says_so(wanted: PutRow, rows: Sequence[Any]) -> bool:
    return any(
        row.since is not None and (row.reason, row.until) == (wanted.reason, wanted.until) for row in rows
    )
