"""The guard of the reputation: what is set, what it holds, and letting it go on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from server.context import Context
from server.delivery import guard
from server.store import guards, journeys, projects
from server.store.guards import LONGEST_WINDOW, SHORTEST_WINDOW, Sending, Setting
from server.store.same_address import same_channel
from server.store.sessions import WriteSession
from server.store.setup import touch_catalog
from server.store.tables import Guard

from .once import Answer, once
from .refusals import Invalid, Missing

MOST_CHANNELS = 20
MOST_LEAST_SENT = 1_000_000


@dataclass(frozen=True, slots=True)
class Held:
    """A sending that is held back, and how many of its messages wait."""

    guard: Guard
    waiting: int


@dataclass(frozen=True, slots=True)
class State:
    setting: Setting
    held: list[Held]
    """The latest first."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be set; what is None stays as it is."""

    is_on: bool | None = None
    channels: Sequence[str] | None = None
    window_ms: int | None = None
    bounce_rate: float | None = None
    complaint_rate: float | None = None
    least_sent: int | None = None

    @property
    def given(self) -> dict[str, Any]:
        named = ((name, getattr(self, name)) for name in self.__slots__)
        return {name: value for name, value in named if value is not None}


async def state(context: Context) -> State:
    async with context.db.read() as session:
        setting = await guards.setting(session, context.project_id)
        known = await guards.of_project(session, context.project_id)
        tripped = {sending: row for sending, row in known.items() if row.tripped_at is not None}
        waiting = await guards.held(session, context.shards, tripped)
    held = [Held(row, waiting.get(sending, 0)) for sending, row in tripped.items()]
    return State(setting, sorted(held, key=lambda one: one.guard.tripped_at or 0, reverse=True))


async def put(context: Context, wish: Wish, key: str | None) -> Answer:
    """Sets what is given. Raises Invalid, IdempotencyConflict."""
    given = _checked(wish)

    async def work(session: WriteSession) -> Answer:
        wanted = replace(await guards.setting(session, context.project_id), **given)
        await guards.put_setting(session, context.project_id, wanted, context.clock.now())
        # What a guard that is switched off has held goes on.
        await touch_catalog(session)
        return {}

    return await once(context, key, ("setReputationGuard", given), work)


def _checked(wish: Wish) -> dict[str, Any]:
    given = wish.given
    if wish.channels is not None:
        given["channels"] = _channels(wish.channels)
    if wish.window_ms is not None and not SHORTEST_WINDOW <= wish.window_ms <= LONGEST_WINDOW:
        longest = LONGEST_WINDOW // 1000
        raise Invalid(f"From 3600 to {longest} seconds were wanted.", ("input", "windowSeconds"))
    for name, rate in (("bounceRate", wish.bounce_rate), ("complaintRate", wish.complaint_rate)):
        if rate is not None and not 0 < rate <= 1:
            raise Invalid(f"A rate above 0 and up to 1 was wanted, found {rate}.", ("input", name))
    if wish.least_sent is not None and not 1 <= wish.least_sent <= MOST_LEAST_SENT:
        message = f"A number from 1 to {MOST_LEAST_SENT} was wanted, found {wish.least_sent}."
        raise Invalid(message, ("input", "leastSent"))
    return given


def _channels(wanted: Sequence[str]) -> tuple[str, ...]:
    path = ("input", "channels")
    if len(wanted) > MOST_CHANNELS:
        raise Invalid(f"At most {MOST_CHANNELS} channels are watched, found {len(wanted)}.", path)
    found = []
    for index, channel in enumerate(wanted):
        name = same_channel(channel)
        if name is None:
            raise Invalid(f"A channel like email was wanted, found {channel[:40]!r}.", (*path, index))
        found.append(name)
    return tuple(dict.fromkeys(found))


async def rearm(context: Context, sending: Sending, key: str | None) -> Answer:
    """Lets a sending go on; what waited leaves, with a fresh window.

    Raises Missing, Invalid, IdempotencyConflict.
    """

    async def work(session: WriteSession) -> Answer:
        if await journeys.locked(session, context.project_id, sending.journey_id) is None:
            raise Missing("There is no such journey in this project.", ("input", "journeyId"))
        waiting = await guards.held(session, context.shards, [sending])
        zone = (await projects.by_id(session, context.project_id)).time_zone
        now = context.clock.now()
        if not await guard.rearm(session, context.project_id, sending, zone, now):
            raise Missing("The guard holds nothing of it back.", ("input", "connectionId"))
        await touch_catalog(session)
        return {"released": waiting.get(sending, 0)}

    answer = await once(context, key, ("rearmReputationGuard", [*sending]), work)
    context.wake()
    return answer
