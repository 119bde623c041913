"""Messages that wait to go out: which are due, which may go, and which go later, elsewhere or never."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    FromClause,
    and_,
    bindparam,
    exists,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
    true,
    update,
)

from channels.contract import Purpose
from channels.reasons import Reason
from server.clock import Instant
from server.journey.status import JourneyStatus

from .among import among
from .bulk import Bulk, table_of
from .consents import BENEFITS_KEPT_UNDER, NIGHT_ADVERTISEMENT, in_sql
from .inherited import with_later_decisions
from .sessions import ReadSession, WriteSession
from .suppressed import suppressed_until
from .tables import Connection, Consent, Endpoint, Guard, Journey, Message, Project, ShardState, User, Version

OPTED_OUT, INVALID = "opted_out", "invalid"
"""States of an endpoint that nobody writes to."""

_messages, _journeys, _endpoints = table_of(Message), table_of(Journey), table_of(Endpoint)
_users, _projects, _states = table_of(User), table_of(Project), table_of(ShardState)
_connections, _versions = table_of(Connection), table_of(Version)
_consents, _guards = table_of(Consent), table_of(Guard)

_READY = (
    select(_states.c.shard, _connections.c.id)
    .join(_connections, true())
    .where(_states.c.shard.in_(bindparam("shards", expanding=True)))
    .where(
        exists().where(
            _messages.c.shard == _states.c.shard,
            _messages.c.connection_id == _connections.c.id,
            _messages.c.due_at.is_not(None),
            _messages.c.due_at <= bindparam("now"),
        )
    )
    .order_by(_states.c.shard, _connections.c.id)
)
_ITS_ENDPOINT = and_(
    _endpoints.c.shard == _messages.c.shard,
    _endpoints.c.project_id == _messages.c.project_id,
    _endpoints.c.user_number == _messages.c.user_number,
    _endpoints.c.channel == _messages.c.channel,
    _endpoints.c.address == _messages.c.address,
)
_ITS_USER = and_(
    _users.c.shard == _messages.c.shard,
    _users.c.project_id == _messages.c.project_id,
    _users.c.number == _messages.c.user_number,
)
_demanded, _at_night = _consents.alias("demanded"), _consents.alias("at_night")


def _its_consent(
    consents: FromClause, purpose: ColumnElement[str], channel: ColumnElement[str]
) -> ColumnElement[bool]:
    """What its user has decided about messages of a purpose on a channel."""
    return and_(
        consents.c.shard == _messages.c.shard,
        consents.c.project_id == _messages.c.project_id,
        consents.c.user_number == _messages.c.user_number,
        consents.c.channel == channel,
        consents.c.purpose == purpose,
    )


_ITS_GUARD = and_(
    _guards.c.project_id == _messages.c.project_id,
    _guards.c.journey_id == _messages.c.journey_id,
    _guards.c.connection_id == _messages.c.connection_id,
)
_WITH_ITS_WORLD = (
    select(
        _messages.c.id,
        _messages.c.project_id,
        _messages.c.journey_id,
        _messages.c.version,
        _messages.c.run_id,
        _messages.c.step_key,
        _messages.c.user_number,
        _messages.c.purpose,
        _messages.c.channel,
        _messages.c.connection_id,
        _messages.c.address,
        _messages.c.created_at,
        _messages.c.reason,
        _messages.c.expires_at,
        _messages.c.due_at,
        _messages.c.may_fail_over,
        _messages.c.cap,
        _messages.c.pool,
        _messages.c.remember_as,
        _messages.c.voucher,
        _messages.c.template,
        _messages.c.fallback_of,
        _messages.c.event,
        _messages.c.demands,
        _journeys.c.title,
        _journeys.c.status.label("journey_status"),
        _guards.c.tripped_at.label("held_since"),
        _journeys.c.was_stopped.label("journey_was_stopped"),
        _endpoints.c.state,
        _users.c.user_id,
        _users.c.merged_into,
        _users.c.erased_at,
        _users.c.attributes,
        _projects.c.name.label("project_name"),
        _projects.c.time_zone,
        _projects.c.law,
    )
    .add_columns(
        suppressed_until(
            _messages.c.project_id, _messages.c.channel, _messages.c.address, _messages.c.purpose
        ).label("suppressed_until"),
        _consents.c.granted.label("is_granted"),
        _consents.c.until.label("granted_until"),
        _demanded.c.granted.label("is_demand_met"),
        _demanded.c.until.label("demand_met_until"),
        _at_night.c.granted.label("is_granted_at_night"),
        _at_night.c.until.label("granted_at_night_until"),
        and_(_projects.c.requires_consent, _messages.c.purpose == Purpose.ADVERTISEMENT.value).label(
            "needs_consent"
        ),
    )
    .join(_projects, _projects.c.id == _messages.c.project_id)
    .outerjoin(_journeys, _journeys.c.id == _messages.c.journey_id)
    .outerjoin(_endpoints, _ITS_ENDPOINT)
    .outerjoin(_users, _ITS_USER)
    .outerjoin(_consents, _its_consent(_consents, _messages.c.purpose, in_sql(_messages.c.channel)))
    .outerjoin(_demanded, _its_consent(_demanded, _messages.c.demands, literal(BENEFITS_KEPT_UNDER)))
    .outerjoin(_at_night, _its_consent(_at_night, literal(NIGHT_ADVERTISEMENT), in_sql(_messages.c.channel)))
    .outerjoin(_guards, _ITS_GUARD)
    .where(_messages.c.shard == bindparam("of_shard"))
)
_DUE = (
    _WITH_ITS_WORLD.where(
        _messages.c.connection_id == bindparam("of_connection"),
        _messages.c.due_at.is_not(None),
        _messages.c.due_at <= bindparam("now"),
        _messages.c.status == "queued",
    )
    .order_by(_messages.c.due_at, _messages.c.id)
    .limit(bindparam("most"))
)
# SQLAlchemy's own rows take ten times as long to read a value from, and every message is looked at often.
_Seen = NamedTuple("_Seen", [(str(column.key), Any) for column in _WITH_ITS_WORLD.selected_columns])  # type: ignore[misc]  # the columns say it
_SOME = _WITH_ITS_WORLD.where(among(_messages.c.id, "ids"))
_THESE = (
    _messages.c.shard == bindparam("of_shard"),
    among(_messages.c.id, "ids"),
    _messages.c.status == "queued",
)
_PARK = update(_messages).where(*_THESE).values(due_at=None)
_GIVE_UP = (
    update(_messages)
    .where(*_THESE)
    .values(due_at=None, status=bindparam("how"), reason=bindparam("why"))
    .returning(_messages.c.id)
)
# Of one whose outcome is open nobody may say that it was never tried.
_CALL_OFF = _GIVE_UP.where(_messages.c.reason != Reason.OUTCOME_UNKNOWN.value)
_WAITING = (
    select(
        _messages.c.id,
        _messages.c.project_id,
        _messages.c.connection_id,
        _messages.c.attempt,
        _messages.c.reason,
        _messages.c.template,
    )
    .where(
        _messages.c.shard == bindparam("of_shard"),
        _messages.c.connection_id == bindparam("of_connection"),
        _messages.c.due_at.is_not(None),
        _messages.c.due_at <= bindparam("now"),
        _messages.c.status == "queued",
    )
    .order_by(_messages.c.due_at, _messages.c.id)
    .limit(bindparam("most"))
)
_WAITING_OF = (
    select(
        _messages.c.id,
        _messages.c.project_id,
        _messages.c.connection_id,
        _messages.c.attempt,
        _messages.c.reason,
        _messages.c.template,
    )
    .where(
        _messages.c.shard == bindparam("of_shard"),
        _messages.c.due_at.is_not(None),
        _messages.c.status == "queued",
        _messages.c.journey_id.in_(bindparam("journeys", expanding=True)),
    )
    .limit(bindparam("most"))
)
_OVER = select(_journeys.c.id).where(
    _journeys.c.status.in_([JourneyStatus.FINISHED.value, JourneyStatus.ARCHIVED.value])
)
_IS_UNCERTAIN = _messages.c.reason == Reason.OUTCOME_UNKNOWN.value
_OVERDUE = _WAITING.where(
    or_(
        _messages.c.expires_at <= bindparam("now"),
        and_(_IS_UNCERTAIN, _messages.c.created_at < bindparam("tried_until")),
    )
)
# Of one whose outcome is open nobody knows that another connection's would not be the second.
_MOVABLE = _WAITING.where(
    _messages.c.may_fail_over, ~_IS_UNCERTAIN, not_(among(_messages.c.template, "kept"))
)
_MOVE = (
    update(_messages)
    .where(*_THESE, _messages.c.connection_id == bindparam("of_connection"), _messages.c.due_at.is_not(None))
    .where(exists().where(_connections.c.id == bindparam("to_connection")))
    .values(connection_id=bindparam("to_connection"))
    .returning(_messages.c.id)
)
_PUT_OFF = Bulk(
    ("shard", "id", "due_at"),
    {
        "": update(_messages)
        .where(
            _messages.c.shard == bindparam("of_shard"),
            _messages.c.id == bindparam("of_id"),
            _messages.c.status == literal_column("'queued'"),
        )
        .values(due_at=bindparam("of_due_at"))
    },
)
# What the guard holds goes on when it is armed again, or when its journey is over, to be given up.
_IS_HELD = exists().where(
    *_ITS_GUARD.clauses,
    _guards.c.tripped_at.is_not(None),
    _journeys.c.id == _messages.c.journey_id,
    _journeys.c.status == JourneyStatus.RUNNING.value,
)
_IS_QUEUED = _messages.c.status == literal("queued", literal_execute=True)
"""As the indexes that hold only such messages say it."""
_UNPARK = (
    update(_messages)
    .where(
        _messages.c.shard.in_(bindparam("shards", expanding=True)),
        _IS_QUEUED,
        _messages.c.due_at.is_(None),
        _messages.c.connection_id.is_not(None),
        _messages.c.journey_id.not_in(
            select(_journeys.c.id).where(_journeys.c.status == JourneyStatus.PAUSED.value)
        ),
        ~_IS_HELD,
    )
    .values(due_at=bindparam("now"))
)


class Waiting(NamedTuple):
    """A message that waits for a connection that sends nothing now."""

    id: int
    project_id: int
    connection_id: int
    attempt: int
    reason: str
    """Why it waits, if it was tried before."""
    template: str = ""
    """The template of the project that it is made of, if any."""


async def ready(session: ReadSession, shards: Collection[int], now: Instant) -> list[tuple[int, int]]:
    """The shards among these, and their connections, that have messages due by now."""
    rows = await session.rows(_READY, {"shards": list(shards), "now": now})
    return [(row.shard, row.id) for row in rows]


async def due(session: ReadSession, shard: int, connection_id: int, now: Instant, most: int) -> Sequence[Any]:
    """The messages due by now, the longest due first, each with the world that decides whether it may go."""
    about = {"of_shard": shard, "of_connection": connection_id, "now": now, "most": most}
    rows = [_Seen(*row) for row in await session.rows(_DUE, about)]
    return await with_later_decisions(session, shard, rows)


async def with_their_world(session: ReadSession, shard: int, ids: Iterable[int]) -> list[Any]:
    """These messages as `due` shows them."""
    rows = [_Seen(*row) for row in await session.rows_in(_SOME, "ids", ids, {"of_shard": shard})]
    return await with_later_decisions(session, shard, rows)


async def skip(session: WriteSession, shard: int, ids: Sequence[int], reason: str) -> None:
    """Gives up messages that may not go. The receipts that say so go into the inbox beside this."""
    await _give_up(session, shard, ids, "skipped", reason)


async def call_off(session: WriteSession, shard: int, ids: Sequence[int], reason: str) -> set[int]:
    """Gives up messages that nobody needs any more. Returns those that were still queued."""
    about = {"of_shard": shard, "ids": list(ids), "how": "skipped", "why": reason}
    return {row.id for row in await session.rows(_CALL_OFF, about)}


async def expire(session: WriteSession, shard: int, ids: Sequence[int]) -> set[int]:
    """Gives up messages whose time is over. Returns those that were still queued."""
    return await _give_up(session, shard, ids, "expired", Reason.EXPIRED.value)


async def leave_open(session: WriteSession, shard: int, ids: Sequence[int]) -> set[int]:
    """Gives up messages of which nobody will learn whether they arrived. Returns those still queued."""
    return await _give_up(session, shard, ids, "unknown", Reason.OUTCOME_UNKNOWN.value)


async def _give_up(session: WriteSession, shard: int, ids: Sequence[int], how: str, why: str) -> set[int]:
    if not ids:
        return set()
    about = {"of_shard": shard, "ids": list(ids), "how": how, "why": why}
    return {row.id for row in await session.rows(_GIVE_UP, about)}


async def overdue(
    session: ReadSession, shard: int, connection_id: int, now: Instant, tried_until: Instant, most: int
) -> list[Waiting]:
    """Messages that wait for this connection and have waited until nobody wants them any more.

    Those of an open outcome that were born before `tried_until` are not tried again either.
    """
    about = {"of_shard": shard, "of_connection": connection_id, "now": now, "most": most}
    rows = await session.rows(_OVERDUE, {**about, "tried_until": tried_until})
    return [Waiting(*row) for row in rows]


async def movable(
    session: ReadSession,
    shard: int,
    connection_id: int,
    now: Instant,
    most: int,
    kept: Collection[str] = (),
) -> list[Waiting]:
    """Messages that wait for this connection and may go through another; `kept` are templates whose messages
    stay."""
    about = {"of_shard": shard, "of_connection": connection_id, "now": now, "most": most, "kept": list(kept)}
    return [Waiting(*row) for row in await session.rows(_MOVABLE, about)]


async def move(session: WriteSession, shard: int, ids: Sequence[int], here: int, there: int) -> set[int]:
    """Has messages wait for another connection. Returns those that did wait for this one."""
    if not ids:
        return set()
    about = {"of_shard": shard, "ids": list(ids), "of_connection": here, "to_connection": there}
    return {row.id for row in await session.rows(_MOVE, about)}


async def journeys_over(session: ReadSession) -> set[int]:
    """The journeys that send nothing more."""
    return {row.id for row in await session.rows(_OVER)}


async def still_waiting(
    session: ReadSession, shard: int, journeys: Collection[int], most: int
) -> list[Waiting]:
    """Messages of these journeys that wait to leave, now or later; parked ones are `unpark`ed first."""
    about = {"of_shard": shard, "journeys": list(journeys), "most": most}
    return [Waiting(*row) for row in await session.rows(_WAITING_OF, about)]


async def park(session: WriteSession, shard: int, ids: Sequence[int]) -> None:
    """Takes messages of paused journeys out of everybody's way, until `unpark`."""
    if ids:
        await session.run(_PARK, {"of_shard": shard, "ids": list(ids)})


