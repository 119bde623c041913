"""Which messages are credited with the conversions of a batch, and with earlier ones as more is heard.

A run's messages lie in the shard in which they were born. A run that goes on in another takes along what is
known of them, and what is heard later follows it: so each shard credits the conversions that it holds.
The first hit of each goal goes where the run goes: while that is under way, it is counted nowhere.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import orjson
from sqlalchemy import bindparam, select

from server.aggregates.metrics import Metric
from server.clock import Instant
from server.delivery.bursts import seen
from server.delivery.status import opened_at, sent_at
from server.journey.credit import Credit, Letter, credit_of
from server.journey.holdout import HOLDOUT
from server.store.among import among
from server.store.bulk import table_of
from server.store.sessions import ReadSession
from server.store.tables import Conversion, ForeignLetter, Message, Run

from . import gather
from .batch import Batch
from .state import MessageState, RunState

_messages, _conversions, _foreign = table_of(Message), table_of(Conversion), table_of(ForeignLetter)
_runs = table_of(Run)
_MESSAGES_OF = select(_messages).where(
    _messages.c.shard == bindparam("shard"), among(_messages.c.run_id, "runs")
)
_CONVERSIONS_OF = select(_conversions).where(
    _conversions.c.shard == bindparam("shard"), among(_conversions.c.run_id, "runs")
)
_FIRST = ("id", "project_id", "journey_id", "version", "entered_at", "goals", "variant")
_FIRSTS_OF = select(*(_runs.c[name] for name in _FIRST)).where(
    _runs.c.shard == bindparam("shard"), among(_runs.c.id, "runs"), _runs.c.goals != "{}"
)
_FOREIGN_OF = select(_foreign).where(_foreign.c.shard == bindparam("shard"), among(_foreign.c.run_id, "runs"))

Letters = Mapping[int, Letter]
"""Of one run, by message."""


class Hit(NamedTuple):
    """A conversion, as it is counted."""

    project_id: int
    journey_id: int
    version: int
    goal_key: str
    at: Instant
    amount: int
    entered_at: Instant


async def load(session: ReadSession, batch: Batch, run_ids: Iterable[int], heard: Iterable[int] = ()) -> None:
    """The conversions of these runs in this shard, and all of their messages, into the batch.

    Of the runs of which only a message was heard, the messages matter if there are conversions to credit.
    """
    about = {"shard": batch.shard}
    wanted = sorted({*run_ids, *heard} - batch.hits.keys())
    batch.hits.update((run_id, []) for run_id in wanted)
    for row in await session.rows_in(_CONVERSIONS_OF, "runs", wanted, about):
        where = (row.project_id, row.journey_id, row.version)
        batch.hits[row.run_id].append(Hit(*where, row.goal_key, row.occurred_at, row.amount, row.entered_at))
    not_here = sorted({*heard} - batch.runs.keys() - batch.firsts.keys())
    for row in await session.rows_in(_FIRSTS_OF, "runs", not_here, about):
        batch.firsts[row.id] = _firsts(row)
    hit = (run_id for run_id in heard if batch.hits[run_id] or _firsts_here(batch, run_id))
    lettered = sorted({*run_ids, *hit} - batch.lettered)
    batch.lettered.update(lettered)
    for row in await session.rows_in(_FOREIGN_OF, "runs", lettered, about):
        batch.letters[row.run_id][row.message_id] = _letter_of_row(row)
    for row in await session.rows_in(_MESSAGES_OF, "runs", lettered, about):
        message = batch.messages.get(row.id) or gather.to_message(row, batch.catalog.prices)
        batch.letters[row.run_id][row.id] = letter_of(message)


def _firsts_here(batch: Batch, run_id: int) -> list[Hit]:
    """The first hit of each goal of a run that is in this shard; none of one that is not."""
    run = batch.runs.get(run_id)
    return batch.firsts.get(run_id, []) if run is None else _firsts(run)


def _firsts(run: Any) -> list[Hit]:
    """Who is held out is credited to nothing."""
    if run.goals == "{}" or run.variant == HOLDOUT:
        return []
    found = []
    for goal_key, (at, amount, _, *version) in orjson.loads(run.goals).items():
        where = (run.project_id, run.journey_id, version[0] if version else run.version)
        found.append(Hit(*where, goal_key, at, amount, run.entered_at))
    return found


def _letter_of_row(row: Any) -> Letter:
    return Letter(row.message_id, row.step_key, row.channel, row.sent_at, row.opened_at)


def letter_of(message: MessageState) -> Letter:
    heard = seen(message.heard)
    sent = sent_at(heard, message.attempted_at)
    return Letter(message.id, message.step_key, message.channel, sent, opened_at(heard))


def count(batch: Batch, run: RunState, goal_key: str, at: Instant, amount: int) -> None:
    """Counts a new conversion where it is due."""
    where = (run.project_id, run.journey_id, run.version)
    hit = Hit(*where, goal_key, at, amount, run.entered_at)
    batch.hits[run.id].append(hit)
    _count(batch, hit, batch.letters[run.id], 1)


def count_first(batch: Batch, run: RunState, goal_key: str, first: tuple[Instant, int, int], n: int) -> None:
    """Counts the first hit of a goal of a run, or takes it back: when, how much, in which version."""
    if run.variant != HOLDOUT:
        at, amount, version = first
        hit = Hit(run.project_id, run.journey_id, version, goal_key, at, amount, run.entered_at)
        _count_direct(batch, Metric.CREDITED_FIRST, hit, credit_of(at, batch.letters[run.id].values()), n)


def _count_firsts(batch: Batch, hits: Iterable[Hit], letters: Letters, n: int) -> None:
    for hit in hits:
        _count_direct(batch, Metric.CREDITED_FIRST, hit, credit_of(hit.at, letters.values()), n)


def hear(batch: Batch, run_id: int, letter: Letter) -> None:
    """What is now known of a message moves the credit for the conversions of its run."""
    known = batch.letters[run_id]
    if known.get(letter.id) == letter:
        return
    after = {**known, letter.id: letter}
    for hit in batch.hits[run_id]:
        _count(batch, hit, known, -1)
        _count(batch, hit, after, 1)
    firsts = _firsts_here(batch, run_id)
    _count_firsts(batch, firsts, known, -1)
    _count_firsts(batch, firsts, after, 1)
    batch.letters[run_id] = after


def take_along(batch: Batch, run: RunState) -> list[list[Any]]:
    """What is known of a run's messages, for the shard in which it goes on."""
    _count_firsts(batch, _firsts(run), batch.letters[run.id], -1)
    return [list(letter) for letter in batch.letters[run.id].values()]


