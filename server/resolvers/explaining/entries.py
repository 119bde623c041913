"""Why somebody entered a journey, or did not: every entry, its conditions one by one, and the rules."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import orjson

from server.clock import Instant
from server.context import Context
from server.journey.graph import Graph, read_graph
from server.journey.reentry import Again, Reentry, Since
from server.journey.steps import EntryAudience, EntryEvent
from server.store import explaining, retention, runs, users, versions
from server.store.sessions import ReadSession
from server.store.tables import Journey, User, Version

from .. import journeys
from ..refusals import Missing
from ..users import Wanted, find
from . import audiences
from .facts import Fact, FactCode, compared, when


class Verdict(StrEnum):
    """The answer in one word."""

    ENTERED = "entered"
    REFUSED = "refused"
    NO_EVENT = "no_event"
    CONDITIONS = "conditions"
    NOT_RUNNING = "not_running"
    UNDECIDED = "undecided"


_REFUSED = {
    "already_inside": "was inside already",
    "entered_before": "had been in before, and the journey lets everybody in only once",
    "paused": "came while the journey was paused",
    "too_old": "did it more than a day before we heard of it",
    "too_soon": "had been in before, too short a time ago",
    "too_often": "had been in as often as the journey allows in that time",
    "ended": "came after the journey's end",
    "time_passed": "came when the time of entry had passed in the user's zone",
    "not_in_audience": "was not in the audience any more",
    "unknown_user": "was not known",
    "loop": "was led back here before any time had passed",
    "internal_error": "met an entry that could not decide",
}


@dataclass(frozen=True, slots=True)
class Explained:
    user: User
    verdict: Verdict
    facts: list[Fact] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Case:
    """Everything that is known of a person and a journey."""

    journey: Journey
    graph: Graph
    number: int
    zone: str
    at: Instant | None
    events: dict[str, Any]
    """By name: the latest event by which an entry could have let the person in."""
    own: Sequence[Any]
    """The person's runs in the journey, in order."""
    former: Sequence[Any]
    """Earlier ones of which only figures are kept."""
    refused: Sequence[Any]
    belongs: dict[str, bool]
    """By entry: whether the person belongs to its audience now."""


async def explain(context: Context, journey_id: int, wanted: Wanted, at: Instant | None) -> Explained | None:
    """None if nobody has this identity. Raises Missing for a journey that is not there."""
    journey = await journeys.by_id(context, journey_id)
    if journey is None:
        raise Missing("There is no such journey in this project.", ("journey",))
    zone = (await journeys.project(context)).time_zone
    async with context.db.read() as session:
        key = await find(session, context, wanted)
        if key is None:
            return None
        user = (await users.by_keys(session, context.project_id, [key]))[key]
        version = await _version_at(session, context, journey, at)
        graph = read_graph(orjson.loads(version.graph))[0] if version else Graph()
        family = await users.family(session, context.project_id, context.shards, key)
        events = {
            name: await explaining.latest_event(session, context.project_id, family, name, at)
            for name in {entry.event for entry in graph.entries}
        }
        own = await runs.in_journey_by_users(session, context.project_id, journey_id, family)
        most = explaining.MOST_REFUSALS
        former = await retention.latest_former_runs(session, context.project_id, journey_id, family, most)
        refused = await explaining.refusals(session, context.project_id, journey_id, family)
        belongs = await audiences.belonging(session, context, graph, user)
    number = version.number if version else 0
    case = _Case(journey, graph, number, zone, at, events, own, former, refused, belongs)
    return Explained(user, _verdict(case), list(_facts(case)))


async def _version_at(
    session: ReadSession, context: Context, journey: Journey, at: Instant | None
) -> Version | None:
    """The version by which people entered then; now, without a time."""
    assert journey.id is not None
    published = (await versions.by_journeys(session, context.project_id, [journey.id])).get(journey.id, [])
    if at is None:
        return next((one for one in published if one.number == journey.version), None)
    return next((one for one in published if one.published_at <= at), published[-1] if published else None)


def _facts(case: _Case) -> Iterator[Fact]:
    yield _status(case)
    for entry in case.graph.all_entries:
        if isinstance(entry, EntryEvent):
            yield from _entry(case, entry)
        elif isinstance(entry, EntryAudience):
            yield from audiences.told(entry, case.belongs.get(entry.key, True))
        else:
            text = f"The entry {entry.key!r} lets in those whom a request over the API names."
            yield Fact(FactCode.ENTRY, text, step_key=entry.key)
    if case.graph.holdout_percent:
        percent = case.graph.holdout_percent
        text = f"{percent} of 100 people are held out: they enter, and end at once as `held_out`."
        yield Fact(FactCode.HELD_OUT, text, values={"percent": percent})
    yield _reentry(case.graph.reentry)
    for run in case.former:
        yield _former_run(run, case.zone)
    for run in case.own[-explaining.MOST_REFUSALS :]:
        yield _run(run, case.zone)
    for row in reversed(case.refused):
        yield _refusal(row)


