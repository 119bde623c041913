"""What deciding a batch asks for: whose attributes, whose runs, which past, to whom one can write."""

from typing import NamedTuple

from server.clock import Instant
from server.ingest.messages import ArrivedEvent
from server.journey.graph import Graph
from server.store.commands import MOVE

from . import commands, news
from .batch import Batch, UserKey
from .items import Item, identities_in
from .state import RunState


class Entrant(NamedTuple):
    """Somebody who may come into a journey in this batch, and when."""

    graph: Graph
    user: UserKey
    at: Instant


def may_unite(batch: Batch, items: list[Item]) -> set[tuple[int, int]]:
    """Our users that an event mentions beside another identity: they may turn out to be somebody else."""
    found = set()
    for item in items:
        identities = identities_in(item)
        if len(identities) > 1:
            known = [batch.identities.get(identity) for identity in identities]
            numbers = {one.number for one in known if one and one.number is not None}
            if len(numbers) > 1 or None in known:
                found |= {(item.row.project_id, number) for number in numbers}
    return found


def asks_for_user(batch: Batch, run: RunState) -> bool:
    return batch.catalog.graph_of(run.journey_id, run.version).asks_for_user


def led_elsewhere(batch: Batch) -> set[tuple[int, int]]:
    """Whose runs may lead to another journey, which asks for all other runs of theirs."""
    return {
        (run.project_id, run.user_number)
        for run in batch.runs.values()
        if run.is_open and batch.catalog.graph_of(run.journey_id, run.version).leads_to
    }


def earliest(items: list[Item]) -> Instant:
    """When the first of what these items tell of happened."""
    told = [item.event.occurred_at if item.event else item.command.get("at") for item in items]
    return min((at for at in told if at is not None), default=0)


def known_guests(item: Item) -> set[tuple[int, int]]:
    return {(item.row.project_id, guest.number) for guest in item.guests if guest.number is not None}


def guests_who_enter(batch: Batch, item: Item, guests: set[tuple[int, int]]) -> list[Entrant]:
    graph = batch.catalog.graph_of_journey(item.command["journey_id"])
    return [] if graph is None else [Entrant(graph, guest, item.command["at"]) for guest in guests]


def entrants(batch: Batch, user: tuple[int, int], event: ArrivedEvent) -> list[Entrant]:
    return [
        Entrant(batch.catalog.graph_of(journey.id, journey.version), user, event.occurred_at)
        for journey, _ in batch.catalog.entries.get((user[0], event.name), ())
    ]


def heard_of(batch: Batch, items: list[Item]) -> set[int]:
    """The runs whose conversions may be credited otherwise, by what was heard of a message."""
    found = {message.run_id for message in batch.messages.values() if news.has_goals(batch, message)}
    return found | {item.command["run_id"] for item in items if item.row.kind == news.NEWS}


def to_credit(batch: Batch, items: list[Item]) -> set[int]:
    """The runs that may have conversions after this batch which they had not before."""
    found: set[int] = set()
    for item in items:
        if item.row.kind == commands.ADOPT:
            found |= {RunState(*values).id for values in item.command["runs"]}
        elif item.event is not None and item.found is not None:
            runs = batch.runs_by_user[item.row.project_id, item.found.number]
            found |= {run.id for run in runs if may_reach(batch, run, item.event)}
    return found


def may_reach(batch: Batch, run: RunState, event: ArrivedEvent) -> bool:
    graph = batch.catalog.graph_of(run.journey_id, run.version)
    counts = run.is_open or (run.counts_goals_until or 0) >= event.occurred_at
    return counts and event.name in graph.goal_events


def asking_for_reach(batch: Batch, items: list[Item]) -> set[tuple[int, int]]:
    """Whose runs, or entries by these events, may ask on which channels they can be written to."""
    asking = {one for one in batch.catalog.journeys if batch.catalog.asks_for_reach(one)}
    if not asking:
        return set()
    found = {(run.project_id, run.user_number) for run in batch.runs.values() if run.journey_id in asking}
    for item in items:
        if item.event is not None and item.found is not None:
            entries = batch.catalog.entries.get((item.row.project_id, item.event.name), ())
            if any(journey.id in asking for journey, _ in entries):
                found.add((item.row.project_id, item.found.number))
        elif item.guests and item.command["journey_id"] in asking:
            found |= known_guests(item)
    return found


def moved(batch: Batch, items: list[Item]) -> list[Entrant]:
    """The runs that a command may move to another version, with the graph of that."""
    return [
        Entrant(
            batch.catalog.graph_of(run.journey_id, item.command["version"]),
            (run.project_id, run.user_number),
            run.entered_at,
        )
        for item in items
        if item.row.kind == MOVE
        for run in batch.runs.values()
        if run.journey_id == item.command["journey_id"] and run.is_open
    ]
