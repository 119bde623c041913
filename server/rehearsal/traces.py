"""What happened on a stage, person by person, and the figures of the canvas; read before it is gone."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import select

from server.aggregates.ask import DAYS, HOURS, Span
from server.aggregates.metrics import Metric
from server.clock import Instant
from server.delivery.hearing import write_reference
from server.journey.goals import AMOUNT_SCALE
from server.loaders import Figures, FiguresKey, Loaders
from server.store.bulk import table_of
from server.store.sessions import ReadSession
from server.store.tables import Conversion, Message, Quarantine, Receipt, Refusal, Run, User, Visit

from .plan import Person
from .stage import PROJECT, SHARD, Stage

Record = Mapping[str, Any]
EVERY_SERIES = frozenset((metric.value, unit) for metric in Metric for unit in (HOURS, DAYS))


@dataclass(frozen=True, slots=True)
class HeardTrace:
    kind: str
    at: Instant
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class MessageTrace:
    """A message that would have gone out, word for word."""

    step_key: str
    channel: str
    address: str
    status: str
    reason: str
    decided_at: Instant
    content: Mapping[str, str]
    """As it was rendered; empty if it never came to that."""
    variables: Mapping[str, str]
    heard: Sequence[HeardTrace]

    @property
    def detail(self) -> str:
        """What explains its end in words, e.g. of a template that cannot be rendered."""
        return next((one.detail for one in reversed(self.heard) if one.detail), "")


@dataclass(frozen=True, slots=True)
class VisitTrace:
    step_key: str
    arrived_at: Instant
    left_at: Instant | None
    output: str
    because: str
    end_reason: str
    saw: Record
    messages: Sequence[MessageTrace]


@dataclass(frozen=True, slots=True)
class ReachedTrace:
    goal_key: str
    at: Instant
    amount: float


@dataclass(frozen=True, slots=True)
class RunTrace:
    """One passage, with the steps in order; the last one is where it waits or ended."""

    entry_key: str
    event: str
    properties: Record
    entered_at: Instant
    ended_at: Instant | None
    end_reason: str
    waiting_until: Instant | None
    visits: Sequence[VisitTrace]
    reached: Sequence[ReachedTrace]

    @property
    def path(self) -> list[str]:
        """The keys of the steps, in order."""
        return [visit.step_key for visit in self.visits]

    @property
    def messages(self) -> list[MessageTrace]:
        return [message for visit in self.visits for message in visit.messages]


@dataclass(frozen=True, slots=True)
class RefusalTrace:
    """An event that would have let the person in, and why it did not."""

    entry_key: str
    at: Instant
    reason: str


@dataclass(frozen=True, slots=True)
class PersonTrace:
    person: Person
    attributes: Record
    """As they are in the end."""
    runs: Sequence[RunTrace]
    refusals: Sequence[RefusalTrace]

    @property
    def name(self) -> str:
        return self.person.name

    @property
    def path(self) -> list[str]:
        """The keys of the steps of all its runs, one after the other."""
        return [key for run in self.runs for key in run.path]

    @property
    def messages(self) -> list[MessageTrace]:
        return [message for run in self.runs for message in run.messages]


@dataclass(frozen=True, slots=True)
class Account:
    """Everything that is known of a performance."""

    people: list[PersonTrace]
    figures: Figures
    troubles: list[str] = field(default_factory=list)
    """What the engine had to put aside."""


async def account_of(stage: Stage) -> Account:
    async with stage.db.read() as session:
        ledger = await _read(session)
        attributes = await _attributes(session)
        troubles = [row.error for row in await session.rows(select(table_of(Quarantine)))]
    people = [
        PersonTrace(
            person,
            attributes.get(number, person.attributes),
            [
                ledger.run(stage, row)
                for row in ledger.runs[number]
                if row.journey_id == stage.plan.journey_id
            ],
            ledger.refusals[number],
        )
        for number, person in enumerate(stage.people)
    ]
    return Account(people, await _figures(stage), troubles)


async def _figures(stage: Stage) -> Figures:
    loaders = Loaders(stage.db, stage.clock, PROJECT, 1)
    question = FiguresKey(
        stage.plan.journey_id, Span(stage.plan.zone), series=EVERY_SERIES, series_by_step=True
    )
    return await loaders.figures_by_question.load(question)


async def _attributes(session: ReadSession) -> dict[int, Record]:
    users = table_of(User)
    rows = await session.rows(select(users.c.number, users.c.attributes))
    return {row.number: orjson.loads(row.attributes) for row in rows}


@dataclass(slots=True)
class _Ledger:
    """All facts, each where it belongs."""

    runs: defaultdict[int, list[Any]] = field(default_factory=lambda: defaultdict(list))
    """By user."""
    visits: defaultdict[int, list[Any]] = field(default_factory=lambda: defaultdict(list))
    messages: defaultdict[tuple[int, str], list[Any]] = field(default_factory=lambda: defaultdict(list))
    """By run and step, in the order in which they were decided."""
    receipts: defaultdict[int, list[HeardTrace]] = field(default_factory=lambda: defaultdict(list))
    conversions: defaultdict[int, list[ReachedTrace]] = field(default_factory=lambda: defaultdict(list))
    refusals: defaultdict[int, list[RefusalTrace]] = field(default_factory=lambda: defaultdict(list))

    def run(self, stage: Stage, row: Any) -> RunTrace:
        visits = [self._visit(stage, visit) for visit in self.visits[row.id]]
        if row.wake_at is not None:
            visits.append(self._present(stage, row))
        return RunTrace(
            entry_key=row.entry_key,
            event=row.event_name,
            properties=orjson.loads(row.properties),
            entered_at=row.entered_at,
            ended_at=row.ended_at,
            end_reason=row.end_reason or "",
            waiting_until=row.wake_at,
            visits=visits,
            reached=self.conversions[row.id],
        )

    def _visit(self, stage: Stage, row: Any) -> VisitTrace:
        sent = self._sent(stage, row.run_id, row.step_key, row.arrived_at, row.left_at)
        whence = (row.step_key, row.arrived_at, row.left_at, row.output, row.because, row.end_reason or "")
        return VisitTrace(*whence, _saw(row), sent)

    def _present(self, stage: Stage, run: Any) -> VisitTrace:
        sent = self._sent(stage, run.id, run.step_key, run.arrived_at, None)
        return VisitTrace(run.step_key, run.arrived_at, None, "", "", "", {}, sent)

    def _sent(
        self, stage: Stage, run_id: int, step_key: str, since: Instant, until: Instant | None
    ) -> list[MessageTrace]:
        """The messages of one visit: those of its step that were decided while it lasted."""
        return [
            _message(stage, row, self.receipts[row.id])
            for row in self.messages[run_id, step_key]
            if since <= row.created_at and (until is None or row.created_at <= until)
        ]


def _saw(row: Any) -> Record:
    found = getattr(row, "saw", "")
    return dict(orjson.loads(found)) if found else {}


def _message(stage: Stage, row: Any, heard: Sequence[HeardTrace]) -> MessageTrace:
    said = stage.bag.messages.get(write_reference(PROJECT, SHARD, row.id))
    return MessageTrace(
        step_key=row.step_key,
        channel=row.channel,
        address=row.address,
        status=row.status,
        reason=row.reason,
        decided_at=row.created_at,
        content=dict(said.content) if said else {},
        variables=dict(said.variables) if said else {},
        heard=heard,
    )


async def _read(session: ReadSession) -> _Ledger:
    ledger = _Ledger()
    for row in await _all(session, Run, "entered_at", "id"):
        ledger.runs[row.user_number].append(row)
    for row in await _all(session, Visit, "seq"):
        ledger.visits[row.run_id].append(row)
    for row in await _all(session, Message, "id"):
        ledger.messages[row.run_id, row.step_key].append(row)
    for row in await _all(session, Receipt, "occurred_at", "key"):
        heard = HeardTrace(row.kind, row.occurred_at, row.reason, row.detail)
        ledger.receipts[row.message_id].append(heard)
    for row in await _all(session, Conversion, "occurred_at", "digest"):
        reached = ReachedTrace(row.goal_key, row.occurred_at, row.amount / AMOUNT_SCALE)
        ledger.conversions[row.run_id].append(reached)
    for row in await _all(session, Refusal, "occurred_at"):
        ledger.refusals[row.user_number].append(RefusalTrace(row.step_key, row.occurred_at, row.reason))
    return ledger


async def _all(session: ReadSession, model: type[Any], *order: str) -> Iterable[Any]:
    table = table_of(model)
    return await session.rows(select(table).order_by(*(table.c[name] for name in order)))
