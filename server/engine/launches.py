"""Launches: an audience is let in, a page of people a turn.

The cursor moves in the very transaction that lets the page in, so that a crash leaves nobody out and lets
nobody in twice. In each person's own zone a launch passes over its audience once for every instant at which
somebody's moment comes, which is as often as there are different clocks among its people.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import structlog

from server.clock import Instant
from server.journey.audience import EVERYBODY, AllOf, Person, Question
from server.journey.audience.coupons import HasFreshCoupon, told
from server.journey.launching import concerns, day_numbered, moment_of, next_launch
from server.journey.schedule import ONCE
from server.journey.status import JourneyStatus
from server.journey.steps import EntryAudience, Step
from server.journey.steps.entry_audience import LaunchZone
from server.store import launches
from server.store.ids import digest
from server.store.sessions import ReadSession, WriteSession

from . import entering, gather, happened, profiles, reach, segments
from .batch import Batch, Row
from .catalog import Catalog, LiveJourney
from .entering import RefusedEntry
from .state import Happening, UserState

MOST_PEOPLE = 2000
"""Users a page: enough to make a statement's cost small, few enough to keep others waiting little."""
MOST_DUE = 10
log = structlog.get_logger("engine")


@dataclass(slots=True)
class Page:
    """A page of a launch: who is asked next, and what is known of the launch."""

    launch: Any
    journey: LiveJourney
    entry: Step
    question: Question = EVERYBODY
    properties: dict[str, Any] = field(default_factory=dict)
    numbers: Sequence[int] = ()
    lines: Mapping[int, str] = field(default_factory=dict)
    """Of an uploaded list: what else the line of each person said, as JSON."""
    coupon: HasFreshCoupon | None = None
    """Which coupon whoever comes in has to have, and brings along."""
    is_last: bool = False
    entered: int = 0
    refused: int = 0
    next_at: Instant | None = None
    is_by_person: bool = False
    """Whether each person's own zone says when it is time."""


# Reading


async def take(session: ReadSession, batch: Batch, turn: int) -> Page | None:
    """The next page of a launch that is due, in turn if several are; none if there is nothing to let in."""
    due = await launches.due(session, batch.shard, batch.now, MOST_DUE)
    if not due:
        return None
    launch = due[turn % len(due)]
    journey = batch.catalog.journeys.get(launch.journey_id)
    graph = batch.catalog.graph_of_journey(launch.journey_id)
    entry = graph.steps.get(launch.entry_key) if graph else None
    if journey is None or entry is None or not entry.is_entry or not _is_open(journey, batch.now):
        _put_away(batch, launch, journey)
        return None
    page = Page(launch, journey, entry, next_at=launch.next_at)
    page.is_by_person = launch.request_id is None and _is_by_person(entry)
    await _find(session, batch, page)
    await _load(session, batch, page)
    return page


def _is_by_person(entry: Step) -> bool:
    if not isinstance(entry, EntryAudience) or entry.when.is_at_once:
        return False
    return entry.zone is LaunchZone.PERSON


def _is_open(journey: LiveJourney, now: Instant) -> bool:
    return journey.status is JourneyStatus.RUNNING and not journey.has_ended(now)


def _put_away(batch: Batch, launch: Any, journey: LiveJourney | None) -> None:
    """A pause keeps it for later; what is over, or has lost its entry, lets nobody in any more."""
    if journey is not None and journey.status is JourneyStatus.PAUSED:
        about = {"of_shard": batch.shard, "of_journey": journey.id}
        batch.statements.append((launches.HOLD, about))
    else:
        batch.statements.append((launches.CLOSE, {**launches.this(launch), "at": batch.now}))


