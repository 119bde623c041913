"""Reads what people did: events and visits."""

from collections.abc import Collection
from typing import Any

import orjson
from sqlalchemy import bindparam, or_, select

from server.journey.audience import EVENT, Facts
from server.journey.audience.visits import ABOUT, VISIT
from server.journey.moment import Past
from server.store.among import among
from server.store.bulk import table_of
from server.store.tables import Device, Event, VisitSession

from .loading import Found, Looking

OF_TYPE = {"$page": "page", "$screen": "screen"}
"""Names that stand for every event of a type, whatever it is called."""

_events, _devices, _visits = table_of(Event), table_of(Device), table_of(VisitSession)
_EVENTS = (
    select(
        _events.c.user_number,
        _events.c.name,
        _events.c.type,
        _events.c.occurred_at,
        _events.c.body,
        _events.c.digest,
    )
    .where(_events.c.shard == bindparam("shard"), _events.c.project_id == bindparam("project_id"))
    .where(among(_events.c.user_number, "numbers"), _events.c.occurred_at >= bindparam("since"))
    .where(or_(among(_events.c.name, "names"), among(_events.c.type, "types")))
)
_VISITS = (
    select(
        _devices.c.user_number,
        _visits.c.device_number,
        _visits.c.started_at,
        *(_visits.c[name] for name in ABOUT),
    )
    .join_from(
        _devices,
        _visits,
        (_visits.c.shard == _devices.c.shard)
        & (_visits.c.project_id == _devices.c.project_id)
        & (_visits.c.device_number == _devices.c.number),
    )
    .where(_devices.c.shard == bindparam("shard"), _devices.c.project_id == bindparam("project_id"))
    .where(among(_devices.c.user_number, "numbers"), _visits.c.started_at >= bindparam("since"))
    .where(_visits.c.begun)
)


async def read_events(looking: Looking, wanted: Collection[Facts]) -> list[Found]:
    names = sorted(one.name for one in wanted)
    types = sorted(OF_TYPE[name] for name in names if name in OF_TYPE)
    about = {"names": names, "types": types, "since": looking.since}
    found: list[Found] = []
    for number, row in await looking.rows(_EVENTS, about):
        past = Past(row.occurred_at, orjson.loads(row.body))
        for name in {row.name, f"${row.type}"} & set(names):
            found.append(Found(number, Facts(EVENT, name), row.digest, past))
    return found


async def read_visits(looking: Looking, wanted: Collection[Facts]) -> list[Found]:
    rows = await looking.rows(_VISITS, {"since": looking.since})
    return [told_of_session(number, row) for number, row in rows]


def told_of_session(number: int, session: Any) -> Found:
    """Also of one that is in hand."""
    past = Past(session.started_at, {name: getattr(session, name) for name in ABOUT})
    return Found(number, Facts(VISIT), f"{session.device_number}/{session.started_at}", past)
