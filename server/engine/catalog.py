"""What the loop knows of projects and journeys: one snapshot, read anew whenever its epoch has moved."""

from collections import defaultdict
from dataclasses import dataclass, field

import orjson
from sqlalchemy import select

from server.clock import Instant
from server.commerce.names import SPEC, Words, read_words
from server.journey.audience import Question, read_question, resolve
from server.journey.experiments import Verdict
from server.journey.graph import Graph, read_graph
from server.journey.moving import Plan
from server.journey.reading import Reader
from server.journey.status import JourneyStatus
from server.journey.steps import EntryAudience, EntryEvent
from server.store import alimtalk_keyed, prices, verdicts
from server.store.alimtalk_keyed import Keyed
from server.store.among import among
from server.store.bulk import table_of
from server.store.prices import PriceList
from server.store.sessions import ReadSession
from server.store.tables import Catalog as CatalogRow
from server.store.tables import (
    Connection,
    DeclaredProperty,
    Journey,
    Project,
    Segment,
    User,
    UserList,
    Version,
)
from server.store.verdicts import VerdictKey

_projects, _journeys, _versions = table_of(Project), table_of(Journey), table_of(Version)
_declared_properties = table_of(DeclaredProperty)
_connections, _segments, _lists = table_of(Connection), table_of(Segment), table_of(UserList)


_users = table_of(User)
_PUBLISHED = select(_versions.c.journey_id, _versions.c.number, _versions.c.published_at, _versions.c.moves)
_GRAPHS = select(_versions.c.journey_id, _versions.c.number, _versions.c.graph).where(
    among(_versions.c.journey_id, "journeys"), among(_versions.c.number, "numbers")
)
_ERASING = select(_users.c.project_id).where(_users.c.erased_at.is_not(None)).distinct()


Graphs = dict[tuple[int, int], Graph]
"""By journey and version."""


@dataclass(frozen=True, slots=True)
class LiveJourney:
    id: int
    project_id: int
    title: str
    status: JourneyStatus
    version: int
    paused_at: Instant | None = None
    starts_at: Instant | None = None
    """When it starts, or started, by itself."""
    ends_at: Instant | None = None
    """From then on nobody enters any more."""
    started_at: Instant | None = None
    published_at: Instant | None = None
    """When the version was published by which people enter now."""

    def has_begun(self, at: Instant) -> bool:
        return self.starts_at is None or at >= self.starts_at

    def has_ended(self, at: Instant) -> bool:
        return self.ends_at is not None and at >= self.ends_at


@dataclass(frozen=True, slots=True)
class Connected:
    """A connection of a project, as far as it matters to whom it can write."""

    id: int
    channel: str
    name: str
    takes: str
    is_enabled: bool

    def fits(self, address: str) -> bool:
        return address.startswith(self.takes)


