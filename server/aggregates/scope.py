"""Which facts a recount reads: all of them, or those of some runs that are to be settled."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select

from server.store.among import among
from server.store.bulk import table_of
from server.store.tables import Conversion, Message, Receipt, Refusal, Run, Visit

_visits, _conversions, _refusals = table_of(Visit), table_of(Conversion), table_of(Refusal)
_messages, _receipts, _runs = table_of(Message), table_of(Receipt), table_of(Run)
_ALL_REFUSALS = select(_refusals, _refusals.c.occurred_at.label("entered_at"))

RefusalKey = tuple[int, int, int, int, str]
"""Shard, project, journey, user number, digest."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The statements that read it."""

    runs: Select[Any]
    visits: Select[Any]
    refusals: Select[Any]
    conversions: Select[Any]
    receipts: Select[Any]
    messages: Select[Any]


EVERYTHING = Scope(
    select(_runs.c.id),
    select(_visits),
    _ALL_REFUSALS,
    select(_conversions),
    select(_receipts),
    select(_messages),
)
_NOTHING = _ALL_REFUSALS.where(_refusals.c.shard == -1)


def of_runs(shards: int, runs: Collection[int], messages: Collection[int]) -> Scope:
    """The facts of these runs, in whatever shard they lie. `messages` are all of theirs."""

    everywhere = list(range(shards))

    def theirs(table: Any) -> Select[Any]:
        run_id = table.c.id if table is _runs else table.c.run_id
        mine = select(table).where(table.c.shard.in_(everywhere), among(run_id, "wanted"))
        return mine.params(wanted=sorted(runs))

    heard = (
        select(_receipts)
        .where(_receipts.c.shard.in_(everywhere), among(_receipts.c.message_id, "wanted"))
        .params(wanted=sorted(messages))
    )
    return Scope(theirs(_runs), theirs(_visits), _NOTHING, theirs(_conversions), heard, theirs(_messages))


def of_refusals(keys: Collection[RefusalKey]) -> Scope:
    """These refusals alone."""
    nothing = of_runs(1, (), ())
    listed = _ALL_REFUSALS.where(or_(*(_is(key) for key in keys)))
    return replace(nothing, refusals=listed)


def _is(key: RefusalKey) -> ColumnElement[bool]:
    return and_(*(column == value for column, value in zip(_refusals.primary_key, key, strict=True)))