async def _find(session: ReadSession, batch: Batch, page: Page) -> None:
    """The numbers of the people of this page."""
    launch, named = page.launch, await _audience(session, page)
    shard, project_id, after = batch.shard, launch.project_id, launch.cursor
    if named.get("list"):
        list_id = batch.catalog.lists.get(project_id, {}).get(named["list"])
        if list_id is not None:
            page.lines = await launches.on_list(session, shard, list_id, after, MOST_PEOPLE)
            page.numbers = list(page.lines)
    else:
        about = (session, shard, project_id, after, MOST_PEOPLE)
        page.numbers = await launches.everybody(*about, members=bool(named.get("members")))
        if named.get("segment"):
            page.question = segments.question_of(batch, project_id, named["segment"])
    if page.coupon is not None:
        page.question = AllOf((page.question, page.coupon))
    page.is_last = len(page.numbers) < MOST_PEOPLE


async def _audience(session: ReadSession, page: Page) -> dict[str, Any]:
    if page.launch.request_id is not None:
        request = await launches.request(session, page.launch.request_id)
        page.properties = orjson.loads(request.properties)
        return dict(orjson.loads(request.audience))
    assert isinstance(page.entry, EntryAudience)
    if not page.entry.when.is_at_once:
        page.properties = {"day": day_numbered(page.launch.occurrence).isoformat()}
    if page.entry.coupon is not None:
        page.coupon = HasFreshCoupon(page.entry.coupon, page.journey.id)
    return {"segment": page.entry.segment, "list": page.entry.list, "members": page.entry.members}


async def _load(session: ReadSession, batch: Batch, page: Page) -> None:
    """What deciding about these people takes: a few statements, whatever their number."""
    project_id, at = page.journey.project_id, batch.now
    graph = batch.catalog.graph_of(page.journey.id, page.journey.version)
    keys = [(project_id, number) for number in page.numbers]
    wants = page.question.wants()
    if wants.attributes or wants.channels or graph.asks_for_user or page.is_by_person or graph.leads_to:
        await gather.users(session, batch, keys)
    if graph.leads_to:
        await gather.runs_of(session, batch, keys)
    else:
        await gather.runs_in(session, batch, page.journey.id, keys)
    await happened.past(
        session, batch, [one for key in keys for one in happened.asked_by(batch, graph, key, at)]
    )
    asked = [one for key in keys for one in segments.asked_by(batch, graph, key, at)]
    await segments.load(session, batch, asked)
    await segments.know(session, batch, project_id, page.numbers, [page.question], at)
    if batch.catalog.asks_for_reach(page.journey.id):
        await reach.load(session, batch, set(keys))


# Deciding


def decide(batch: Batch, page: Page) -> None:
    """Lets those of the page in whose moment has come, and moves the cursor."""
    if page.launch.began_at is None and page.launch.request_id is None:
        _plan_next(batch, page)
    own = digest(f"launch {page.launch.entry_key} {page.launch.occurrence} {page.launch.request_id}")
    for number in page.numbers:
        _ask(batch, page, batch.user((page.journey.project_id, number)), own)
    _move(batch, page)


def _ask(batch: Batch, page: Page, user: UserState, own: str) -> None:
    moment = _moment_of(batch, page, user)
    if moment is not None and moment > page.launch.due_at:
        page.next_at = min(moment, page.next_at or moment)
        return
    if moment is not None and moment <= page.launch.done_until:
        return
    at = page.launch.due_at if moment is None else moment
    at = at if batch.follows_events else batch.now
    somebody = segments.person(batch, page.journey.project_id, user, at, user.attributes)
    if page.question is not EVERYBODY and not page.question.holds(somebody):
        return
    brought = page.properties | _brought(page, somebody, user)
    event = Happening(page.journey.project_id, launches.LAUNCH, "", brought, at, own)
    if moment is None:
        _skip(batch, page, user, event)
    elif not _is_in_already(batch, page, user):
        _let_in(batch, page, user, event)


def _brought(page: Page, somebody: Person, user: UserState) -> dict[str, Any]:
    """What this person brings along: the line of an uploaded list, the coupon that ends first."""
    found: dict[str, Any] = {}
    if line := page.lines.get(user.number):
        found["row"] = orjson.loads(line)
    if page.coupon is not None and (coupon := page.coupon.first(somebody)) is not None:
        found["coupon"] = told(coupon, somebody.zone)
    return found