def _status(case: _Case) -> Fact:
    journey, zone = case.journey, case.zone
    text = f"The journey is {journey.status} now"
    text += f"; version {case.number} was looked at." if case.number else "; nothing was ever published."
    if journey.starts_at is not None:
        text += f" It lets people in from {when(journey.starts_at, zone)}."
    if journey.ends_at is not None:
        text += f" It lets nobody in from {when(journey.ends_at, zone)} on."
    about = {"status": journey.status, "version": case.number}
    return Fact(FactCode.STATUS, text, journey.started_at, values=about)


def _entry(case: _Case, entry: EntryEvent) -> Iterator[Fact]:
    named = f", for the users named in `{entry.users_in}`" if entry.users_in else ""
    text = f"The entry {entry.key!r} lets in whoever does {entry.event!r}{named}."
    yield Fact(FactCode.ENTRY, text, step_key=entry.key, values={"event": entry.event})
    event = case.events.get(entry.event)
    before = f" until {when(case.at, case.zone)}" if case.at is not None else ""
    if event is None:
        text = f"This person has never done {entry.event!r}{before}."
        yield Fact(FactCode.NO_EVENT, text, step_key=entry.key, values={"event": entry.event})
        return
    properties = orjson.loads(event.body)
    text = f"The latest {entry.event!r} of this person{before} was looked at."
    about = {"event": entry.event, "properties": properties}
    yield Fact(FactCode.EVENT, text, event.occurred_at, entry.key, about)
    for fact in compared(entry.where, properties):
        yield Fact(fact.code, fact.text, event.occurred_at, entry.key, fact.values)


def _reentry(rule: Reentry) -> Fact:
    if rule.again is Again.NEVER:
        text = "Everybody comes in once."
    else:
        text = "Who has left may come in again"
        if rule.after_ms:
            since = "entry" if rule.since is Since.ENTRY else "leaving"
            text += f", {rule.after_ms // 1000} seconds after {since} at the earliest"
        if rule.most:
            text += f", at most {rule.most} times in {rule.within_ms // 1000} seconds"
        text += "."
    if rule.one_per:
        text += f" Each value of `{rule.one_per}` has a run of its own."
    return Fact(FactCode.REENTRY, text)


def _run(run: Any, zone: str) -> Fact:
    over = f"ended {when(run.ended_at, zone)} as {run.end_reason}" if run.ended_at else "is inside now"
    text = f"This person entered at {run.entry_key!r}, in version {run.version}, and {over}."
    about = {"runId": str(run.id), "version": run.version, "endReason": run.end_reason}
    return Fact(FactCode.ENTERED, text, run.entered_at, run.entry_key, about)


def _former_run(run: Any, zone: str) -> Fact:
    text = f"This person entered, and left {when(run.ended_at, zone)}; only figures are kept of it."
    return Fact(FactCode.ENTERED, text, run.entered_at)


def _refusal(row: Any) -> Fact:
    text = f"Not let in at {row.step_key!r}: the user {_REFUSED.get(row.reason, row.reason)}."
    return Fact(FactCode.REFUSED, text, row.occurred_at, row.step_key, {"reason": row.reason})


def _verdict(case: _Case) -> Verdict:
    """Of the latest event that an entry lets in by; without one, of what is recorded."""
    events = {entry.key: case.events.get(entry.event) for entry in case.graph.entries}
    latest = max(
        (
            event.occurred_at
            for entry in case.graph.entries
            if (event := events[entry.key]) is not None and entry.lets_in(orjson.loads(event.body))
        ),
        default=None,
    )
    if latest is not None:
        return _at_event(case, latest)
    others = [entry for entry in case.graph.all_entries if not isinstance(entry, EntryEvent)]
    recorded = _recorded(case) if others else None
    if recorded is not None:
        return recorded
    if any(events.values()) or (others and not any(case.belongs.get(one.key, True) for one in others)):
        return Verdict.CONDITIONS
    return Verdict.UNDECIDED if others or not events else Verdict.NO_EVENT


def _at_event(case: _Case, at: Instant) -> Verdict:
    if any(run.entered_at == at for run in (*case.own, *case.former)):
        return Verdict.ENTERED
    if any(row.occurred_at == at for row in case.refused):
        return Verdict.REFUSED
    return Verdict.NOT_RUNNING if _was_closed(case, at) else Verdict.UNDECIDED


def _recorded(case: _Case) -> Verdict | None:
    """The latest of the person's entries and refusals; none if there is neither."""
    until = case.at
    times = [(run.entered_at, Verdict.ENTERED) for run in (*case.own, *case.former)]
    times += [(row.occurred_at, Verdict.REFUSED) for row in case.refused]
    return max((one for one in times if until is None or one[0] <= until), default=(0, None))[1]


def _was_closed(case: _Case, at: Instant) -> bool:
    """Whether nobody could enter then: before it started, or after it was over."""
    begun, over = case.journey.started_at, case.journey.finished_at
    return begun is None or at < begun or (over is not None and at >= over)
