"""Reads a plan from plain data, as files, tests and the API hand it in, and tells everything that is wrong.

A length of time is a text such as `2h 30m`, or a number of seconds. A time is ISO 8601, or a length of time
after the start.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

from server.clock import DAY, Instant
from server.files.lengths import to_seconds
from server.ingest.segment_time import to_instant
from server.journey.graph import Graph, read_graph
from server.journey.moment import Problem
from server.journey.reading import Reader

from . import crowd
from .plan import (
    LONGEST,
    LONGEST_WALL_SECONDS,
    MOST_ACTS,
    MOST_HABITS,
    MOST_PEOPLE,
    USUAL_WALL_SECONDS,
    Act,
    After,
    Habit,
    OtherJourney,
    Person,
    Plan,
    PlayedTemplate,
    Rates,
    StandIn,
)

USUAL_LENGTH = 30 * DAY
_SHARES = ("refused", "bounced", "delivered", "opened", "clicked", "unsubscribed", "complained")
_LENGTHS = ("opened_within", "clicked_within")
_MOST_CHANNELS = 20
_KNOWN = (
    *("start", "until", "zone", "seed", "wall_seconds"),
    *("people", "events", "arrivals", "rates", "habits"),
)


@dataclass(frozen=True, slots=True)
class Setting:
    """What a rehearsal stands in, which the data does not say."""

    graph: Mapping[str, Any]
    now: Instant
    title: str = "Rehearsal"
    journey_id: int = 1
    zone: str = "UTC"
    project_name: str = "Rehearsal"
    requires_consent: bool = False
    commerce: str = ""
    connections: Sequence[StandIn] | None = None
    segments: Mapping[str, Any] = field(default_factory=dict)
    caps: Sequence[tuple[str, int, int]] = ()
    others: Sequence[OtherJourney] = ()
    templates: Sequence[PlayedTemplate] = ()
    notes: Sequence[str] = ()
    sampled: Sequence[Person] = field(default_factory=list)
    """People who come beside those that the data makes up."""


def read_plan(data: Mapping[str, Any], setting: Setting) -> tuple[Plan, list[Problem]]:
    """The plan, and everything that is wrong with it. The setting's graph has to be sound."""
    reader = Reader(data)
    _only(reader, *_KNOWN)
    graph = read_graph(setting.graph)[0]
    start = _start(reader, setting.now)
    plan = Plan(
        graph=setting.graph,
        people=[],
        start=start,
        until=_until(reader, start),
        title=setting.title,
        journey_id=setting.journey_id,
        zone=_zone(reader, setting.zone),
        project_name=setting.project_name,
        requires_consent=setting.requires_consent,
        commerce=setting.commerce,
        rates=_rates(reader),
        habits=_habits(reader, graph),
        connections=setting.connections,
        segments=setting.segments,
        caps=setting.caps,
        others=setting.others,
        templates=setting.templates,
        notes=setting.notes,
        seed=reader.number("seed", least=0, most=2**53, required=False),
        wall_seconds=_wall_seconds(reader),
    )
    made = list(_people(reader, plan, graph))
    plan = replace(plan, people=[*_with_events(reader, made, plan, graph), *setting.sampled])
    _check_people(reader, plan)
    plan = replace(plan, people=_arrivals(reader, plan, graph))
    _check_acts(reader, plan)
    return plan, reader.problems


# Times


def _start(reader: Reader, now: Instant) -> Instant:
    found = reader.value("start", required=False)
    if found is None:
        return now
    return _instant(reader, "start", found, None)


def _until(reader: Reader, start: Instant) -> Instant:
    found = reader.value("until", required=False)
    if found is None:
        return start + USUAL_LENGTH
    until = _instant(reader, "until", found, start)
    if not start < until <= start + LONGEST:
        message = f"A rehearsal lasts at most {LONGEST // DAY} days and ends after it begins"
        reader.refuse("until", message, "out_of_range")
        return start + USUAL_LENGTH
    return until


def _instant(reader: Reader, key: str, found: Any, start: Instant | None) -> Instant:
    """A time; or, with a start, a length of time after it."""
    if start is not None and (seconds := _seconds(found)) is not None:
        return start + seconds * 1000
    at = to_instant(found) if isinstance(found, str) else None
    if at is None:
        wanted = "a time like 2026-12-01T09:00:00+09:00"
        wanted += ", or a length of time after the start like 2h 30m" if start is not None else ""
        reader.refuse(key, f"`{key}` must be {wanted}, found {str(found)[:60]!r}")
        return start or 0
    return at


