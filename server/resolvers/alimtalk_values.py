"""What the variables of a template would say to one person: for previews and trials. Nothing is sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from server.clock import Instant
from server.context import Context
from server.delivery import shopping
from server.delivery.alimtalk.values import coupon_of, row_of
from server.store import commerce
from server.store.users import UserKey
from server.templates.render import TemplateProblem, render

from . import journeys, users
from .refusals import Missing

EXAMPLE_VOUCHER = "VOUCHER-CODE"
"""No code is taken from a pool to try a text."""


@dataclass(frozen=True, slots=True)
class Reader:
    """To whom a template is shown, and by what event they would have come in."""

    user: UserKey | None = None
    event: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    """By variable: what is said by hand goes before what the bindings give."""


@dataclass(frozen=True, slots=True)
class Values:
    """What each variable says, and of which nothing can be said."""

    said: Mapping[str, str]
    problems: Mapping[str, str] = field(default_factory=dict)
    """By variable: why its binding cannot be written."""


async def values_of(context: Context, bindings: Mapping[str, str], reader: Reader) -> Values:
    """What these bindings, Liquid texts by variable, give for somebody. Raises Missing."""
    wanted = {name: text for name, text in bindings.items() if name not in reader.values}
    known = await _known(context, reader, wanted) if wanted else {}
    now, said, problems = context.clock.now(), dict(reader.values), {}
    for name, text in wanted.items():
        try:
            said[name] = render(text, known, escape=False, now=now)
        except TemplateProblem as problem:
            problems[name] = problem.message
    return Values(said, problems)


async def _known(context: Context, reader: Reader, bindings: Mapping[str, str]) -> dict[str, object]:
    """As a message has them, without what only a message of a journey knows."""
    project = await journeys.project(context)
    properties = reader.properties
    asks = any(shopping.asks(text) for text in bindings.values())
    about = (project.time_zone, context.clock.now())
    return {
        "user": {} if reader.user is None else await _user(context, reader.user, about, asks=asks),
        "event": {**properties, "name": reader.event, "properties": properties},
        "journey": {"id": 0, "title": ""},
        "project": {"name": project.name, "timezone": project.time_zone},
        "message": {"id": 0},
        "messages": {},
        "voucher": {"code": EXAMPLE_VOUCHER},
        "coupon": coupon_of(reader.event, properties, project.time_zone),
        "row": row_of(properties),
        "unsubscribe_url": "",
    }


async def _user(
    context: Context, key: UserKey, about: tuple[str, Instant], *, asks: bool
) -> dict[str, object]:
    person = await users.person(context, key)
    if person is None:
        raise Missing("There is no such user in this project.", ("input", "userId"))
    bought = await _bought(context, (person.shard, person.number), *about) if asks else {}
    return {**bought, **orjson.loads(person.attributes or "{}"), "id": person.user_id}


async def _bought(context: Context, key: UserKey, zone: str, now: Instant) -> dict[str, object]:
    async with context.db.read() as session:
        about = (session, context.project_id, [key])
        lives, spending = await commerce.lives(*about), await commerce.spending(*about)
        coupons = await commerce.coupons(*about, shopping.MOST_COUPONS)
    life = shopping.life_of(lives.get(key), spending.get(key, ()), now, zone)
    return {"life": life, "coupons": shopping.coupons_of(coupons.get(key, ()), now, zone)}
