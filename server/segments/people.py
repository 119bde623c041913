"""What a segment's questions need to know of users: a few statements, whatever the number of users.

What somebody did under a number that has turned out to be another's is found there, too: facts do not move.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import orjson
from sqlalchemy import bindparam, select

from server.clock import Instant
from server.journey.audience import Wants
from server.journey.moment import Past
from server.store.among import among
from server.store.bulk import table_of
from server.store.sessions import ReadSession
from server.store.tables import Endpoint, Event, ListMember, User

MOST_HOPS = 8

_users, _events, _members = table_of(User), table_of(Event), table_of(ListMember)
_endpoints = table_of(Endpoint)
_FORMER = (
    select(_users.c.shard, _users.c.number, _users.c.merged_into)
    .where(_users.c.project_id == bindparam("project_id"))
    .where(_users.c.merged_into.is_not(None), among(_users.c.merged_into, "keys"))
)
_DEEDS = (
    select(_events.c.user_number, _events.c.name, _events.c.occurred_at, _events.c.body, _events.c.digest)
    .where(_events.c.shard == bindparam("shard"), _events.c.project_id == bindparam("project_id"))
    .where(among(_events.c.user_number, "numbers"), among(_events.c.name, "names"))
    .where(_events.c.occurred_at > bindparam("since"))
)
_LISTS = (
    select(_members.c.user_number, _members.c.list_id)
    .where(_members.c.shard == bindparam("shard"), _members.c.project_id == bindparam("project_id"))
    .where(among(_members.c.user_number, "numbers"), among(_members.c.list_id, "lists"))
)
_USABLE = (
    select(_endpoints.c.user_number, _endpoints.c.channel)
    .where(_endpoints.c.shard == bindparam("shard"), _endpoints.c.project_id == bindparam("project_id"))
    .where(among(_endpoints.c.user_number, "numbers"), among(_endpoints.c.channel, "channels"))
    .where(_endpoints.c.is_current, _endpoints.c.state == "usable")
)

NO_ADDRESS = "no address in use that can be written to"

Place = tuple[int, int]
"""Shard and number."""


@dataclass(slots=True)
class Known:
    """What is known of some users of a shard, by their numbers, as far as it was wanted."""

    deeds: defaultdict[int, dict[str, dict[str, Past]]] = field(default_factory=lambda: defaultdict(dict))
    lists: defaultdict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    usable: defaultdict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The channels on which they have an address in use that can be written to."""

    def past_of(self, number: int) -> Callable[[str], Sequence[Past]]:
        deeds = self.deeds.get(number, {})
        return lambda name: tuple(deeds.get(name, {}).values())

    def reach_of(self, number: int) -> Callable[[str], str]:
        channels = self.usable.get(number, ())
        return lambda channel: "" if channel in channels else NO_ADDRESS


async def known(
    session: ReadSession,
    project_id: int,
    shard: int,
    numbers: Collection[int],
    wants: Wants,
    lists: Mapping[str, int],
    at: Instant,
) -> Known:
    """What is wanted of these users, for somebody who asks at that instant. `lists` are ids by name."""
    found = Known()
    if wants.past:
        await _deeds(session, found, project_id, shard, numbers, wants.events, wants.since(at))
    names = {lists[name]: name for name in wants.lists if name in lists}
    if names:
        about = {"shard": shard, "project_id": project_id, "lists": sorted(names)}
        for number, list_id in await session.rows_in(_LISTS, "numbers", numbers, about):
            found.lists[number].add(names[list_id])
    if wants.channels:
        about = {"shard": shard, "project_id": project_id, "channels": sorted(wants.channels)}
        for number, channel in await session.rows_in(_USABLE, "numbers", numbers, about):
            found.usable[number].add(channel)
    return found


async def _deeds(
    session: ReadSession,
    found: Known,
    project_id: int,
    shard: int,
    numbers: Collection[int],
    names: frozenset[str],
    since: Instant,
) -> None:
    people: defaultdict[int, dict[int, int]] = defaultdict(dict)
    people[shard] = {number: number for number in numbers}
    for (where, former), number in (await former_of(session, project_id, shard, numbers)).items():
        people[where][former] = number
    for where, under in people.items():
        about = {"shard": where, "project_id": project_id, "names": sorted(names), "since": since - 1}
        for one in await session.rows_in(_DEEDS, "numbers", under, about):
            deeds = found.deeds[under[one.user_number]].setdefault(one.name, {})
            deeds[one.digest] = Past(one.occurred_at, orjson.loads(one.body))


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