def _seconds(found: Any) -> int | None:
    if isinstance(found, int) and not isinstance(found, bool) and 0 <= found <= LONGEST // 1000:
        return found
    return to_seconds(found) if isinstance(found, str) else None


def _length(reader: Reader, key: str, default_ms: int, *, longest: int = LONGEST) -> int:
    """Milliseconds."""
    found = reader.value(key, required=False)
    if found is None:
        return default_ms
    seconds = _seconds(found)
    if seconds is None or seconds * 1000 > longest:
        message = f"`{key}` must be a length of time like 2h 30m, of at most {longest // DAY} days"
        reader.refuse(key, f"{message}, found {str(found)[:60]!r}")
        return default_ms
    return seconds * 1000


def _zone(reader: Reader, usual: str) -> str:
    zone = reader.text("zone", required=False, longest=64, default=usual)
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        reader.refuse("zone", f"A time zone like Asia/Seoul was wanted, found {zone!r}")
        return usual
    return zone


def _wall_seconds(reader: Reader) -> float:
    most = int(LONGEST_WALL_SECONDS)
    usual = int(USUAL_WALL_SECONDS)
    return float(reader.number("wall_seconds", least=1, most=most, required=False, default=usual))


# People


def _people(reader: Reader, plan: Plan, graph: Graph) -> Iterator[Person]:
    takes = crowd.schemes(plan.connections or ())
    everywhere = crowd.channels_of(graph)
    number = 0
    for item in reader.items("people", most=MOST_PEOPLE):
        _only(item, "name", "count", "attributes", "channels", "segments", "events")
        count = item.number("count", least=1, most=MOST_PEOPLE, required=False, default=1)
        name = item.text("name", required=False, longest=200)
        told: dict[str, Any] = {
            "attributes": _object(item, "attributes"),
            "acts": _acts(item, plan.start, graph),
            "segments": frozenset(_texts(item, "segments", most=100)),
            "consents": crowd.agreements(plan),
        }
        channels = _texts(item, "channels", most=_MOST_CHANNELS) if _has(item, "channels") else everywhere
        for place in range(min(count, MOST_PEOPLE + 1 - number)):
            number += 1
            called = name if name and count == 1 else f"{name or 'person'}-{place + 1 if name else number}"
            yield Person(called, addresses=crowd.addresses_of(called, number, channels, takes), **told)


def _with_events(reader: Reader, made: Sequence[Person], plan: Plan, graph: Graph) -> list[Person]:
    """What is said of events apart from people: whoever is named there comes, too."""
    people = {one.name: one for one in made}
    takes, channels = crowd.schemes(plan.connections or ()), crowd.channels_of(graph)
    for item in reader.items("events", most=MOST_ACTS):
        _only(item, "who", "event", "enters", "at", "properties")
        name = item.text("who", longest=200)
        if name not in people:
            where = crowd.addresses_of(name, len(people) + 1, channels, takes)
            people[name] = Person(name, addresses=where)
        acts = [*people[name].acts, _act(item, plan.start, graph)]
        people[name] = replace(people[name], acts=acts)
    # Names that are there twice stay, so that this is told.
    fresh = [people[name] for name in people if name not in {one.name for one in made}]
    return [*(people[one.name] for one in made), *fresh]


def _only(reader: Reader, *known: str) -> None:
    """A name that is spelled wrongly must not mean nothing."""
    for name in reader.names():
        if name not in known:
            reader.refuse(name, f"There is no `{name}` here; there are: {', '.join(known)}", "unknown_field")


def _has(reader: Reader, key: str) -> bool:
    return reader.value(key, required=False) is not None


def _object(reader: Reader, key: str) -> Mapping[str, Any]:
    found = reader.value(key, required=False, default={})
    if not isinstance(found, Mapping):
        reader.refuse(key, f"`{key}` must be an object")
        return {}
    return found


def _texts(reader: Reader, key: str, *, most: int) -> list[str]:
    found = reader.value(key, required=False, default=[])
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found) or len(found) > most:
        reader.refuse(key, f"`{key}` must be a list of at most {most} texts")
        return []
    return found


def _acts(reader: Reader, start: Instant, graph: Graph) -> list[Act]:
    found = []
    for item in reader.items("events", most=1000):
        _only(item, "event", "enters", "at", "properties")
        found.append(_act(item, start, graph))
    return found


def _act(reader: Reader, start: Instant, graph: Graph) -> Act:
    when = reader.value("at", required=False)
    at = start + 1 if when is None else _instant(reader, "at", when, start)
    enters = _enters(reader, graph)
    event = reader.text("event", required=not enters, longest=256)
    return Act(at, event, _object(reader, "properties"), enters)


