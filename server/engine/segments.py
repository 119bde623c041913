"""Segments in a batch: what they ask of users is read beforehand, and asked when a step wants to know."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from server.clock import Instant
from server.journey.audience import EVENT, NOBODY, Facts, Person, Question, together
from server.journey.graph import Graph
from server.journey.moment import Past
from server.segments import people
from server.store.sessions import ReadSession

from . import fresh
from .batch import Batch, UserKey
from .state import UserState


class Asked(NamedTuple):
    """Segments that may be asked about a user, from an instant on."""

    user: UserKey
    names: frozenset[str]
    at: Instant


def asked_by_runs(batch: Batch) -> list[Asked]:
    found = []
    for run in batch.runs.values():
        if run.is_open:
            graph = batch.catalog.graph_of(run.journey_id, run.version)
            found += asked_by(batch, graph, (run.project_id, run.user_number), run.arrived_at)
    return found


def asked_by(batch: Batch, graph: Graph, user: UserKey, at: Instant) -> list[Asked]:
    """What the steps of a graph, and of those that it leads to, may ask."""
    graphs = [graph, *(batch.catalog.graph_of_journey(one) for one in graph.leads_to)]
    return [Asked(user, one.asks_segments, at) for one in graphs if one is not None and one.asks_segments]


async def load(session: ReadSession, batch: Batch, asked: Iterable[Asked]) -> None:
    """What these segments want to know of these users, into the batch. The users are there already."""
    numbers: defaultdict[int, set[int]] = defaultdict(set)
    names: defaultdict[int, set[str]] = defaultdict(set)
    earliest: dict[int, Instant] = {}
    for (project_id, number), wanted, at in asked:
        numbers[project_id].add(number)
        names[project_id] |= wanted
        earliest[project_id] = min(at, earliest.get(project_id, at))
    for project_id, here in numbers.items():
        questions = [question_of(batch, project_id, name) for name in names[project_id]]
        await know(session, batch, project_id, here, questions, earliest[project_id])


async def know(
    session: ReadSession,
    batch: Batch,
    project_id: int,
    numbers: Collection[int],
    questions: Iterable[Question],
    at: Instant,
) -> None:
    """What these questions want to know of users at that instant or later, into the batch."""
    wants = together(questions)
    lists: Mapping[str, int] = batch.catalog.lists.get(project_id, {})
    since = wants.since(at, batch.catalog.zone_of(project_id))
    known = await people.known(session, project_id, batch.shard, numbers, wants, lists, since)
    for number, past in known.past.items():
        for facts, found in past.items():
            _keep(batch, (project_id, number), facts, found)
    for number, on in known.lists.items():
        batch.lists[project_id, number] |= on


def _keep(batch: Batch, key: UserKey, facts: Facts, found: Mapping[str, Past]) -> None:
    if facts.kind != EVENT:
        batch.facts[key].setdefault(facts, {}).update(found)
        return
    for digest, past in found.items():
        batch.note_past(key, facts.name, digest, past)


def question_of(batch: Batch, project_id: int, name: str) -> Question:
    """What the segment asks. One that has been taken away since has nobody in it."""
    return batch.catalog.segments.get((project_id, name), NOBODY)


def asking(
    batch: Batch, project_id: int, user: UserState, at: Instant
) -> Callable[[str, Mapping[str, Any]], bool]:
    """Answers whether the user, with these attributes, belongs to a segment at that instant."""

    def is_in(name: str, attributes: Mapping[str, Any]) -> bool:
        somebody = person(batch, project_id, user, at, attributes)
        return question_of(batch, project_id, name).holds(somebody)

    return is_in


def person(
    batch: Batch, project_id: int, user: UserState, at: Instant, attributes: Mapping[str, Any]
) -> Person:
    key = (project_id, user.number)
    return Person(
        at=at,
        attributes=attributes,
        past=lambda facts: _past(batch, key, facts),
        lists=batch.lists.get(key, ()),
        reaches=lambda channel: _reach(user, channel),
        zone=batch.catalog.zone_of(project_id),
    )


def _past(batch: Batch, key: UserKey, facts: Facts) -> Sequence[Past]:
    """As it was when the batch was read, and what has happened in it since."""
    if facts.kind == EVENT:
        return batch.past_of(key, facts.name)
    known = dict(batch.facts[key].get(facts, {}))
    known.update((one.key, one.past) for one in fresh.facts_of(batch, key, facts.kind) if one.facts == facts)
    return list(known.values())


def _reach(user: UserState, channel: str) -> str:
    here = user.addresses.get(channel, ())
    return "" if any(one.state == "usable" for one in here) else people.NO_ADDRESS
