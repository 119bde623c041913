"""Small random lives, for laws about segments: devices, merges, journeys, messages, late events, lists."""

from io import StringIO
from random import Random
from typing import Any

import orjson
from sqlalchemy import select, update

from server.lists import audience
from server.store.bulk import table_of
from server.store.tables import Message, User
from tests.server.schema.api import hear
from tests.world import DAY, HOUR, MINUTE, NOON, World, line, saying, step

DAYS = 6
CLOCK = (0, 4 * HOUR - 1, 4 * HOUR, 10 * HOUR)
"""After noon in UTC: midnight is in four hours."""
EVENTS = ("order", "view", "sign_up")
PEOPLE = 8
GRAPH = line(
    step("in", "entry_event", event="sign_up"),
    saying("email", "mail", connection="mail"),
    step("wait", "delay", duration_ms=DAY),
    step("out", "exit"),
    goals=[{"key": "bought", "event": "order", "window_ms": 9 * DAY}],
)
PAGES = (
    {"url": "https://shop.example/", "referrer": "https://www.google.com/"},
    {"url": "https://shop.example/sale?utm_source=naver&utm_medium=cpc&utm_campaign=spring"},
    {"url": "https://shop.example/item/1"},
)
AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 "
    "Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.0 Mobile/15E148 Safari/604.1",
)


async def live(world: World, seed: int) -> int:
    """What happens in some days. Returns the journey that people came into."""
    random = Random(seed)
    await world.add_connection()
    journey = await world.add_journey(GRAPH)
    for day in range(DAYS):
        events = [_event(world, random, day) for _ in range(14)]
        random.shuffle(events)
        for start in range(0, len(events), 5):
            await world.live(*events[start : start + 5])
    await world.settle(NOON + DAYS * DAY)
    await _read_messages(world, random)
    await _list(world, random)
    await _erase_one(world, random)
    return journey


def _event(world: World, random: Random, day: int) -> Any:
    at = (
        NOON
        + day * DAY
        + random.choice((0, 4 * HOUR - 1, 4 * HOUR, 10 * HOUR))
        + random.randrange(30 * MINUTE)
    )
    number = random.randrange(PEOPLE)
    who: dict[str, Any] = {"anonymous": f"device-{number}"}
    if random.random() < 0.5:
        who["user"] = f"user-{number // 2 if random.random() < 0.3 else number}"
        if random.random() < 0.3:
            del who["anonymous"]
    context = {"userAgent": random.choice(AGENTS), "page": random.choice(PAGES)}
    kind = random.random()
    if kind < 0.25:
        return world.event("", at, type="identify", **who, **_attributes(random))
    if kind < 0.5:
        return world.event(random.choice(("Home", "")), at, type="page", context=context, **who)
    if kind < 0.7:
        return _commerce(world, random, at, who)
    total = random.choice((5, 10.5, 100, "much", None))
    return world.event(random.choice(EVENTS), at, context=context, total=total, **who)


def _commerce(world: World, random: Random, at: int, who: dict[str, Any]) -> Any:
    order = {"order_id": f"order-{random.randrange(12)}", "total": random.choice((5, 10.5, 100))}
    about = {**order, "currency": random.choice(("KRW", "KRW", "USD"))}
    kind = random.random()
    if kind < 0.15:
        return world.event("Signed Up", at, **who)
    if kind < 0.3:
        return world.event("Order Refunded", at, **who, **about)
    products = [{"product_id": random.choice("ab"), "price": 5, "quantity": 1}]
    return world.event("Order Completed", at, **who, **about, products=products, coupon="SPRING")


def _attributes(random: Random) -> dict[str, Any]:
    told = {
        "plan": random.choice(("vip", "free", None)),
        "age": random.choice((20, 30, 30.0, 40.5, "old")),
        "tags": random.choice((["a"], ["a", "b"], [])),
        "address": random.choice(({"city": "서울"}, {"city": "Busan", "zip": 1}, "nowhere")),
        "email": f"{random.randrange(9)}@example.com",
    }
    return {name: told[name] for name in random.sample(sorted(told), 3)}


async def _read_messages(world: World, random: Random) -> None:
    table = table_of(Message)
    async with world.db.write() as session:
        await session.run(update(table).values(attempted_at=table.c.created_at + 1))
    for message in await world.rows(Message, "id"):
        await hear(world, message.id, ("accepted", message.created_at + 2, {}))
        if random.random() < 0.5:
            at = min(message.created_at + random.randrange(2 * DAY), world.clock.now())
            kind = random.choice(("opened", "clicked", "delivered"))
            actor = {} if kind == "delivered" else {"actor": random.choice(("human", "machine"))}
            await hear(world, message.id, (kind, at, actor))


async def _list(world: World, random: Random) -> None:
    async with world.db.read() as session:
        rows = await session.rows(select(table_of(User).c.user_id))
    known = sorted(row.user_id for row in rows if row.user_id)
    text = "\n".join(["user_id", *random.sample(known, min(3, len(known)))])
    about = (
        world.db,
        StringIO(text),
        world.project_id,
        world.shards,
        audience.Wish("march"),
        world.clock.now(),
    )
    await audience.take_in(*about)
    await world.settle()


async def _erase_one(world: World, random: Random) -> None:
    from server.store import erasing

    people = [row for row in await world.rows(User, "shard", "number") if row.merged_into is None]
    one = random.choice(people)
    async with world.db.write() as session:
        await erasing.mark(session, world.project_id, [(one.shard, one.number)], world.clock.now())


def to_text(conditions: Any) -> str:
    return orjson.dumps(conditions).decode()
