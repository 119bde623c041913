"""People who are let in by name: the users whom an event's property names, and whom the API asks for.

An invitation names people by their ids. It goes to the shards of those ids as a row of their inboxes, and
on from there to the shards in which their users live.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from server.journey.status import JourneyStatus
from server.journey.steps import Step
from server.store import invitations
from server.store.ids import digest
from server.store.invitations import INVITE, Named

from . import entering
from .batch import Batch, IdentityKey
from .catalog import LiveJourney
from .entering import RefusedEntry
from .people import MOST_HOPS, Resolver
from .state import Happening, UserState

NOBODY = -1
"""In a refusal the number of a user that there is not."""

_TAKE_PART = (JourneyStatus.RUNNING, JourneyStatus.PAUSED)


class Guest(NamedTuple):
    """Somebody who is named, and the number of that user here; none if nobody is."""

    kind: str
    value: str
    number: int | None


def identities_in(project_id: int, command: dict[str, Any]) -> list[IdentityKey]:
    return [(project_id, kind, value) for kind, value in command["people"]]


def resolve(resolver: Resolver, project_id: int, command: dict[str, Any]) -> list[Guest]:
    """Who is named here. Those who live in another shard are invited there; new users are made if wanted."""
    batch, guests = resolver.batch, []
    elsewhere: defaultdict[int, list[Named]] = defaultdict(list)
    for kind, value in command["people"]:
        identity = (project_id, kind, value)
        known = batch.identities.get(identity)
        if known is not None and known.home != batch.shard:
            elsewhere[known.home].append((kind, value))
        elif known is not None or not command.get("creates"):
            guests.append(Guest(kind, value, known.number if known else None))
        else:
            guests.append(Guest(kind, value, resolver.make(identity, command["at"])))
    for shard, people in elsewhere.items():
        _pass_on(batch, shard, project_id, command, people)
    return guests


def _pass_on(
    batch: Batch, shard: int, project_id: int, command: dict[str, Any], people: Sequence[Named]
) -> None:
    hops = command.get("hops", 0) + 1
    if hops > MOST_HOPS:
        raise RuntimeError(f"An invitation of {len(people)} people was passed on between shards too often.")
    about = {**command, "hops": hops}
    batch.outgoing.append(invitations.entry(shard, project_id, about, people, batch.now))


def take_in(batch: Batch, project_id: int, command: dict[str, Any], guests: Sequence[Guest]) -> None:
    """Lets the guests in, or says for each why not."""
    journey = batch.catalog.journeys.get(command["journey_id"])
    graph = batch.catalog.graph_of_journey(command["journey_id"])
    entry = graph.steps.get(command["entry_key"]) if graph else None
    for guest in guests:
        user = batch.user((project_id, NOBODY if guest.number is None else guest.number))
        if user.merged_into is not None:
            home = int(user.merged_into.partition(":")[0])
            _pass_on(batch, home, project_id, command, [(guest.kind, guest.value)])
        elif journey is None or entry is None or journey.project_id != project_id:
            _answer(batch, project_id, command, guest, None, RefusedEntry.ENDED)
        else:
            _offer(batch, journey, entry, user, command, guest)


def _offer(
    batch: Batch, journey: LiveJourney, entry: Step, user: UserState, command: dict[str, Any], guest: Guest
) -> None:
    event = _happening(journey.project_id, command, guest)
    reason = _refused_before(journey, guest)
    run = None
    if reason:
        entering.refuse(batch, journey, entry, user, reason, event)
    else:
        entering.wake_until(batch, user, journey.project_id, event.at)
        run, reason = entering.offer_entry(batch, journey, entry, user, event)
        entering.lead_on(batch)
    _answer(batch, journey.project_id, command, guest, run.id if run else None, reason)


def _refused_before(journey: LiveJourney, guest: Guest) -> str:
    if journey.status not in _TAKE_PART:
        return RefusedEntry.ENDED
    return RefusedEntry.UNKNOWN_USER if guest.number is None else ""


def _happening(project_id: int, command: dict[str, Any], guest: Guest) -> Happening:
    own = command["digest"]
    if guest.number is None or command.get("request_id") is not None:
        own = digest(f"{own} {guest.kind} {guest.value}")
    return Happening(project_id, INVITE, command["event"], command["properties"], command["at"], own)


def _answer(
    batch: Batch, project_id: int, command: dict[str, Any], guest: Guest, run_id: int | None, reason: str
) -> None:
    request_id = command.get("request_id")
    if request_id is not None:
        which = (batch.shard, request_id, guest.kind, guest.value)
        batch.answers.append((*which, project_id, guest.number, run_id, reason, command["at"]))
