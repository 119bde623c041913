"""What a segment's questions need to know of users: a few statements, whatever the number of users."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import bindparam, select

from server.clock import Instant
from server.journey.audience import Facts, Wants
from server.journey.moment import Past
from server.store.among import among
from server.store.bulk import table_of
from server.store.sessions import ReadSession
from server.store.tables import Endpoint, ListMember

from .kinds import READINGS
from .loading import Looking, Reading, everywhere

_members, _endpoints = table_of(ListMember), table_of(Endpoint)
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

PastOf = dict[Facts, dict[str, Past]]
"""The facts of one person, by kind, and each kind's by key."""


@dataclass(slots=True)
class Known:
    """What is known of some users of a shard, by their numbers, as far as it was wanted."""

    past: defaultdict[int, PastOf] = field(default_factory=lambda: defaultdict(dict))
    lists: defaultdict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    usable: defaultdict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The channels on which they have an address in use that can be written to."""

    def past_of(self, number: int) -> Callable[[Facts], Sequence[Past]]:
        past = self.past.get(number, {})
        return lambda facts: tuple(past.get(facts, {}).values())

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
    since: Instant,
) -> Known:
    """What is wanted of these users, of facts since that instant. `lists` are ids by name."""
    found = Known()
    if wants.past:
        people = await everywhere(session, project_id, shard, numbers)
        await _past(found, Looking(session, project_id, people, since), wants.facts)
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


async def _past(found: Known, looking: Looking, facts: Collection[Facts]) -> None:
    asked = set(facts)
    for reading, wanted in _readings(facts):
        for one in await reading(looking, wanted):
            if one.facts in asked:
                found.past[one.number].setdefault(one.facts, {})[one.key] = one.past


def _readings(facts: Collection[Facts]) -> Iterable[tuple[Reading, list[Facts]]]:
    """Some readings read facts of several kinds at once."""
    grouped: defaultdict[Reading, list[Facts]] = defaultdict(list)
    for one in sorted(facts):
        grouped[READINGS[one.kind]].append(one)
    return grouped.items()
