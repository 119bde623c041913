"""How the facts of people are read: every kind by a reader of its own, a few statements for a page of people.

What somebody did under a number that has turned out to be another's is found there, too: facts do not move.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Executable, bindparam, select

from server.clock import Instant
from server.journey.audience import Facts
from server.journey.moment import Past
from server.store.among import among
from server.store.bulk import table_of
from server.store.sessions import ReadSession
from server.store.tables import User

MOST_HOPS = 8

_users = table_of(User)
_FORMER = (
    select(_users.c.shard, _users.c.number, _users.c.merged_into)
    .where(_users.c.project_id == bindparam("project_id"))
    .where(_users.c.merged_into.is_not(None), among(_users.c.merged_into, "keys"))
)

Place = tuple[int, int]
"""Shard and number."""


class Found(NamedTuple):
    """One fact of a person."""

    number: int
    """The person's, as whoever asks knows them."""
    facts: Facts
    key: str
    """Tells it from other facts of the kind; the same fact read twice is one."""
    past: Past


@dataclass(slots=True)
class Looking:
    """Whose facts are read, and from when on."""

    session: ReadSession
    project_id: int
    people: dict[int, dict[int, int]]
    """By shard: every number under which they did something, and whose that is."""
    since: Instant
    runs: dict[str, Any] = field(default_factory=dict)
    """What readers of the same runs share."""

    async def rows(
        self, statement: Executable, about: Mapping[str, Any] | None = None
    ) -> list[tuple[int, Any]]:
        """The rows of all their numbers, each with whose it is. It names `shard`, `project_id`, `numbers`,
        and its rows have a `user_number`."""
        found: list[tuple[int, Any]] = []
        for shard, under in self.people.items():
            values = {**(about or {}), "shard": shard, "project_id": self.project_id}
            rows = await self.session.rows_in(statement, "numbers", under, values)
            found += [(under[row.user_number], row) for row in rows]
        return found


Reading = Callable[[Looking, Collection[Facts]], Awaitable[list[Found]]]
"""Reads the facts of a kind, of those that are wanted."""


async def everywhere(
    session: ReadSession, project_id: int, shard: int, numbers: Collection[int]
) -> dict[int, dict[int, int]]:
    """By shard: the numbers of these users, and of all who have turned out to be one of them."""
    people: defaultdict[int, dict[int, int]] = defaultdict(dict)
    people[shard] = {number: number for number in numbers}
    for (where, former), number in (await former_of(session, project_id, shard, numbers)).items():
        people[where][former] = number
    return dict(people)


async def former_of(
    session: ReadSession, project_id: int, shard: int, numbers: Collection[int]
) -> dict[Place, int]:
    """Everybody who has turned out to be one of these users, in whatever shard, and who that is."""
    found: dict[Place, int] = {}
    frontier = {f"{shard}:{number}": number for number in numbers}
    for _ in range(MOST_HOPS):
        rows = await session.rows_in(_FORMER, "keys", frontier, {"project_id": project_id})
        if not rows:
            break
        following: dict[str, int] = {}
        for row in rows:
            number = frontier[row.merged_into]
            found[row.shard, row.number] = number
            following[f"{row.shard}:{row.number}"] = number
        frontier = following
    return found
