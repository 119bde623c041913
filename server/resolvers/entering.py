"""Lets people into a journey who are named over the API, through the inboxes of their shards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from server.clock import Instant
from server.context import Context
from server.journey.graph import read_graph
from server.journey.status import JourneyStatus, allowed
from server.journey.steps import EntryApi
from server.store import entry_requests, inbox, invitations, journeys, segments, user_lists, versions
from server.store.launches import LAUNCH
from server.store.paging import Page, Slice
from server.store.sessions import ReadSession, WriteSession
from server.store.tables import EntryRequest, Journey

from .once import Answer, once
from .refusals import Invalid, Missing, NotAllowed

MOST_PEOPLE = 10_000
LONGEST_ID = 512
LARGEST_PROPERTIES = 32 * 1024
AT_ONCE = 500
"""People in one row of an inbox: a turn takes many rows."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Whom to let in, where, and with what."""

    journey_id: int
    entry_key: str | None = None
    user_ids: tuple[str, ...] = ()
    anonymous_ids: tuple[str, ...] = ()
    segment: str | None = None
    list_name: str | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    creates_users: bool = False

    @property
    def people(self) -> list[tuple[str, str]]:
        named = [*(("user_id", one) for one in self.user_ids)]
        return [*dict.fromkeys([*named, *(("anonymous_id", one) for one in self.anonymous_ids)])]

    @property
    def audience(self) -> dict[str, str]:
        named = {"segment": self.segment, "list": self.list_name}
        return {name: one for name, one in named.items() if one is not None}


async def enter(context: Context, wish: Wish, key: str | None) -> Answer:
    """Asks to let them in; what became of each shows soon. Raises Missing, NotAllowed, Invalid."""
    _check(wish)

    async def work(session: WriteSession) -> Answer:
        journey = await _running(session, context, wish)
        entry_key = await _entry_key(session, context, journey, wish)
        await _check_audience(session, context, wish)
        return {"request_id": await _ask(session, context, wish, entry_key)}

    about = [wish.journey_id, wish.entry_key, wish.people, wish.audience, wish.properties, wish.creates_users]
    answer = await once(context, key, ("enterJourney", about), work)
    context.wake()
    return answer


def _check(wish: Wish) -> None:
    ways = bool(wish.people) + len(wish.audience)
    if ways != 1:
        raise Invalid("Either ids, or a segment, or a list says whom to let in.", ("input", "userIds"))
    if len(wish.people) > MOST_PEOPLE:
        message = f"At most {MOST_PEOPLE:,} people at once, found {len(wish.people):,}."
        raise Invalid(message, ("input", "userIds"))
    if any(not 0 < len(value) <= LONGEST_ID or "\0" in value for _, value in wish.people):
        raise Invalid(f"An id has 1 to {LONGEST_ID} characters and no NUL.", ("input", "userIds"))
    if not isinstance(wish.properties, Mapping):
        raise Invalid("`properties` are an object of names and values.", ("input", "properties"))
    if len(orjson.dumps(wish.properties)) > LARGEST_PROPERTIES:
        raise Invalid(f"`properties` have at most {LARGEST_PROPERTIES:,} bytes.", ("input", "properties"))


async def _running(session: WriteSession, context: Context, wish: Wish) -> Journey:
    journey = await journeys.locked(session, context.project_id, wish.journey_id)
    if journey is None:
        raise Missing("There is no such journey in this project.", ("input", "id"))
    status = JourneyStatus(journey.status)
    if status is not JourneyStatus.RUNNING:
        raise NotAllowed(f"A journey that is {status.value} lets nobody in.", status, allowed(status))
    return journey


