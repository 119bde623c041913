"""The guard of a project's reputation: what is set, what is tripped, and the figures that decide."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import bindparam, func, literal, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from server.clock import DAY, HOUR, Instant

from .among import among
from .bulk import replacing, table_of
from .sessions import ReadSession, WriteSession
from .tables import Counter, Guard, GuardSetting, Message

CARRIED, CARRIED_BOUNCED, CARRIED_COMPLAINED = "carried", "carried_bounced", "carried_complained"
"""The metrics of `server.aggregates.metrics` that say what a connection carried, and what came of it."""
SHORTEST_WINDOW, LONGEST_WINDOW = HOUR, 30 * DAY

_guards, _settings, _counters = table_of(Guard), table_of(GuardSetting), table_of(Counter)
_messages = table_of(Message)
_SET = replacing(
    GuardSetting,
    *("is_on", "channels", "window_ms", "bounce_rate", "complaint_rate", "least_sent", "changed_at"),
)
_FIGURES = (
    select(
        _counters.c.journey_id,
        _counters.c.output,
        _counters.c.span,
        _counters.c.metric,
        func.sum(_counters.c.n).label("n"),
    )
    .where(
        _counters.c.project_id == bindparam("of_project"),
        among(_counters.c.journey_id, "journeys"),
        _counters.c.metric.in_([CARRIED, CARRIED_BOUNCED, CARRIED_COMPLAINED]),
        _counters.c.clock == 0,
        # Hours alone are as large as instants.
        _counters.c.span >= bindparam("since"),
        _counters.c.channel.in_(bindparam("channels", expanding=True)),
    )
    .group_by(*(_counters.c[name] for name in ("journey_id", "output", "span", "metric")))
)


class Sending(NamedTuple):
    """One journey's sending through one connection."""

    journey_id: int
    connection_id: int


class Figures(NamedTuple):
    """How many messages were sent, and what came of them."""

    sent: int = 0
    bounced: int = 0
    complained: int = 0

    def without(self, other: "Figures") -> "Figures":
        return Figures(*(max(0, mine - theirs) for mine, theirs in zip(self, other, strict=True)))

    def plus(self, other: "Figures") -> "Figures":
        return Figures(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


@dataclass(frozen=True, slots=True)
class Setting:
    """What a project has set, or the usual, whose sources are in docs/sending.md."""

    is_on: bool = True
    channels: tuple[str, ...] = ("email",)
    window_ms: int = DAY
    bounce_rate: float = 0.05
    complaint_rate: float = 0.001
    least_sent: int = 200


USUAL = Setting()


async def setting(session: ReadSession, project_id: int) -> Setting:
    rows = await session.rows(select(_settings).where(_settings.c.project_id == project_id))
    if not rows:
        return USUAL
    row = rows[0]
    rates = (row.bounce_rate, row.complaint_rate, row.least_sent)
    return Setting(bool(row.is_on), tuple(row.channels.split()), row.window_ms, *rates)


async def put_setting(session: WriteSession, project_id: int, wanted: Setting, now: Instant) -> None:
    """What holds from now on. A guard that is off holds nothing back any more."""
    rates = (wanted.bounce_rate, wanted.complaint_rate, wanted.least_sent)
    row = (project_id, wanted.is_on, " ".join(wanted.channels), wanted.window_ms, *rates, now)
    await session.bulk(_SET, [row])
    if not wanted.is_on:
        mine = update(_guards).where(_guards.c.project_id == project_id)
        await session.run(mine.values(tripped_at=None))


async def of_project(session: ReadSession, project_id: int) -> dict[Sending, Guard]:
    """Every guard that was ever tripped."""
    rows = await session.rows(select(_guards).where(_guards.c.project_id == project_id))
    return {Sending(row.journey_id, row.connection_id): row for row in rows}


async def hours(
    session: ReadSession,
    project_id: int,
    journeys: Collection[int],
    channels: Collection[str],
    since: Instant,
) -> dict[Sending, dict[Instant, Figures]]:
    """What these journeys sent on these channels in the hours since then: by connection and hour."""
    about = {"of_project": project_id, "since": since, "channels": list(channels)}
    found: defaultdict[Sending, defaultdict[Instant, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for row in await session.rows_in(_FIGURES, "journeys", sorted(journeys), about):
        found[Sending(row.journey_id, int(row.output))][row.span][row.metric] = int(row.n)
    return {
        sending: {hour: _figures(counts) for hour, counts in by_hour.items()}
        for sending, by_hour in found.items()
    }


def _figures(counts: Mapping[str, int]) -> Figures:
    return Figures(*(counts.get(metric, 0) for metric in (CARRIED, CARRIED_BOUNCED, CARRIED_COMPLAINED)))


async def trip(
    session: WriteSession,
    project_id: int,
    sending: Sending,
    because: str,
    figures: Figures,
    now: Instant,
) -> bool:
    """Holds this sending back from now on. Returns whether it was not held back before."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    tripped = {"tripped_at": now, "because": because, **figures._asdict()}
    before = {"since": 0, "sent_before": 0, "bounced_before": 0, "complained_before": 0}
    row = {"project_id": project_id, **sending._asdict(), **tripped, **before}
    statement = (
        dialect.insert(_guards)
        .values(row)
        .on_conflict_do_update(
            index_elements=list(_guards.primary_key), set_=tripped, where=_guards.c.tripped_at.is_(None)
        )
        .returning(_guards.c.journey_id)
    )
    return bool(await session.rows(statement))


async def rearm(
    session: WriteSession, project_id: int, sending: Sending, since: Instant, before: Figures
) -> bool:
    """Lets it go on, with a fresh window. Returns whether it was held back.

    `before` is what the hour that began at `since` had counted by now, which does not count any more.
    """
    mine = update(_guards).where(
        _guards.c.project_id == project_id,
        _guards.c.journey_id == sending.journey_id,
        _guards.c.connection_id == sending.connection_id,
        _guards.c.tripped_at.is_not(None),
    )
    fresh = {f"{name}_before": n for name, n in before._asdict().items()}
    return bool(await session.run(mine.values(tripped_at=None, since=since, **fresh)))


async def held(session: ReadSession, shards: int, sendings: Iterable[Sending]) -> dict[Sending, int]:
    """How many messages of each wait for it to be armed again."""
    wanted = list(sendings)
    if not wanted:
        return {}
    statement = (
        select(_messages.c.journey_id, _messages.c.connection_id, func.count())
        .where(
            _messages.c.shard.in_(list(range(shards))),
            _messages.c.status == literal("queued", literal_execute=True),
            _messages.c.due_at.is_(None),
            tuple_(_messages.c.journey_id, _messages.c.connection_id).in_([tuple(one) for one in wanted]),
        )
        .group_by(_messages.c.journey_id, _messages.c.connection_id)
    )
    return {Sending(row[0], row[1]): int(row[2]) for row in await session.rows(statement)}
