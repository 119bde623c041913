"""Reads what journeys did with people: runs, the steps that they passed, goals, messages.

As far back as the facts are kept. Who was held out of a journey has not come in, and passes nothing.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import orjson
from sqlalchemy import bindparam, select

from server.delivery.bursts import seen
from server.delivery.status import BY_PEOPLE, opened_at, sent_at
from server.journey.audience import Facts
from server.journey.audience.coupons import GIVEN
from server.journey.audience.journeys import ENDED, ENTERED, LEFT, PASSED, REACHED
from server.journey.audience.messages import MESSAGE, Act
from server.journey.holdout import HOLDOUT
from server.journey.moment import Past
from server.store.among import among
from server.store.bulk import table_of
from server.store.tables import Conversion, Message, Run, Visit

from .loading import Found, Looking

_runs, _visits = table_of(Run), table_of(Visit)
_conversions, _messages = table_of(Conversion), table_of(Message)
_RUNS = (
    select(
        _runs.c.user_number,
        _runs.c.id,
        _runs.c.journey_id,
        _runs.c.entered_at,
        _runs.c.ended_at,
        _runs.c.end_reason,
        _runs.c.step_key,
        _runs.c.arrived_at,
        _runs.c.variant,
    )
    .where(_runs.c.shard == bindparam("shard"), _runs.c.project_id == bindparam("project_id"))
    .where(among(_runs.c.user_number, "numbers"))
)
_PROPERTIES = (
    select(_runs.c.user_number, _runs.c.id, _runs.c.journey_id, _runs.c.entered_at, _runs.c.properties)
    .where(_runs.c.shard == bindparam("shard"), _runs.c.project_id == bindparam("project_id"))
    .where(among(_runs.c.user_number, "numbers"), _runs.c.journey_id == bindparam("of_journey"))
)
_VISITS = select(
    _visits.c.run_id, _visits.c.step_key, _visits.c.arrived_at, _visits.c.left_at, _visits.c.output
).where(_visits.c.shard == bindparam("shard"), among(_visits.c.run_id, "runs"))
_CONVERSIONS = select(
    _conversions.c.run_id, _conversions.c.goal_key, _conversions.c.digest, _conversions.c.occurred_at
).where(_conversions.c.shard == bindparam("shard"), among(_conversions.c.run_id, "runs"))
_MESSAGES = (
    select(
        _messages.c.user_number,
        _messages.c.id,
        _messages.c.journey_id,
        _messages.c.step_key,
        _messages.c.channel,
        _messages.c.attempted_at,
        _messages.c.heard,
    )
    .where(_messages.c.shard == bindparam("shard"), _messages.c.project_id == bindparam("project_id"))
    .where(among(_messages.c.user_number, "numbers"), _messages.c.attempted_at.is_not(None))
)


async def read_runs(looking: Looking, wanted: Collection[Facts]) -> list[Found]:
    journeys = {one.journey for one in wanted}
    return [
        one
        for number, run in await _runs_of(looking)
        if run.journey_id in journeys
        for one in told_of_run(number, run)
    ]


async def _runs_of(looking: Looking) -> list[tuple[int, Any]]:
    """Several kinds of facts hang on them: they are read once."""
    if "runs" not in looking.runs:
        looking.runs["runs"] = await looking.rows(_RUNS)
    found: list[tuple[int, Any]] = looking.runs["runs"]
    return found


def told_of_run(number: int, run: Any) -> Iterator[Found]:
    """That it began, that it is over, and where it is. Also of a run that is in hand."""
    key = str(run.id)
    if run.end_reason is not None:
        ended = Past(run.ended_at, {"reason": run.end_reason})
        yield Found(number, Facts(ENDED, journey=run.journey_id), key, ended)
    if run.variant == HOLDOUT:
        return
    about = {"ended_at": run.ended_at if run.end_reason is not None else None, "step": run.step_key}
    yield Found(number, Facts(ENTERED, journey=run.journey_id), key, Past(run.entered_at, about))
    if run.end_reason is None:
        yield passing(number, run.journey_id, run.id, run.step_key, run.arrived_at)


async def read_given(looking: Looking, wanted: Collection[Facts]) -> list[Found]:
    """With which coupons people have come into these journeys, whoever they were then."""
    found: list[Found] = []
    for journey_id in {one.journey for one in wanted}:
        rows = await looking.rows(_PROPERTIES, {"of_journey": journey_id})
        found += (one for number, run in rows for one in told_of_given(number, run))
    return found


def told_of_given(number: int, run: Any) -> Iterator[Found]:
    """The coupon with which a run began, if it did with one."""
    coupon = orjson.loads(run.properties).get("coupon")
    if isinstance(coupon, dict) and isinstance(coupon.get("code"), str):
        past = Past(run.entered_at, {"code": coupon["code"]})
        yield Found(number, Facts(GIVEN, journey=run.journey_id), str(run.id), past)


def passing(number: int, journey_id: int, run_id: int, step_key: str, arrived_at: int) -> Found:
    facts = Facts(PASSED, journey=journey_id)
    return Found(number, facts, f"{run_id}/{step_key}/{arrived_at}", Past(arrived_at, {"step": step_key}))


async def read_visits(looking: Looking, wanted: Collection[Facts]) -> list[Found]:
    """Steps that were passed, and those that were left by an output."""
    journeys = {one.journey for one in wanted}
    runs = {run.id: (n, run) for n, run in await _runs_of(looking) if run.journey_id in journeys}
    found: list[Found] = []
    for number, run in runs.values():
        found += (one for one in told_of_run(number, run) if one.facts.kind == PASSED)
    for row in await _of_runs(looking, _VISITS, runs):
        number, run = runs[row.run_id]
        if run.variant != HOLDOUT:
            found += told_of_visit(number, run.journey_id, row)
    return found


def told_of_visit(number: int, journey_id: int, visit: Any) -> Iterator[Found]:
    yield passing(number, journey_id, visit.run_id, visit.step_key, visit.arrived_at)
    if visit.output:
        about = {"step": visit.step_key, "output": visit.output}
        key = f"{visit.run_id}/{visit.step_key}/{visit.arrived_at}"
        yield Found(number, Facts(LEFT, journey=journey_id), key, Past(visit.left_at, about))


async def read_conversions(looking: Looking, wanted: Collection[Facts]) -> list[Found]:
    journeys = {one.journey for one in wanted}
    runs = {run.id: (n, run) for n, run in await _runs_of(looking) if run.journey_id in journeys}
    return [
        told_of_hit(runs[row.run_id][0], runs[row.run_id][1].journey_id, row)
        for row in await _of_runs(looking, _CONVERSIONS, runs)
        if runs[row.run_id][1].variant != HOLDOUT
    ]


def told_of_hit(number: int, journey_id: int, hit: Any) -> Found:
    key = f"{hit.run_id}/{hit.goal_key}/{hit.digest}"
    past = Past(hit.occurred_at, {"goal": hit.goal_key})
    return Found(number, Facts(REACHED, journey=journey_id), key, past)


async def _of_runs(looking: Looking, statement: Any, runs: Iterable[int]) -> list[Any]:
    """What hangs on these runs, in every shard in which their people have been."""
    found: list[Any] = []
    for shard in looking.people:
        found += await looking.session.rows_in(statement, "runs", runs, {"shard": shard})
    return found


async def read_messages(looking: Looking, wanted: Collection[Facts]) -> list[Found]:
    asked = set(wanted)
    return [
        one
        for number, message in await looking.rows(_MESSAGES)
        for one in told_of_message(number, message, orjson.loads(message.heard))
        if one.facts in asked
    ]


def told_of_message(number: int, message: Any, heard: Any) -> Iterator[Found]:
    """Its acts, each at its first time: of its journey, and of any."""
    heard = seen(heard)
    clicks = (heard[f"clicked/{who}"][0] for who in BY_PEOPLE if f"clicked/{who}" in heard)
    moments = {
        Act.SENT: sent_at(heard, message.attempted_at),
        Act.DELIVERED: heard["delivered"][0] if "delivered" in heard else None,
        Act.OPENED: opened_at(heard),
        Act.CLICKED: min(clicks, default=None),
    }
    about = {"step": message.step_key, "channel": message.channel}
    for act, at in moments.items():
        if at is not None:
            for journey_id in (message.journey_id, 0):
                yield Found(number, Facts(MESSAGE, act, journey_id), str(message.id), Past(at, about))
