"""Commands in a batch: what an operator decided for a journey, and what users turned out to be."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import orjson
from sqlalchemy import bindparam, case, update

from server.clock import Instant
from server.journey.credit import Letter
from server.journey.moment import EndReason, Past
from server.journey.status import JourneyStatus
from server.journey.waking import ResumePolicy
from server.store import inbox
from server.store.bulk import table_of
from server.store.consents import Decision
from server.store.tables import Run
from server.store.vouchers import REMEMBER

from . import addresses, commerce, consents, credits, deeds, entering, erasing, goals, lists, moving, runs
from .batch import Batch, IdentityKey
from .devices import DeviceState
from .people import Merge
from .state import Happening, RunState, UserState

PAUSE, RESUME, STOP, ADOPT = "pause", "resume", "stop", "adopt"

_OVER = (JourneyStatus.FINISHED, JourneyStatus.ARCHIVED)
_runs = table_of(Run)
_OPEN = (_runs.c.shard == bindparam("of_shard"), _runs.c.journey_id == bindparam("of_journey"))
HOLD = update(_runs).where(*_OPEN, _runs.c.wake_at.is_not(None)).values(held=True)
RELEASE = (
    update(_runs)
    .where(*_OPEN, _runs.c.held, _runs.c.wake_at.is_not(None))
    .values(held=False, wake_at=_runs.c.wake_at + bindparam("shift"))
)
RELEASE_NOW = (
    update(_runs)
    .where(*_OPEN, _runs.c.held, _runs.c.wake_at.is_not(None))
    .values(
        held=False, wake_at=case((_runs.c.wake_at < bindparam("at"), bindparam("at")), else_=_runs.c.wake_at)
    )
)
"""Every wait keeps its time; what is over by now is over now."""


def hold(batch: Batch, command: dict[str, Any]) -> None:
    """Time stands still for every run of the journey."""
    batch.statements.append((HOLD, {"of_shard": batch.shard, "of_journey": command["journey_id"]}))


def let_go(batch: Batch, command: dict[str, Any], *, is_last: bool) -> None:
    """Time goes on; what becomes of what fell due meanwhile is the operator's choice.

    With the choice to skip it, the runs concerned end a page a turn, and only then the others go on.
    """
    about = {"of_shard": batch.shard, "of_journey": command["journey_id"]}
    policy = command.get("policy", ResumePolicy.SHIFT)
    if policy == ResumePolicy.SHIFT:
        batch.statements.append((RELEASE, {**about, "shift": command["shift_ms"]}))
        return
    at = command["at"]
    if policy == ResumePolicy.SKIP:
        for run in list(batch.runs.values()):
            if run.journey_id == command["journey_id"] and fell_due(run, at - command["shift_ms"], at):
                runs.end(batch, run, EndReason.OVERDUE, max(at, run.arrived_at))
    if is_last:
        batch.statements.append((RELEASE_NOW, {**about, "at": at}))


def fell_due(run: RunState, paused_at: Instant, at: Instant) -> bool:
    """Whether the wait of a held run was over in the pause; one that heard what it waited for goes on."""
    return run.held and run.wake_at is not None and paused_at < run.wake_at <= at


def stop(batch: Batch, command: dict[str, Any]) -> None:
    """Ends every open run of the journey that was loaded."""
    for run in list(batch.runs.values()):
        if run.journey_id == command["journey_id"] and run.is_open:
            runs.end(batch, run, EndReason.STOPPED, max(command["at"], run.arrived_at))


def remember(batch: Batch, project_id: int, command: dict[str, Any]) -> None:
    """Keeps at a user what a message gave them; at the other, if ours turned out to be another."""
    user = batch.users[project_id, command["number"]]
    if user.merged_into is not None:
        home, _, number = user.merged_into.partition(":")
        payload = orjson.dumps({**command, "number": int(number)})
        batch.outgoing.append(inbox.Entry(int(home), project_id, REMEMBER, payload, batch.now))
        return
    user.attributes[command["attribute"]] = command["value"]
    user.is_changed = True


def send_away(
    batch: Batch,
    merge: Merge,
    moving: list[Any],
    identities: list[IdentityKey],
    at: Instant,
    keys: Iterable[str],
) -> None:
    """Hands a user who turned out to be another over to that user's shard, which may be this one.

    Its facts stay where they are, under its number; what is still going on moves: the runs that are open
    or still count goals, and the events since they began, so that their steps find them.
    """
    user = batch.users[merge.project_id, merge.number]
    user.merged_into, user.is_changed = f"{merge.home}:{merge.into}", True
    leaving = [
        run
        for run in batch.runs_by_user.pop((merge.project_id, merge.number), [])
        if run.is_open or (run.counts_goals_until or 0) >= at
    ]
    for run in leaving:
        if not run.is_new:
            batch.gone_runs.append((batch.shard, run.id))
        del batch.runs[run.id]
    since = min((run.entered_at for run in leaving if run.is_open), default=None)
    going = {row.digest for row in (*moving, *_noted_since(batch, merge, since))}
    did = deeds.leave(batch, (merge.project_id, merge.number), keys, going)
    past = [_event_values(batch, merge, row) for row in moving]
    past += _take_noted(batch, merge, since)
    payload = {
        "number": merge.into,
        "from": [batch.shard, merge.number],
        "at": at,
        "attributes": user.attributes,
        "addresses": [[*where, state] for where, state in user.known_states.items()],
        "current": {channel: [one.address for one in here] for channel, here in user.addresses.items()},
        "consents": [list(one) for one in batch.consents.get((merge.project_id, merge.number), ())],
        "lists": lists.leave(batch, merge.project_id, merge.number),
        "commerce": commerce.leave(batch, merge.project_id, merge.number),
        "deeds": did,
        "runs": [run.row() for run in leaving],
        "letters": [[run.id, letter] for run in leaving for letter in credits.take_along(batch, run)],
        "events": past,
        # Within one shard they lead to the other user already.
        "identities": [] if merge.home == batch.shard else [[kind, value] for _, kind, value in identities],
    }
    batch.outgoing.append(inbox.Entry(merge.home, merge.project_id, ADOPT, orjson.dumps(payload), batch.now))


def nothing_to_adopt(number: int, was: list[int], at: Instant) -> dict[str, Any]:
    """What to adopt from a user of whom everything else is here already."""
    empty: dict[str, Any] = {"attributes": {}, "addresses": [], "current": {}, "runs": [], "events": []}
    return {"number": number, "from": was, "at": at, **empty}


def _event_values(batch: Batch, merge: Merge, row: Any) -> list[Any]:
    batch.gone_events.append((batch.shard, merge.project_id, merge.number, row.occurred_at, row.digest))
    return [
        row.occurred_at,
        row.digest,
        row.type,
        row.name,
        row.body,
        row.context,
        row.received_at,
        row.device_number,
        row.session_at,
        row.by_member,
        row.deeds,
    ]


class _Noted(NamedTuple):
    """An event of this very batch, which no query can have found, as a row of the table."""

    shard: int
    project_id: int
    user_number: int
    occurred_at: Instant
    digest: str
    type: str
    name: str
    body: str
    context: str
    received_at: Instant
    device_number: int | None = None
    session_at: Instant | None = None
    by_member: bool = False
    deeds: str = ""


def _noted(batch: Batch, project_id: int, number: int, since: Instant) -> list[_Noted]:
    rows = (_Noted(*row) for row in batch.events if row[1:3] == (project_id, number))
    return [row for row in rows if row.occurred_at >= since]


def _noted_since(batch: Batch, merge: Merge, since: Instant | None) -> list[_Noted]:
    return [] if since is None else _noted(batch, merge.project_id, merge.number, since)


def _take_noted(batch: Batch, merge: Merge, since: Instant | None) -> list[list[Any]]:
    rows = _noted_since(batch, merge, since)
    moved = set(rows)
    batch.events = [row for row in batch.events if row not in moved]
    return [[row.occurred_at, row.digest, *row[5:]] for row in rows]


def adopt(batch: Batch, project_id: int, command: dict[str, Any], later: list[Any]) -> None:
    """Takes over what goes on for a user who turned out to be ours, or passes it on if ours did, too.

    `later` are our user's events since the earliest run that comes: goals among them count for it too.
    """
    user = batch.users[project_id, command["number"]]
    if user.merged_into is not None:
        _pass_on(batch, project_id, command, user.merged_into)
        return
    if command["runs"]:
        begun = min(RunState(*values).entered_at for values in command["runs"])
        later = [*later, *_noted(batch, project_id, user.number, begun)]
    _take_over_profile(batch, project_id, user, command)
    deeds.count_orders(batch, project_id, user, commerce.adopt(batch, user, project_id, command))
    moved = deeds.adopt(batch, user, project_id, command)
    for values in command["events"]:
        _take_over_event(batch, user, project_id, values, moved)
    for run_id, letter in command.get("letters", ()):
        credits.welcome(batch, project_id, run_id, Letter(*letter))
    for values in command["runs"]:
        _take_over_run(batch, user, RunState(*values), command["at"], later)
    if user.is_erased:
        erasing.erase_again(batch, project_id, user, command)


def _take_over_event(
    batch: Batch, user: UserState, project_id: int, values: list[Any], devices: dict[int, DeviceState]
) -> None:
    event = _Noted(batch.shard, project_id, user.number, *values)
    device = devices[event.device_number].number if event.device_number is not None else None
    event = event._replace(device_number=device)
    batch.events.append(tuple(event))
    deeds.count_again(batch, project_id, event)
    past = Past(event.occurred_at, orjson.loads(event.body))
    batch.note_past((project_id, user.number), event.name, event.digest, past)


def _pass_on(batch: Batch, project_id: int, command: dict[str, Any], merged_into: str) -> None:
    home, number = merged_into.split(":")
    payload = orjson.dumps({**command, "number": int(number)})
    batch.outgoing.append(inbox.Entry(int(home), project_id, ADOPT, payload, batch.now))


def _take_over_profile(batch: Batch, project_id: int, user: UserState, command: dict[str, Any]) -> None:
    """What our user says of itself holds; the other fills the gaps. An opt-out holds whoever said it."""
    user.attributes = {**command["attributes"], **user.attributes}
    user.is_changed = True
    for channel, address, state in command["addresses"]:
        if (channel, address) not in user.known_states:
            addresses.know(batch, user, project_id, channel, address, state, command["at"])
        batch.adopted.add((project_id, channel, address))
    for decision in command.get("consents", ()):
        consents.keep(batch, user, project_id, Decision(*decision))
    lists.put(batch, project_id, user.number, command.get("lists", ()))
    for channel, theirs in command["current"].items():
        addresses.keep(batch, user, project_id, channel, theirs, command["at"])


def _take_over_run(batch: Batch, user: UserState, run: RunState, at: Instant, later: list[Any]) -> None:
    inside = any(
        other.is_open and (other.journey_id, other.entry_value) == (run.journey_id, run.entry_value)
        for other in batch.runs_by_user[run.project_id, user.number]
    )
    run.shard, run.user_number, run.is_new = batch.shard, user.number, True
    journey = batch.catalog.journeys.get(run.journey_id)
    run.held = run.is_open and journey is not None and journey.status is JourneyStatus.PAUSED
    if run.is_open and journey is not None and journey.status in _OVER:
        runs.end(batch, run, EndReason.STOPPED, max(at, run.arrived_at))
    elif run.is_open and inside:
        runs.end(batch, run, EndReason.MERGED, max(at, run.arrived_at), "already inside as another user")
    batch.add_run(run)
    credits.arrive(batch, run)
    moving.catch_up(batch, run, at)
    for row in later:
        body = orjson.loads(row.body)
        happening = Happening(run.project_id, row.type, row.name, body, row.occurred_at, row.digest)
        past = Past(row.occurred_at, body)
        batch.note_past((run.project_id, user.number), row.name, row.digest, past)
        entering.wake_until(batch, user, run.project_id, row.occurred_at)
        goals.offer_to(batch, run, user, happening)
