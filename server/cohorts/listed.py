"""Refuses what is not kept apart, and would be answered with zeros: values that came up when their dimension
had as many as it may, and properties that nobody has declared."""

from collections import Counter
from collections.abc import Collection

from sqlalchemy import select

from server.aggregates.deed_values import Value
from server.aggregates.deeds import MOST_VALUES, SEPARATOR
from server.errors import BadInput
from server.store import declared
from server.store.bulk import table_of
from server.store.tables import DeedValue

from . import acts
from .definition import Act, Definition
from .gathering import Where

_values = table_of(DeedValue)


async def refuse_untold(where: Where, asked: Definition) -> None:
    """Of a value that is on no list all zeros are true as long as the list has room. Raises BadInput."""
    await _refuse_undeclared(where, asked)
    wanted = _limited(where.project_id, asked)
    if not wanted:
        return
    listed = await _listed(where, wanted)
    unlisted = [one for one in wanted if one not in listed]
    if not unlisted:
        return
    sizes = Counter(one.group for one in await _whole(where, {one.dimension for one in unlisted}))
    if untold := [one for one in unlisted if sizes[one.group] >= MOST_VALUES]:
        raise BadInput(" ".join(map(_why, untold)))


def _every(asked: Definition) -> tuple[Act, ...]:
    return (asked.entry, asked.back, *asked.where)


async def _refuse_undeclared(where: Where, asked: Definition) -> None:
    wanted = dict.fromkeys((act.name, act.property) for act in _every(asked) if act.property)
    if not wanted:
        return
    known = {(one.event, one.property) for one in await declared.of_project(where.session, where.project_id)}
    if missing := [one for one in wanted if one not in known]:
        told = ", ".join(f"{name!r} of {event!r}" for event, name in missing)
        raise BadInput(f"Nothing is counted by {told}: declare properties first, see `declareProperties`.")


def _limited(project_id: int, asked: Definition) -> list[Value]:
    """Everything that is asked by its value, of dimensions that keep so many and no more."""
    ofs = [of for act in _every(asked) for of in acts.source_of(act, asked.unit).ofs]
    if asked.breakdown is not None:
        ofs += [of for value in asked.breakdown.values for of in acts.of_breakdown(asked, value).ofs]
    every = dict.fromkeys(Value(project_id, of.dimension, of.value) for of in ofs)
    return [one for one in every if one.is_limited]


async def _listed(where: Where, wanted: Collection[Value]) -> set[Value]:
    statement = (
        select(_values.c.dimension, _values.c.value)
        .where(_values.c.project_id == where.project_id)
        .where(_values.c.dimension.in_(sorted({one.dimension for one in wanted})))
        .where(_values.c.value.in_(sorted({one.value for one in wanted})))
    )
    return {Value(where.project_id, row.dimension, row.value) for row in await where.session.rows(statement)}


async def _whole(where: Where, dimensions: Collection[str]) -> list[Value]:
    statement = (
        select(_values.c.dimension, _values.c.value)
        .where(_values.c.project_id == where.project_id)
        .where(_values.c.dimension.in_(sorted(dimensions)))
    )
    return [Value(where.project_id, row.dimension, row.value) for row in await where.session.rows(statement)]


def _why(one: Value) -> str:
    told = " / ".join(one.value.split(SEPARATOR))
    return (
        f"{told!r} came up when the project had {MOST_VALUES:,} values of {one.dimension!r} already: it is "
        "gathered under (other) and cannot be told apart."
    )
