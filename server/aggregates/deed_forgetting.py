"""Forgets what facts say of a person in words that may be the person's own: it becomes `(other)`.

These facts tell deeds, so what they counted as stays. Deed sets keep the person's number where it is: a
value with a set of its own is one of the project's words.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from sqlalchemy import ColumnElement, and_, case, select, update

from server.store.bulk import table_of, updating
from server.store.sessions import WriteSession
from server.store.tables import AdoptedDeeds, Device, Event, VisitSession

from .deeds import OTHER, Deed, others_of

FORGOTTEN = (Deed.PROPERTY, Deed.KEYWORD, Deed.LANDING)
"""Dimensions whose values facts do not keep of who is erased."""

_events, _adopted = table_of(Event), table_of(AdoptedDeeds)
_sessions, _devices = table_of(VisitSession), table_of(Device)
_TOLD = updating(Event, ("shard", "project_id", "user_number", "occurred_at", "digest"), "deeds")
_ADOPTED = updating(AdoptedDeeds, ("shard", "project_id", "user_number", "was"), "acts")


async def forget(session: WriteSession, shard: int, project_id: int, numbers: Sequence[int]) -> None:
    """Of these users of a shard. Twice is the same as once."""
    if numbers:
        await _forget_events(session, _of(_events, shard, project_id, numbers))
        await _forget_adopted(session, _of(_adopted, shard, project_id, numbers))
        await _forget_sessions(session, shard, project_id, _of(_devices, shard, project_id, numbers))


def _of(table: Any, shard: int, project_id: int, numbers: Sequence[int]) -> ColumnElement[bool]:
    return and_(
        table.c.shard == shard, table.c.project_id == project_id, table.c.user_number.in_(list(numbers))
    )


async def _forget_events(session: WriteSession, theirs: ColumnElement[bool]) -> None:
    keys = (_events.c[name] for name in _TOLD.columns)
    told = _events.c.deeds.contains(f'"{Deed.PROPERTY}"', autoescape=True)
    rows = await session.rows(select(*keys).where(theirs, told))
    await session.bulk(_TOLD, [(*row[:-1], _written(_without(orjson.loads(row.deeds)))) for row in rows])


async def _forget_adopted(session: WriteSession, theirs: ColumnElement[bool]) -> None:
    keys = (_adopted.c[name] for name in _ADOPTED.columns)
    changed = []
    for row in await session.rows(select(*keys).where(theirs)):
        acts = {who: _without(told) for who, told in orjson.loads(row.acts).items()}
        changed.append((*row[:-1], _written(acts)))
    await session.bulk(_ADOPTED, changed)


def _without(acts: Iterable[list[Any]]) -> list[list[Any]]:
    return [[act[0], others_of(*act[:2]), *act[2:]] if act[0] == Deed.PROPERTY else act for act in acts]


def _written(told: Any) -> str:
    return orjson.dumps(told).decode()


async def _forget_sessions(
    session: WriteSession, shard: int, project_id: int, their_devices: ColumnElement[bool]
) -> None:
    devices = select(_devices.c.number).where(their_devices)
    here = and_(_sessions.c.shard == shard, _sessions.c.project_id == project_id)
    blank = {
        name: case((_sessions.c[name] == "", ""), else_=OTHER)
        for name in (Deed.KEYWORD.value, Deed.LANDING.value)
    }
    await session.run(update(_sessions).where(here, _sessions.c.device_number.in_(devices)).values(blank))