def arrive(batch: Batch, run: RunState) -> None:
    """A run goes on here; what is known of its messages has been welcomed before."""
    _count_firsts(batch, _firsts(run), batch.letters[run.id], 1)


def welcome(batch: Batch, project_id: int, run_id: int, letter: Letter) -> None:
    """Keeps what is known of a message that was born in another shard; of ours we know more ourselves."""
    if not batch.is_ours(letter.id):
        hear(batch, run_id, letter)
        batch.foreign_letters[run_id, letter.id] = (batch.shard, run_id, letter.id, project_id, *letter[1:])


def _count(batch: Batch, hit: Hit, letters: Letters, n: int) -> None:
    credit = credit_of(hit.at, letters.values())
    _count_direct(batch, Metric.CREDITED, hit, credit, n)
    for one in credit.assisted:
        _count_at(batch, Metric.ASSISTED, hit, one.step_key, n, channel=one.channel)


def _count_direct(batch: Batch, metric: Metric, hit: Hit, credit: Credit, n: int) -> None:
    step_key, channel = (credit.direct.step_key, credit.direct.channel) if credit.direct else ("", "")
    _count_at(batch, metric, hit, step_key, n, channel=channel, reason=credit.how)


def _count_at(
    batch: Batch, metric: Metric, hit: Hit, step_key: str, n: int, *, channel: str, reason: str = ""
) -> None:
    about = (hit.project_id, hit.journey_id, hit.version, step_key, hit.at, hit.entered_at)
    more: dict[str, Any] = {"output": hit.goal_key, "channel": channel, "reason": reason}
    batch.tally.count(metric, *about, **more, n=n, amount=n * hit.amount)