def _moment_of(batch: Batch, page: Page, user: UserState) -> Instant | None:
    """When it is this person's time; none if that has passed, and the person with it."""
    launch, entry = page.launch, page.entry
    if not page.is_by_person:
        return int(launch.due_at)
    assert isinstance(entry, EntryAudience)
    zone = profiles.zone_of(user, batch.catalog.zone_of(launch.project_id))
    return moment_of(entry, day_numbered(launch.occurrence), launch.planned_at, zone)


def _skip(batch: Batch, page: Page, user: UserState, event: Happening) -> None:
    """Refuses whose time had passed when the entry was set going, in the first pass of the launch."""
    assert isinstance(page.entry, EntryAudience)
    zone = profiles.zone_of(user, batch.catalog.zone_of(page.journey.project_id))
    launch = page.launch
    day = day_numbered(launch.occurrence)
    if launch.done_until < 0 and concerns(page.entry, day, launch.planned_at, zone):
        entering.refuse(batch, page.journey, page.entry, user, RefusedEntry.TIME_PASSED, event)
        page.refused += 1


def _is_in_already(batch: Batch, page: Page, user: UserState) -> bool:
    """Whether an earlier pass of this launch has let the person in, who has moved to another zone since."""
    if page.launch.done_until < 0:
        return False
    return any(
        (run.journey_id, run.entry_key) == (page.journey.id, page.entry.key)
        and page.properties.items() <= orjson.loads(run.properties).items()
        for run in batch.runs_by_user[page.journey.project_id, user.number]
    )


def _let_in(batch: Batch, page: Page, user: UserState, event: Happening) -> None:
    try:
        run, _ = entering.offer_entry(batch, page.journey, page.entry, user, event)
    except Exception:
        if batch.is_strict:
            raise
        # One person whose data decide nothing must not keep all the others out.
        log.exception("an entry could not decide", journey=page.journey.id, entry=page.entry.key)
        entering.refuse(batch, page.journey, page.entry, user, RefusedEntry.INTERNAL_ERROR, event)
        run = None
    page.entered += run is not None
    page.refused += run is None


def _move(batch: Batch, page: Page) -> None:
    launch = page.launch
    goes_on = page.is_last and page.next_at is not None
    moved = {
        "to": -1 if goes_on or not page.numbers else page.numbers[-1],
        "more_entered": page.entered,
        "more_refused": page.refused,
        "goes_on_at": page.next_at if goes_on else launch.due_at,
        "until": launch.due_at if goes_on else launch.done_until,
        "later_at": None if goes_on else page.next_at,
        "begun_at": launch.began_at or batch.now,
        "over_at": batch.now if page.is_last and not goes_on else None,
    }
    batch.statements.append((launches.MOVE, {**launches.this(launch), **moved}))


# Planning


def _plan_next(batch: Batch, page: Page) -> None:
    """As soon as a launch begins the next is planned: in the persons' zones the two overlap."""
    entry, launch = page.entry, page.launch
    assert isinstance(entry, EntryAudience)
    at = launch.due_at if batch.follows_events else batch.now
    zone = batch.catalog.zone_of(page.journey.project_id)
    batch.launches += planned(batch.shard, page.journey, entry, at, zone, launch.occurrence)


def planned(
    shard: int,
    journey: LiveJourney,
    entry: EntryAudience,
    at: Instant,
    zone: str,
    last: int | None = None,
) -> list[Row]:
    """The row of the next launch of an entry, if there is one to come."""
    found = next_launch(entry, at, zone, last)
    if found is None:
        return []
    which = (shard, journey.id, entry.key, found.occurrence, journey.project_id, journey.version)
    return [(*which, None, at, found.due_at, -1, None, -1, 0, 0, False, None, None)]


def requested(batch: Batch, project_id: int, command: dict[str, Any]) -> None:
    """A request over the API asks to let a segment or a list in."""
    journey = batch.catalog.journeys.get(command["journey_id"])
    request_id, at = command["request_id"], command["at"]
    if journey is not None and journey.project_id == project_id:
        which = (batch.shard, journey.id, command["entry_key"], request_id, project_id, journey.version)
        batch.launches.append((*which, request_id, at, at, -1, None, -1, 0, 0, False, None, None))


