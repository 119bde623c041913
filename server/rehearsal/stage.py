"""The stage: a throwaway database with one project, one running journey, and a real engine and dispatcher."""

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from channels.host import Host
from server.clock import EventsClock
from server.config import Secret, Settings
from server.delivery.content import Writer
from server.delivery.dispatch import Dispatcher
from server.engine.loop import Engine
from server.journey.graph import Graph, read_graph
from server.signing import Signer
from server.store import guards, inbox, setup
from server.store.bulk import inserting
from server.store.consents import kept_under
from server.store.database import Database
from server.store.migrations.planning import tell_the_planner
from server.store.sessions import WriteSession
from server.store.tables import (
    Connection,
    Consent,
    Endpoint,
    Identity,
    Journey,
    Project,
    Suppression,
    User,
    Version,
    metadata,
)

from .crowd import sending
from .plan import OtherJourney, Person, Plan, StandIn
from .props import KAKAO, put_up
from .stand_in import Mailbag, NoWayOut, StandInChannel, UntrackedLinks, key_of

SHARD, PROJECT, VERSION = 0, 1, 1
_HERE = "https://rehearsal.invalid"

# By name: a table may get columns of which a rehearsal knows nothing.
_USERS = inserting(User, "shard", "project_id", "number", "attributes", "created_at", "user_id")
_IDENTITIES = inserting(Identity, "shard", "project_id", "kind", "value", "home", "number", "created_at")
_ENDPOINTS = inserting(
    Endpoint,
    *("shard", "project_id", "user_number", "channel", "address"),
    *("is_current", "state", "changed_at", "because"),
)
_SUPPRESSIONS = inserting(
    Suppression,
    *("project_id", "channel", "address", "purpose", "set_by"),
    *("reason", "since", "source", "note", "heard"),
)
_CONSENTS = inserting(
    Consent,
    *("shard", "project_id", "user_number", "channel", "purpose"),
    *("granted", "decided_at", "source", "evidence", "basis"),
)


@dataclass(slots=True)
class Stage:
    plan: Plan
    graph: Graph
    db: Database
    clock: EventsClock
    engine: Engine
    dispatcher: Dispatcher
    bag: Mailbag
    people: list[Person] = field(default_factory=list)
    """By the number of the user."""

    async def put(self, entries: Sequence[inbox.Entry]) -> None:
        async with self.db.write() as session:
            await inbox.append(session, entries)


@asynccontextmanager
async def open_stage(plan: Plan) -> AsyncIterator[Stage]:
    """Everything is gone when the block is left. The plan's graph has to be sound."""
    with TemporaryDirectory(prefix="sojourn-rehearsal-") as folder:
        db = Database(f"sqlite:///{Path(folder) / 'stage.db'}", throwaway=True)
        try:
            graph = read_graph(plan.graph)[0]
            await _set_up(db, plan, graph)
            async with _played(db, plan, graph) as stage:
                yield stage
        finally:
            await db.close()


@asynccontextmanager
async def _played(db: Database, plan: Plan, graph: Graph) -> AsyncIterator[Stage]:
    clock, bag = EventsClock(plan.start), Mailbag()
    engine = Engine(db, clock, 1)
    stage = Stage(plan, graph, db, clock, engine, _dispatcher(db, clock, plan, graph, bag), bag)
    # Links stay readable: nobody follows them here.
    stage.dispatcher.hands.courier.writer = Writer(db, _untracked())
    stage.people = list(plan.people)
    try:
        yield stage
    finally:
        await stage.dispatcher.aclose()


def _dispatcher(db: Database, clock: EventsClock, plan: Plan, graph: Graph, bag: Mailbag) -> Dispatcher:
    channels = {
        key_of(channel): StandInChannel(plan, bag, channel, fields)
        for channel, fields in _fields(plan, graph).items()
    }
    settings = Settings(secret=Secret(secrets.token_hex(16)), public_url=_HERE)

    async def append(entries: Sequence[inbox.Entry]) -> None:
        async with db.write() as session:
            await inbox.append(session, entries)

    lender = NoWayOut(clock, settings)
    return Dispatcher(db, clock, Host(dict(channels), {}), settings, 1, append, lender=lender)