@dataclass(slots=True)
class Catalog:
    """Everything that is the same for all shards and changes seldom."""

    epoch: int
    zones: dict[int, str]
    need_consent: frozenset[int]
    """Projects that write nobody an advertisement who has not agreed to it."""
    journeys: dict[int, LiveJourney]
    connections: dict[tuple[int, str], list[Connected]]
    """By project and channel, in the order in which they are used."""
    graphs: dict[tuple[int, int], Graph]
    words: dict[int, Words] = field(default_factory=dict)
    """By project: how its events tell of commerce."""
    declared: dict[tuple[int, str], tuple[str, ...]] = field(default_factory=dict)
    """By project and event: the properties by which the project wants to tell people apart."""
    erasing: frozenset[int] = frozenset()
    """Projects in which people have been erased."""
    pruned: frozenset[int] = frozenset()
    """Projects of which old facts may be gone, and go while we work."""
    moves: dict[tuple[int, int], Plan] = field(default_factory=dict)
    """By journey and version: what it means for those who were inside when it was published."""
    prices: PriceList = field(default_factory=PriceList)
    """What messages cost."""
    verdicts: dict[VerdictKey, list[Verdict]] = field(default_factory=dict)
    """By journey and split: what was decided, the earliest first."""
    entries: dict[tuple[int, str], list[tuple[LiveJourney, EntryEvent]]] = field(default_factory=dict)
    """By project and event name: where such an event lets somebody in."""
    audiences: list[tuple[LiveJourney, EntryAudience]] = field(default_factory=list)
    """The entries of running journeys that let an audience in."""
    segments: dict[tuple[int, str], Question] = field(default_factory=dict)
    """By project and name: what a segment asks, with what it names in its places."""
    lists: dict[int, dict[str, int]] = field(default_factory=dict)
    """By project: its uploaded lists by name."""
    templates: dict[tuple[int, str], Keyed] = field(default_factory=dict)
    """By project and key: its templates of Alimtalk."""
    reaching: set[int] = field(default_factory=set)
    """Journeys of which a step, or one of a journey to which they lead, asks whom it can write to."""
    looking_back: frozenset[int] = frozenset()
    """Journeys whose rules ask for a person's earlier runs when they come again."""
    moving_events: dict[int, set[str]] = field(default_factory=dict)
    """By project: the events that any version of any journey counts as a goal, cancels by or waits for."""

    def starting(self, now: Instant) -> list[LiveJourney]:
        """The journeys whose time to start has come."""
        waiting = (one for one in self.journeys.values() if one.status is JourneyStatus.SCHEDULED)
        return [one for one in waiting if one.has_begun(now)]

    def ending(self, now: Instant) -> list[LiveJourney]:
        """The journeys that nobody enters any more, and that are not over yet."""
        open_now = (JourneyStatus.RUNNING, JourneyStatus.PAUSED)
        return [one for one in self.journeys.values() if one.status in open_now and one.has_ended(now)]

    def zone_of(self, project_id: int) -> str:
        return self.zones[project_id]

    def words_of(self, project_id: int) -> Words:
        return self.words.get(project_id, SPEC)

    def asks_for_reach(self, journey_id: int) -> bool:
        """Whether a run of this journey may ask on which channels its user can be written to."""
        return journey_id in self.reaching

    def requires_consent(self, project_id: int) -> bool:
        """Whether advertisements go only to those who have agreed."""
        return project_id in self.need_consent

    def connections_for(self, project_id: int, channel: str, name: str) -> list[Connected]:
        """The connection of this name; without one, all that are enabled, in order of preference."""
        found = self.connections.get((project_id, channel), [])
        return [one for one in found if (one.name == name if name else one.is_enabled)]

    def has_connection(self, project_id: int, channel: str, connection_id: int) -> bool:
        return any(one.id == connection_id for one in self.connections.get((project_id, channel), ()))

    def graph_of(self, journey_id: int, version: int) -> Graph:
        return self.graphs[journey_id, version]

    def graph_of_journey(self, journey_id: int) -> Graph | None:
        """The graph by which people enter a journey now."""
        journey = self.journeys.get(journey_id)
        return self.graphs[journey.id, journey.version] if journey else None

    def led_to(self, graph: Graph) -> list[Graph]:
        """The graphs of the journeys to which this one leads, and those lead, and so on."""
        found: dict[int, Graph] = {}
        ahead = list(graph.leads_to)
        while ahead:
            journey_id = ahead.pop()
            there = self.graph_of_journey(journey_id)
            if there is not None and journey_id not in found:
                found[journey_id] = there
                ahead += there.leads_to
        return list(found.values())

    def concerns_runs(self, project_id: int, event_type: str, name: str) -> bool:
        """Whether such an event can let somebody in, or change what a run does."""
        if (project_id, name) in self.entries or name in self.moving_events.get(project_id, ()):
            return True
        return event_type == "identify" and project_id in self.moving_events


async def current_epoch(session: ReadSession, *, sharing: bool = False) -> int:
    """The epoch now. `sharing` keeps an operator's change waiting until this transaction is over."""
    statement = select(table_of(CatalogRow).c.epoch)
    rows = await session.rows(statement.with_for_update(read=True) if sharing else statement)
    return int(rows[0].epoch) if rows else 0


async def load(session: ReadSession, graphs: Graphs | None = None) -> Catalog:
    """The catalog as this session's snapshot sees it.

    `graphs` are those that were read before: published versions never change, and to read them all again at
    every change of anything would hold everybody up. Those that are new are put there.
    """
    found = await session.rows(select(_projects))
    versions = await session.rows(_PUBLISHED)
    graphs = {} if graphs is None else graphs
    await _read_graphs(session, {(row.journey_id, row.number) for row in versions}, graphs)
    catalog = Catalog(
        epoch=await current_epoch(session),
        zones={row.id: row.time_zone for row in found},
        need_consent=frozenset(row.id for row in found if row.requires_consent),
        journeys={},
        connections=await _connected(session),
        graphs=dict(graphs),
        declared=await _declared(session),
        words={row.id: read_words(row.commerce) for row in found},
        pruned=frozenset(row.id for row in found if row.kept_since is not None),
        erasing=frozenset(row.project_id for row in await session.rows(_ERASING)),
        moves={(row.journey_id, row.number): orjson.loads(row.moves) for row in versions if row.moves},
        prices=await prices.of_everybody(session),
        verdicts=await _verdicts(session),
        templates=await alimtalk_keyed.of_everybody(session),
    )
    published = {(row.journey_id, row.number): row.published_at for row in versions}
    for row in await session.rows(select(_journeys).where(_journeys.c.version.is_not(None))):
        catalog.journeys[row.id] = LiveJourney(
            row.id,
            row.project_id,
            row.title,
            JourneyStatus(row.status),
            row.version,
            row.paused_at,
            row.starts_at,
            row.ends_at,
            row.started_at,
            published.get((row.id, row.version)),
        )
    _index(catalog)
    await _load_audiences(session, catalog)
    return catalog