@dataclass(slots=True)
class Plan:
    """What the entries of running journeys have to have planned in a shard, and have not."""

    rows: list[Row] = field(default_factory=list)
    statements: list[tuple[Any, dict[str, Any]]] = field(default_factory=list)


async def plan(session: ReadSession, shard: int, catalog: Catalog, now: Instant) -> Plan:
    """Compares what is planned with what the catalog says: an entry that is new, or has a new version."""
    found = Plan()
    known = await launches.of_journeys(session, shard, [journey.id for journey, _ in catalog.audiences])
    for journey, entry in catalog.audiences:
        own = [row for row in known if (row.journey_id, row.entry_key) == (journey.id, entry.key)]
        zone = catalog.zone_of(journey.project_id)
        if not own:
            found.rows += planned(shard, journey, entry, _since(journey, now), zone)
        elif max(row.version for row in own) < journey.version:
            _plan_anew(found, shard, journey, entry, own, now, zone)
    return found


async def keep(session: WriteSession, plan: Plan) -> None:
    for statement, values in plan.statements:
        await session.run(statement, values)
    await session.bulk(launches.ADD, plan.rows)


def _since(journey: LiveJourney, now: Instant) -> Instant:
    """When an entry of this journey was set going."""
    moments = [at for at in (journey.started_at, journey.published_at) if at]
    return max(moments, default=now)


def _plan_anew(
    found: Plan,
    shard: int,
    journey: LiveJourney,
    entry: EntryAudience,
    own: Sequence[Any],
    now: Instant,
    zone: str,
) -> None:
    """A new version: what has begun goes on, and what has not is planned by it."""
    about = {"of_shard": shard, "of_journey": journey.id, "of_entry": entry.key}
    begun = [row.occurrence for row in own if row.began_at is not None]
    found.statements.append((launches.DROP, about))
    found.statements.append((launches.BELONG, {**about, "now_in": journey.version}))
    last = None if not begun or _starts_over(entry) else max(begun)
    found.rows += planned(shard, journey, entry, _since(journey, now), zone, last)


def _starts_over(entry: EntryAudience) -> bool:
    """Whether a relaunch lets in those again whose only time has been."""
    return entry.relaunches and (entry.when.is_at_once or entry.when.kind == ONCE)


def hold(batch: Batch, journey_id: int) -> None:
    about = {"of_shard": batch.shard, "of_journey": journey_id}
    batch.statements.append((launches.HOLD, about))


def let_go(batch: Batch, journey_id: int, own: Sequence[Any], at: Instant) -> None:
    """The end of a pause: what had begun goes on; what fell due meanwhile is as if it were planned now."""
    about = {"of_shard": batch.shard, "of_journey": journey_id}
    batch.statements.append((launches.RELEASE, about))
    journey = batch.catalog.journeys.get(journey_id)
    graph = batch.catalog.graph_of_journey(journey_id)
    for entry in graph.all_entries if journey and graph else ():
        if isinstance(entry, EntryAudience) and journey is not None:
            _resume(batch, journey, entry, [row for row in own if row.entry_key == entry.key], at)


def _resume(
    batch: Batch, journey: LiveJourney, entry: EntryAudience, own: Sequence[Any], at: Instant
) -> None:
    zone = batch.catalog.zone_of(journey.project_id)
    begun = [row.occurrence for row in own if row.began_at is not None]
    missed = [row for row in own if row.began_at is None and row.due_at < at]
    if missed:
        about = {"of_shard": batch.shard, "of_journey": journey.id, "of_entry": entry.key}
        batch.statements.append((launches.DROP, about))
    if missed or (begun and _starts_over(entry)):
        last = None if not begun or _starts_over(entry) else max(begun)
        batch.launches += planned(batch.shard, journey, entry, at, zone, last)