async def put_off(session: WriteSession, shard: int, waits: Sequence[tuple[int, Instant]]) -> None:
    """Has queued messages, by id, be due later."""
    await session.bulk(_PUT_OFF, [(shard, message_id, due_at) for message_id, due_at in waits])


async def unpark(session: WriteSession, shards: Collection[int], now: Instant) -> int:
    """Makes due again what nothing holds back any more: neither a pause of its journey nor a guard."""
    return await session.run(_UNPARK, {"shards": list(shards), "now": now})


class Held(NamedTuple):
    """The messages of a journey that have not left."""

    messages: int
    expired: int
    """Those of them whose time is over by then."""


async def waiting_of(
    session: ReadSession, project_id: int, journey_id: int, shards: int, by: Instant
) -> Held:
    """What of a journey is queued, whether it is due, tried again later, or kept back by a pause."""
    expired = func.count().filter(_messages.c.expires_at <= by)
    # Apart, so that each part has its own index: what is due, and what is kept back.
    total = [0, 0]
    for here in (_messages.c.due_at.is_not(None), _messages.c.due_at.is_(None)):
        rows = await session.rows(
            select(func.count(), expired)
            .where(_messages.c.shard.in_(list(range(shards))), here, _IS_QUEUED)
            .where(_messages.c.journey_id == journey_id, _messages.c.project_id == project_id)
        )
        total = [total[0] + int(rows[0][0]), total[1] + int(rows[0][1])]
    return Held(*total)


async def graph_texts(
    session: ReadSession, wanted: Collection[tuple[int, int]]
) -> dict[tuple[int, int], str]:
    """The published graphs of these journeys and versions, as JSON, in one statement."""
    journeys, numbers = {journey for journey, _ in wanted}, {number for _, number in wanted}
    statement = select(_versions.c.journey_id, _versions.c.number, _versions.c.graph).where(
        _versions.c.journey_id.in_(sorted(journeys)), _versions.c.number.in_(sorted(numbers))
    )
    found = {(row.journey_id, row.number): str(row.graph) for row in await session.rows(statement)}
    return {version: text for version, text in found.items() if version in wanted}


async def graph_text(session: ReadSession, journey_id: int, version: int) -> str:
    """The published graph, as JSON."""
    statement = select(_versions.c.graph).where(
        _versions.c.journey_id == journey_id, _versions.c.number == version
    )
    return str((await session.rows(statement))[0].graph)