def _enters(reader: Reader, graph: Graph) -> str:
    """The entry by which the API lets somebody in; empty if an event is meant."""
    key = reader.text("enters", required=False, longest=64)
    known = [step.key for step in graph.all_entries]
    if key and key not in known:
        reader.refuse("enters", f"There is no entry {key!r}; there are: {', '.join(known)}", "unknown_step")
        return ""
    return key


def _check_people(reader: Reader, plan: Plan) -> None:
    if not 0 < len(plan.people) <= MOST_PEOPLE:
        message = f"1 to {MOST_PEOPLE} people can come to a rehearsal, found {len(plan.people)}"
        reader.refuse("people", message, "out_of_range")
    seen: set[str] = set()
    for one in plan.people:
        if one.name in seen:
            message = f"Two people are called {one.name!r}; each needs a name of its own"
            reader.refuse("people", message, "duplicate")
            return
        seen.add(one.name)


def _arrivals(reader: Reader, plan: Plan, graph: Graph) -> Sequence[Person]:
    found = reader.value("arrivals", required=False, default={})
    item = Reader(found, ("arrivals",), reader.problems)
    _only(item, "event", "enters", "properties", "within")
    event, enters = crowd.usual_way_in(graph)
    enters = _enters(item, graph) or enters
    event = item.text("event", required=False, longest=256, default="" if enters else event)
    within = _length(item, "within", 0)
    if not (event or enters):
        return plan.people
    act = Act(plan.start + 1, event, _object(item, "properties"), "" if event else enters)
    return crowd.arriving(plan, act, within)


def _check_acts(reader: Reader, plan: Plan) -> None:
    acts = sum(len(one.acts) for one in plan.people)
    if acts > MOST_ACTS:
        message = f"All people together can do {MOST_ACTS} things, found {acts}"
        reader.refuse("people", message, "out_of_range")
    if any(not plan.start <= act.at <= plan.until for one in plan.people for act in one.acts):
        reader.refuse("people", "Somebody does something before the start or after the end", "out_of_range")


# Behaviour


def _rates(reader: Reader) -> dict[str, Rates]:
    """`{"opened": 0.4, …}` for all messages; or the same by step, by channel, and for `all` others."""
    found = reader.value("rates", required=False, default={})
    if not isinstance(found, Mapping):
        reader.refuse("rates", "`rates` must be an object")
        return {}
    if all(name in (*_SHARES, *_LENGTHS) for name in found):
        return {"": _read_rates(Reader(found, ("rates",), reader.problems))} if found else {}
    return {
        "" if name == "all" else str(name): _read_rates(Reader(inner, ("rates", name), reader.problems))
        for name, inner in list(found.items())[:300]
    }


def _read_rates(reader: Reader) -> Rates:
    usual = Rates()
    _only(reader, *_SHARES, *_LENGTHS)
    shares: dict[str, Any] = {name: _share(reader, name, getattr(usual, name)) for name in _SHARES}
    lengths: dict[str, Any] = {
        f"{name}_ms": _length(reader, name, getattr(usual, f"{name}_ms")) for name in _LENGTHS
    }
    return Rates(**shares, **lengths)


def _share(reader: Reader, key: str, usual: float) -> float:
    found = reader.value(key, required=False, default=usual)
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found <= 1:
        reader.refuse(key, f"`{key}` is a share from 0 to 1, found {str(found)[:40]}", "out_of_range")
        return usual
    return float(found)


def _habits(reader: Reader, graph: Graph) -> list[Habit]:
    return [_habit(item, graph) for item in reader.items("habits", most=MOST_HABITS)]


def _habit(reader: Reader, graph: Graph) -> Habit:
    _only(reader, "event", "properties", "share", "after", "step", "soonest", "latest")
    after = After(reader.choice("after", tuple(After))) if _has(reader, "after") else After.ARRIVED
    step = reader.text("step", required=False, longest=64)
    if step and step not in graph.steps:
        known = ", ".join(graph.steps)
        reader.refuse("step", f"There is no step {step!r}; there are: {known}", "unknown_step")
    soonest = _length(reader, "soonest", 0)
    latest = _length(reader, "latest", max(soonest, 0))
    if latest < soonest:
        reader.refuse("latest", "`latest` must not lie before `soonest`", "out_of_range")
        latest = soonest
    return Habit(
        event=reader.text("event", longest=256),
        share=_share(reader, "share", 1.0),
        properties=_object(reader, "properties"),
        after=after,
        step=step,
        soonest_ms=soonest,
        latest_ms=latest,
    )