async def _entry_key(session: ReadSession, context: Context, journey: Journey, wish: Wish) -> str:
    """The entry by which they come in: the one of its kind, unless it is named."""
    place = (journey.id or 0, journey.version or 0)
    version = (await versions.by_keys(session, context.project_id, [place]))[place]
    graph, _ = read_graph(orjson.loads(version.graph))
    keys = [step.key for step in graph.all_entries if isinstance(step, EntryApi)]
    if wish.entry_key is not None and wish.entry_key not in keys:
        raise Invalid(f"There is no entry by API {wish.entry_key!r}.", ("input", "entry"))
    if wish.entry_key is None and len(keys) != 1:
        known = ", ".join(keys) or "none"
        message = f"The journey has {len(keys)} entries by API; name one of them: {known}."
        raise Invalid(message, ("input", "entry"))
    return wish.entry_key or keys[0]


async def _check_audience(session: ReadSession, context: Context, wish: Wish) -> None:
    project_id = context.project_id
    if wish.segment is not None and wish.segment not in await segments.names(session, project_id):
        raise Missing(f"There is no segment {wish.segment!r}.", ("input", "segment"))
    if wish.list_name is not None and wish.list_name not in await user_lists.names(session, project_id):
        raise Missing(f"There is no list {wish.list_name!r}.", ("input", "list"))


async def _ask(session: WriteSession, context: Context, wish: Wish, entry_key: str) -> int:
    now = context.clock.now()
    request = EntryRequest(
        project_id=context.project_id,
        journey_id=wish.journey_id,
        entry_key=entry_key,
        audience=orjson.dumps(wish.audience).decode(),
        properties=orjson.dumps(wish.properties).decode(),
        creates_users=wish.creates_users,
        asked=len(wish.people),
        requested_at=now,
    )
    request_id = await entry_requests.create(session, request)
    about = {"request_id": request_id, "journey_id": wish.journey_id, "entry_key": entry_key, "at": now}
    rows = _launch(context, about, now) if wish.audience else _invite(context, wish, about, now)
    await inbox.append(session, rows)
    return request_id


def _launch(context: Context, about: Mapping[str, Any], now: Instant) -> Sequence[inbox.Entry]:
    payload = orjson.dumps(about)
    return [inbox.Entry(n, context.project_id, LAUNCH, payload, now) for n in range(context.shards)]


def _invite(context: Context, wish: Wish, about: Mapping[str, Any], now: Instant) -> Sequence[inbox.Entry]:
    more = {"event": "", "properties": wish.properties, "creates": wish.creates_users}
    command = {**about, **more, "digest": f"request {about['request_id']}"}
    people = wish.people
    return [
        row
        for start in range(0, len(people), AT_ONCE)
        for row in invitations.entries(
            context.shards, context.project_id, command, people[start : start + AT_ONCE], now
        )
    ]


async def by_id(context: Context, request_id: int) -> EntryRequest | None:
    async with context.db.read() as session:
        return (await entry_requests.by_ids(session, context.project_id, [request_id])).get(request_id)


@dataclass(frozen=True, slots=True)
class Counts:
    """How far a request has come."""

    entered: int
    refused: int
    reasons: Mapping[str, int]
    """Of people who were named; a segment's and a list's are in the journey's figures."""
    is_done: bool


async def counts(context: Context, request: EntryRequest) -> Counts:
    assert request.id is not None
    async with context.db.read() as session:
        if request.asked == 0:
            launch = (await entry_requests.launches(session, context.shards, [request.id])).get(request.id)
            if launch is None:
                return Counts(0, 0, {}, is_done=False)
            return Counts(int(launch.entered), int(launch.refused), {}, is_done=launch.done_at is not None)
        found = (await entry_requests.counts(session, context.shards, [request.id])).get(request.id, {})
    reasons = {reason: n for reason, n in found.items() if reason}
    answered = sum(found.values())
    return Counts(found.get("", 0), sum(reasons.values()), reasons, is_done=answered == request.asked)


async def answers(context: Context, request_id: int, page: Page, *, refused: bool | None) -> Slice:
    async with context.db.read() as session:
        about = (session, context.project_id, context.shards, request_id, page)
        return await entry_requests.answers(*about, refused=refused)
