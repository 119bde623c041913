"""Which facts a recount reads: all of them, or those of some runs that are to be settled."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select

from server.store.among import among
from server.store.bulk import table_of
from server.store.tables import Conversion, Message, Receipt, Refusal, Visit

_visits, _conversions, _refusals = table_of(Visit), table_of(Conversion), table_of(Refusal)
_messages, _receipts = table_of(Message), table_of(Receipt)
_ALL_REFUSALS = select(_refusals, _refusals.c.occurred_at.label("entered_at"))

RefusalKey = tuple[int, int, int, int, str]
"""Shard, project, journey, user number, digest."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The statements that read it."""

    visits: Select[Any]
    refusals: Select[Any]
    conversions: Select[Any]
    receipts: Select[Any]
    messages: Select[Any]


EVERYTHING = Scope(select(_visits), _ALL_REFUSALS, select(_conversions), select(_receipts), select(_messages))
_NOTHING = _ALL_REFUSALS.where(_refusals.c.shard == -1)


def of_runs(shards: int, runs: Collection[int], messages: Collection[int]) -> Scope:
    """The facts of these runs, in whatever shard they lie. `messages` are all of theirs."""

    def theirs(table: Any) -> Select[Any]:
        here = table.c.shard.in_(list(range(shards)))
        return select(table).where(here, among(table.c.run_id, "wanted")).params(wanted=sorted(runs))

    heard = (
        select(_receipts)
        .where(_receipts.c.shard.in_(list(range(shards))), among(_receipts.c.message_id, "wanted"))
        .params(wanted=sorted(messages))
    )
    return Scope(theirs(_visits), _NOTHING, theirs(_conversions), heard, theirs(_messages))


def of_refusals(keys: Collection[RefusalKey]) -> Scope:
    """These refusals alone."""
    nothing = of_runs(1, (), ())
    listed = _ALL_REFUSALS.where(or_(*(_is(key) for key in keys)))
    return Scope(nothing.visits, listed, nothing.conversions, nothing.receipts, nothing.messages)


def _is(key: RefusalKey) -> ColumnElement[bool]:
    return and_(*(column == value for column, value in zip(_refusals.primary_key, key, strict=True)))
