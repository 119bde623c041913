"""What journeys did with people, from the sets that their figures are made of.

These sets hold people under the numbers of their time. Facts of journeys may be deleted after a time, and
sets are not: where that may have happened, a set only says who is to be asked.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from pyroaring import BitMap
from sqlalchemy import bindparam, select

from server.aggregates import sets
from server.aggregates.calendar import ALL_TIME, HAPPENED
from server.aggregates.metrics import Dimension
from server.journey.audience import Happened, IsInside, Times, Which
from server.journey.audience.journeys import ENDED, ENTERED, LEFT, PASSED, REACHED
from server.journey.audience.messages import MESSAGE, Act
from server.journey.holdout import HOLDOUT
from server.store.among import among
from server.store.bulk import table_of
from server.store.tables import Run, User, UserSet

from ..loading import MOST_HOPS
from .pairs import Asking, Pair, Pairs, united
from .spans import Spans, spans_of

_users, _runs, _sets = table_of(User), table_of(Run), table_of(UserSet)
_TURNED_OUT = (
    select(_users.c.number, _users.c.merged_into)
    .where(_users.c.shard == bindparam("shard"), _users.c.project_id == bindparam("project_id"))
    .where(among(_users.c.number, "numbers"), _users.c.merged_into.is_not(None))
)
_INSIDE = (
    select(_runs.c.shard, _runs.c.user_number, _runs.c.step_key)
    .where(_runs.c.project_id == bindparam("project_id"), _runs.c.journey_id == bindparam("journey_id"))
    .where(_runs.c.wake_at.is_not(None), _runs.c.entered_at <= bindparam("at"), _runs.c.variant != HOLDOUT)
)
_VALUES = (
    select(_sets.c.value)
    .where(among(_sets.c.shard, "shards"), _sets.c.project_id == bindparam("project_id"))
    .where(_sets.c.dimension == Dimension.SENT.value, _sets.c.clock == HAPPENED, _sets.c.span == ALL_TIME)
    .distinct()
)

Wanted = Mapping[Dimension, Sequence[str]]
_OF_STEPS = {
    Act.SENT: (Dimension.SENT,),
    Act.DELIVERED: (Dimension.SENT,),
    Act.OPENED: (Dimension.OPENED, Dimension.CLICKED),
    Act.CLICKED: (Dimension.CLICKED,),
}
_EXACT = (ENTERED, PASSED, LEFT)
"""Kinds of which the sets say just what the facts do; others say who may have done it."""


async def answer_happened(asking: Asking, question: Happened) -> Pairs:
    times = question.times
    spans = spans_of(asking, *times.window.bounds(asking.at, asking.zone))
    if not _is_dated(question):
        spans = Spans((ALL_TIME,), ())
    found = await _people(asking, await _wanted(asking, question), spans)
    if not times.fits_none:
        surely = found if _is_decided(asking, question, spans) else {}
        return asking.between(surely, found)
    return asking.each(lambda n, all: Pair(all - found.get(n, BitMap()), all))


def _is_dated(question: Happened) -> bool:
    """Whether what is asked for happened on the days of the sets that are read for it, and not later."""
    facts = question.facts
    if facts.kind == REACHED:
        return any(one.name == "goal" for one in question.where)
    return facts.kind != ENDED and (facts.kind, facts.name) != (MESSAGE, Act.DELIVERED)


def _is_decided(asking: Asking, question: Happened, spans: Spans) -> bool:
    """Whether whoever is in the sets has surely done it."""
    whole = not spans.edges and asking.is_now and not any(asking.ahead.values())
    says_all = question.facts.kind in _EXACT and not asking.is_pruned
    return whole and says_all and question.times == Times(question.times.window, Which.EVERY)


async def answer_inside(asking: Asking, question: IsInside) -> Pairs:
    if not asking.is_now:
        wanted = {Dimension.ENTERED: [str(question.journey)]}
        return asking.between({}, await _people(asking, wanted, Spans((ALL_TIME,), ())))
    found: defaultdict[int, BitMap] = defaultdict(BitMap)
    about = {"project_id": asking.project_id, "journey_id": question.journey, "at": asking.at}
    for shard, number, step in await asking.session.rows(_INSIDE, about):
        if not question.step or step == question.step:
            found[shard].add(number)
    return asking.exactly(await as_they_are_now(asking, found))


async def _wanted(asking: Asking, question: Happened) -> Wanted:
    """The sets of all who may have done it."""
    facts = question.facts
    told = {one.name: str(one.value) for one in question.where if one.operator == "equals"}
    journey = str(facts.journey)
    if facts.kind == PASSED:
        return {Dimension.ARRIVED: [f"{journey}/{told['step']}"]}
    if facts.kind == LEFT:
        return {Dimension.LEFT: [f"{journey}/{told['step']}/{told['output']}"]}
    if facts.kind == REACHED and "goal" in told:
        return {Dimension.REACHED: [f"{journey}/{told['goal']}"]}
    if facts.kind == MESSAGE:
        values = await _message_steps(asking, facts.journey, told.get("step"))
        return {dimension: values for dimension in _OF_STEPS[Act(facts.name)]}
    held_out = [f"{journey}/{HOLDOUT}"] if facts.kind == ENDED else []
    return {Dimension.ENTERED: [journey], Dimension.DRAWN: held_out}


async def _message_steps(asking: Asking, journey: int, step: str | None) -> list[str]:
    """The steps that have sent something: of a journey, or of all."""
    if journey and step:
        return [f"{journey}/{step}"]
    about = {"shards": list(range(asking.shards)), "project_id": asking.project_id}
    rows = await asking.session.rows(_VALUES, about)
    return sorted(row.value for row in rows if not journey or row.value.startswith(f"{journey}/"))


async def _people(asking: Asking, wanted: Wanted, spans: Spans) -> Mapping[int, BitMap]:
    """Who is in any of these sets, as those who they are now."""
    days = tuple(sorted({*spans.whole, *spans.edges}))
    named: dict[tuple[str, ...], Sequence[str]] = {
        (dimension.value,): list(values) for dimension, values in wanted.items() if values
    }
    if not named or not days:
        return {}
    asked = sets.Asked(asking.project_id, HAPPENED, days, None)
    found: defaultdict[int, list[BitMap]] = defaultdict(list)
    for place, users in (await sets.read(asking.session, asked, asking.shards, named)).items():
        found[place.shard].append(users)
    return await as_they_are_now(asking, {shard: united(listed) for shard, listed in found.items()})


async def as_they_are_now(asking: Asking, found: Mapping[int, BitMap]) -> Mapping[int, BitMap]:
    """Puts those who turned out to be others in the place of the numbers of their time."""
    people = {shard: users & asking.everybody[shard] for shard, users in found.items()}
    gone = {shard: users - asking.everybody[shard] for shard, users in found.items()}
    for _ in range(MOST_HOPS):
        following: defaultdict[int, BitMap] = defaultdict(BitMap)
        for shard, numbers in gone.items():
            for home, number in await _turned_out(asking, shard, numbers):
                following[home].add(number)
        if not following:
            break
        for home, numbers in following.items():
            people[home] = people.get(home, BitMap()) | (numbers & asking.everybody[home])
        gone = {home: numbers - asking.everybody[home] for home, numbers in following.items()}
    return people


async def _turned_out(asking: Asking, shard: int, numbers: BitMap) -> Iterable[tuple[int, int]]:
    about = {"shard": shard, "project_id": asking.project_id}
    rows = await asking.session.rows_in(_TURNED_OUT, "numbers", list(numbers), about) if numbers else []
    places = (row.merged_into.split(":") for row in rows)
    return [(int(home), int(number)) for home, number in places]