async def _declared(session: ReadSession) -> dict[tuple[int, str], tuple[str, ...]]:
    found: defaultdict[tuple[int, str], list[str]] = defaultdict(list)
    for row in await session.rows(select(_declared_properties)):
        found[row.project_id, row.event].append(row.property)
    return {key: tuple(names) for key, names in found.items()}


async def _verdicts(session: ReadSession) -> dict[VerdictKey, list[Verdict]]:
    found = await verdicts.of_everybody(session)
    return {key: [Verdict(row.winner, row.explore_percent) for row in rows] for key, rows in found.items()}


async def _load_audiences(session: ReadSession, catalog: Catalog) -> None:
    named: defaultdict[int, dict[str, Question]] = defaultdict(dict)
    for row in await session.rows(select(_segments)):
        named[row.project_id][row.name] = read_question(Reader(orjson.loads(row.conditions)))
    for project_id, written in named.items():
        for name, question in written.items():
            whole = resolve(question, written, frozenset((name,)))
            catalog.segments[project_id, name] = whole
    for row in await session.rows(select(_lists.c.project_id, _lists.c.name, _lists.c.id)):
        catalog.lists.setdefault(row.project_id, {})[row.name] = row.id


async def _connected(session: ReadSession) -> dict[tuple[int, str], list[Connected]]:
    wanted = (_connections.c[name] for name in ("id", "project_id", "channel", "name", "takes", "is_enabled"))
    statement = select(*wanted).order_by(_connections.c.preference, _connections.c.id)
    found: defaultdict[tuple[int, str], list[Connected]] = defaultdict(list)
    for row in await session.rows(statement):
        connected = Connected(row.id, row.channel, row.name, row.takes, bool(row.is_enabled))
        found[row.project_id, row.channel].append(connected)
    return dict(found)


async def _read_graphs(session: ReadSession, wanted: set[tuple[int, int]], graphs: Graphs) -> None:
    missing = wanted - graphs.keys()
    about = {"numbers": sorted({number for _, number in missing})}
    journeys = sorted({journey_id for journey_id, _ in missing})
    for row in await session.rows_in(_GRAPHS, "journeys", journeys, about):
        if (row.journey_id, row.number) in missing:
            graphs[row.journey_id, row.number] = read_graph(orjson.loads(row.graph))[0]


def _index(catalog: Catalog) -> None:
    entries: defaultdict[tuple[int, str], list[tuple[LiveJourney, EntryEvent]]] = defaultdict(list)
    for journey in catalog.journeys.values():
        if journey.status in (JourneyStatus.RUNNING, JourneyStatus.PAUSED):
            for entry in catalog.graph_of(journey.id, journey.version).entries:
                entries[journey.project_id, entry.event].append((journey, entry))
    catalog.entries = dict(entries)
    for (journey_id, _), graph in catalog.graphs.items():
        if journey_id in catalog.journeys:
            events = catalog.moving_events.setdefault(catalog.journeys[journey_id].project_id, set())
            events |= graph.moves_runs
    _index_reaching(catalog)
    catalog.looking_back = frozenset(
        one.id
        for one in catalog.journeys.values()
        if catalog.graph_of(one.id, one.version).reentry.looks_back
    )
    catalog.audiences = [
        (journey, entry)
        for journey in catalog.journeys.values()
        if journey.status is JourneyStatus.RUNNING
        for entry in catalog.graph_of(journey.id, journey.version).all_entries
        if isinstance(entry, EntryAudience)
    ]


def _index_reaching(catalog: Catalog) -> None:
    """Journeys lead to journeys that ask, and so on: until no more are found."""
    leads = [(journey_id, graph.leads_to) for (journey_id, _), graph in catalog.graphs.items()]
    catalog.reaching = {one for (one, _), graph in catalog.graphs.items() if graph.asks_for_reach}
    while more := {one for one, others in leads if catalog.reaching.intersection(others)} - catalog.reaching:
        catalog.reaching |= more