def _untracked() -> UntrackedLinks:
    return UntrackedLinks(Signer([secrets.token_bytes(32)], "links"), _HERE)


def _fields(plan: Plan, graph: Graph) -> dict[str, set[str]]:
    """By channel: every field of a message that the graph, or a template that it names, fills."""
    found: dict[str, set[str]] = {}
    for step in sending(graph):
        found.setdefault(step.channel, set()).update(step.content)
    if plan.templates and KAKAO in found:
        found[KAKAO] |= {"template", "text", "title"}
    return found


def stand_ins(graph: Graph) -> list[StandIn]:
    """A connection for everything that the graph sends through."""
    named = {(step.connection or step.channel, step.channel) for step in sending(graph)}
    return [StandIn(name, channel) for name, channel in sorted(named)]


# Setting up


async def _set_up(db: Database, plan: Plan, graph: Graph) -> None:
    async with db.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
        await connection.run_sync(tell_the_planner)
    async with db.write() as session:
        await setup.prepare(session, 1)
        session.add(
            Project(
                id=PROJECT,
                name=plan.project_name,
                time_zone=plan.zone,
                created_at=plan.start,
                requires_consent=plan.requires_consent,
                commerce=plan.commerce,
            )
        )
        await session.flush()
        chosen = stand_ins(graph) if plan.connections is None else plan.connections
        session.add_all([_connection(plan, one) for one in chosen])
        await _publish(session, plan, OtherJourney(plan.journey_id, plan.title, plan.graph))
        for other in plan.others:
            await _publish(session, plan, other)
        await _bring(session, plan)
        await put_up(session, plan, graph, SHARD, PROJECT)
        # A list so bad that it would be stopped is played to its end.
        await guards.put_setting(session, PROJECT, replace(guards.USUAL, is_on=False), plan.start)
        await setup.touch_catalog(session)


def _connection(plan: Plan, one: StandIn) -> Connection:
    return Connection(
        project_id=PROJECT,
        name=one.name,
        adapter=key_of(one.channel),
        channel=one.channel,
        takes=one.takes,
        preference=one.preference,
        is_enabled=one.is_enabled,
        settings="{}",
        sealed=b"",
        created_at=plan.start,
        changed_at=plan.start,
    )


async def _publish(session: WriteSession, plan: Plan, one: OtherJourney) -> None:
    journey = Journey(
        id=one.journey_id,
        project_id=PROJECT,
        title=one.title,
        status="running",
        version=VERSION,
        created_at=plan.start,
        changed_at=plan.start,
        started_at=plan.start,
    )
    session.add(journey)
    await session.flush()
    text = orjson.dumps(one.graph).decode()
    session.add(Version(journey_id=one.journey_id, number=VERSION, graph=text, published_at=plan.start))
    await session.flush()


async def _bring(session: WriteSession, plan: Plan) -> None:
    """The people, as if they had been known for long."""
    at = plan.start
    await session.bulk(
        _USERS,
        [
            (SHARD, PROJECT, number, orjson.dumps(one.attributes).decode(), at, one.name)
            for number, one in enumerate(plan.people)
        ],
    )
    await session.bulk(
        _IDENTITIES,
        [(SHARD, PROJECT, "user_id", one.name, SHARD, number, at) for number, one in enumerate(plan.people)],
    )
    await session.bulk(
        _ENDPOINTS,
        [
            (SHARD, PROJECT, number, where.channel, where.address, True, where.state, at, "")
            for number, one in enumerate(plan.people)
            for where in one.addresses
        ],
    )
    await session.bulk(
        _SUPPRESSIONS,
        [
            (PROJECT, where.channel, where.address, purpose, "people", "", at, "api", "", "{}")
            for one in plan.people
            for where in one.addresses
            for purpose in where.suppressed_for
        ],
    )
    await session.bulk(
        _CONSENTS,
        [
            (SHARD, PROJECT, number, kept_under(told.channel), told.purpose, told.granted, at, "", "", "")
            for number, one in enumerate(plan.people)
            for told in one.consents
        ],
    )
