"""Loads things by their keys, many at once: one statement for all that one step of a query asks for.

Made anew for every request. Each loader is named after what it loads and by which key.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple, TypeVar

import orjson
from strawberry.dataloader import DataLoader

from server.aggregates import ask, comparing
from server.aggregates.ask import Answer, Question, Span
from server.aggregates.calendar import HAPPENED, day_of
from server.aggregates.comparing import Comparison
from server.aggregates.drawn import set_values
from server.clock import Clock, Instant
from server.segments import reading, sets, uses
from server.segments.uses import Uses
from server.store import (
    alimtalk_registrations,
    alimtalk_sendable,
    alimtalk_templates,
    commerce,
    connected,
    consents,
    explaining,
    issues,
    journeys,
    launches,
    projects,
    receipts,
    runs,
    user_lists,
    users,
    versions,
    visits,
    vouchers,
    watermark,
)
from server.store.alimtalk_sendable import Known
from server.store.database import Database
from server.store.explaining import Place
from server.store.issues import StepIssue
from server.store.receipts import MessageKey
from server.store.sessions import ReadSession
from server.store.tables import (
    Connection,
    ConnectionHealth,
    Consent,
    Conversion,
    Endpoint,
    Identity,
    Journey,
    Message,
    Project,
    Receipt,
    Run,
    Suppression,
    User,
    Version,
    Visit,
)
from server.store.users import UserKey
from server.store.vouchers import Pool, Stock

K = TypeVar("K")
V = TypeVar("V")

MOST_COUPONS = 200
"""Of each user, those that end first."""
MOST_LAUNCHES = 20
"""Of each journey, those due last."""


@dataclass(frozen=True, slots=True)
class FiguresKey:
    """One question about one journey."""

    journey_id: int
    span: Span
    version: int | None = None
    clock: int = HAPPENED
    users: bool = True
    """Whether any number of different users is wanted."""
    series: frozenset[tuple[str, str]] = frozenset()
    """As in `server.aggregates.ask.Question`."""
    series_by_step: bool = False
    compared: bool = True
    """Whether anything is wanted of splits by chance or of the holdout."""

    def question(self, project_id: int) -> Question:
        about = (self.version, self.clock, self.users, self.series, self.series_by_step)
        return Question(project_id, self.span, *about)


@dataclass(frozen=True, slots=True)
class Figures:
    """What the aggregates answer about one journey, and how far they reach."""

    answer: Answer
    versions: list[Version]
    """All of the journey, the newest first."""
    watermark: Instant
    compared: Mapping[str, Comparison] = field(default_factory=dict)
    """By step: its splits by chance; the step without a name is the holdout."""


class IssuesKey(NamedTuple):
    """What did not arrive of one journey, between two instants."""

    journey_id: int
    since: Instant
    until: Instant


class Loaders:
    """Everything here belongs to one project; what belongs to another is not found."""

    def __init__(self, db: Database, clock: Clock, project_id: int, shards: int) -> None:
        self._db, self._clock, self._project_id, self._shards = db, clock, project_id, shards
        self.project_by_id: DataLoader[int, Project] = DataLoader(self._projects)
        self.journey_by_id: DataLoader[int, Journey | None] = self._by(
            lambda session, ids: journeys.by_ids(session, project_id, ids)
        )
        self.version_by_key: DataLoader[tuple[int, int], Version | None] = self._by(
            lambda session, keys: versions.by_keys(session, project_id, keys)
        )
        self.run_by_id: DataLoader[int, Run | None] = self._by(
            lambda session, ids: runs.by_ids(session, project_id, shards, ids)
        )
        self.user_by_key: DataLoader[UserKey, User | None] = self._by(
            lambda session, keys: users.by_keys(session, project_id, keys)
        )
        self.message_by_key: DataLoader[MessageKey, Message | None] = self._by(
            lambda session, keys: receipts.messages_by_keys(session, project_id, keys)
        )
        self.person_by_key: DataLoader[UserKey, User | None] = self._by(
            lambda session, keys: users.people(session, project_id, keys)
        )
        self.messages_by_run: DataLoader[int, list[Message] | None] = self._by(
            lambda session, ids: receipts.messages_by_runs(session, project_id, shards, ids)
        )
        self.visits_by_run: DataLoader[int, list[Visit] | None] = self._by(
            lambda session, ids: visits.by_runs(session, project_id, shards, ids)
        )
        self.conversions_by_run: DataLoader[int, list[Conversion] | None] = self._by(
            lambda session, ids: visits.conversions_by_runs(session, project_id, shards, ids)
        )
        self.receipts_by_message: DataLoader[MessageKey, list[Receipt] | None] = self._by(
            lambda session, keys: receipts.by_messages(session, project_id, keys)
        )
        self.identities_by_user: DataLoader[UserKey, list[Identity] | None] = self._by(
            lambda session, keys: users.identities_by_users(session, project_id, keys)
        )
        self.endpoints_by_user: DataLoader[UserKey, list[Endpoint] | None] = self._by(
            lambda session, keys: users.endpoints_by_users(session, project_id, keys)
        )
        self.health_by_connection: DataLoader[int, ConnectionHealth | None] = self._by(connected.health)
        self.backlog_by_connection: DataLoader[int, int | None] = self._by(
            lambda session, ids: connected.backlog(session, shards, ids)
        )
        self.size_by_list: DataLoader[int, int | None] = self._by(
            lambda session, ids: user_lists.sizes(session, shards, ids)
        )
        self.uses_by_segment: DataLoader[str, Uses | None] = self._by(
            lambda session, _: uses.of_segments(session, project_id)
        )
        self.size_by_segment: DataLoader[str, int | None] = self._by(self._segment_sizes)
        self.pool_by_id: DataLoader[int, Pool | None] = self._by(
            lambda session, ids: vouchers.by_ids(session, project_id, ids)
        )
        self.stock_by_pool: DataLoader[int, Stock | None] = self._by(vouchers.stocks)
        self.launches_by_journey: DataLoader[int, list[Any] | None] = self._by(
            lambda session, ids: launches.latest(session, shards, ids, MOST_LAUNCHES)
        )
        self.consents_by_user: DataLoader[UserKey, list[Consent] | None] = self._by(
            lambda session, keys: consents.by_users(session, project_id, keys)
        )
        self.life_by_user: DataLoader[UserKey, Any | None] = self._by(
            lambda session, keys: commerce.lives(session, project_id, keys)
        )
        self.spending_by_user: DataLoader[UserKey, list[Any] | None] = self._by(
            lambda session, keys: commerce.spending(session, project_id, keys)
        )
        self.coupons_by_user: DataLoader[UserKey, list[Any] | None] = self._by(
            lambda session, keys: commerce.coupons(session, project_id, keys, MOST_COUPONS)
        )
        self.alimtalk_by_id: DataLoader[int, Any | None] = self._by(
            lambda session, ids: alimtalk_templates.by_ids(session, project_id, ids)
        )
        self.alimtalk_versions: DataLoader[int, list[Any] | None] = self._by(
            lambda session, ids: alimtalk_templates.versions(session, project_id, ids)
        )
        self.alimtalk_registrations: DataLoader[int, list[Any] | None] = self._by(
            lambda session, ids: alimtalk_registrations.of_templates(session, project_id, ids)
        )
        self.alimtalk_comments: DataLoader[int, list[Any] | None] = self._by(
            lambda session, ids: alimtalk_registrations.comments(session, project_id, ids)
        )
        self.alimtalk_known: DataLoader[str, Known | None] = self._by(
            lambda session, keys: alimtalk_sendable.known(session, project_id, keys)
        )
        self.suppressions_by_place: DataLoader[Place, list[Suppression] | None] = self._by(
            lambda session, places: explaining.suppressions(session, project_id, places)
        )
        self.connections_by_project: DataLoader[int, list[Connection]] = DataLoader(self._connections)
        self.issues_by_span: DataLoader[IssuesKey, list[StepIssue]] = DataLoader(self._issues)
        self.figures_by_question: DataLoader[FiguresKey, Figures] = DataLoader(self._figures)

    def _by(
        self, find: Callable[[ReadSession, list[K]], Awaitable[Mapping[K, V]]]
    ) -> DataLoader[K, V | None]:
        async def load(keys: list[K]) -> list[V | None]:
            async with self._db.read() as session:
                found = await find(session, keys)
            return [found.get(key) for key in keys]

        return DataLoader(load)

    async def _segment_sizes(self, session: ReadSession, names: list[str]) -> Mapping[str, int]:
        """As of one instant, so that they agree."""
        at = await sets.latest(session, self._clock.now())
        found: dict[str, int] = {}
        for name in names:
            asked = await reading.stored(session, self._project_id, name)
            if asked is not None:
                about = (self._project_id, self._shards, asked.question, asked.lists, at)
                met = await sets.members(session, *about)
                found[name] = sum(map(len, met.values()))
        return found

    async def _projects(self, ids: list[int]) -> list[Project]:
        async with self._db.read() as session:
            return [await projects.by_id(session, project_id) for project_id in ids]

    async def _connections(self, ids: list[int]) -> list[list[Connection]]:
        async with self._db.read() as session:
            return [await connected.of_project(session, project_id) for project_id in ids]

    async def _issues(self, keys: list[IssuesKey]) -> list[list[StepIssue]]:
        """One statement for each journey and period, however many steps and reasons are asked about."""
        async with self._db.read() as session:
            return [
                await issues.by_step(
                    session,
                    self._project_id,
                    self._shards,
                    issues.Wanted(key.since, key.until, journey_id=key.journey_id),
                )
                for key in keys
            ]

    async def _figures(self, keys: list[FiguresKey]) -> list[Figures]:
        """One snapshot for all the questions that are asked at once, so that they agree."""
        groups: defaultdict[Question, set[int]] = defaultdict(set)
        for key in keys:
            groups[key.question(self._project_id)].add(key.journey_id)
        async with self._db.read() as session:
            now = self._clock.now()
            mark = await watermark.of_project(session, self._project_id, self._shards, now)
            ids = sorted({key.journey_id for key in keys})
            published = await versions.by_journeys(session, self._project_id, ids)
            graphs = {
                one: {row.number: orjson.loads(row.graph) for row in published[one]} for one in published
            }
            values = {one: set_values(one, graphs.get(one, {}).values()) for one in ids}
            answers: dict[tuple[Question, int], Answer] = {}
            for question, asked in groups.items():
                wanted = {journey_id: values[journey_id] for journey_id in asked}
                today = _date(day_of(now, question.span.zone))
                found = await ask.figures(session, question, self._shards, wanted, today)
                answers.update({(question, journey_id): answer for journey_id, answer in found.items()})
            compared = await comparing.comparisons(
                session,
                self._project_id,
                self._shards,
                {
                    key.journey_id: graphs[key.journey_id]
                    for key in keys
                    if key.compared and key.journey_id in graphs
                },
            )
        return [
            Figures(
                answers[key.question(self._project_id), key.journey_id],
                published.get(key.journey_id, []),
                mark,
                compared.get(key.journey_id, {}),
            )
            for key in keys
        ]


def _date(day: int) -> date:
    return date(day // 10_000, day // 100 % 100, day % 100)
