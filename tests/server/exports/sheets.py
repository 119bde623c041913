"""A journey on every channel that has lived a little, and what exports say of it."""

from datetime import date
from typing import Any

from server.clock import Instant
from server.config import Settings
from server.exports.kinds import KINDS
from server.exports.sheets import Asked, Language
from server.secretbox import SecretBox
from server.store import open_connections
from server.store.tables import Message
from tests.server.schema.api import HOST, hear
from tests.world import DAY, HOUR, MINUTE, NOON, World, reaching, saying

GOALS = [
    {"key": "bought", "event": "purchase", "title": "샀다", "amount_property": "total", "currency": "KRW"},
    {"key": "came", "event": "visit"},
]
KINDS_OF_MESSAGES = ("push", "email", "sms", "whatsapp", "alimtalk", "in_app", "webhook", "message")
PERSON = {"email": "kim@example.com", "phone": "010-1234-5678", "push_tokens": ["fcm:abc"]}
BOX = SecretBox(Settings().secrets)
FIRST, SECOND = date(2024, 3, 13), date(2024, 3, 14)

Heard = dict[str, list[tuple[str, dict[str, Any]]]]
HEARD: Heard = {
    "push": [("clicked", {"actor": "human"}), ("clicked", {"actor": "human"})],
    "email": [
        ("delivered", {}),
        ("opened", {"actor": "machine"}),
        ("opened", {"actor": "human"}),
        ("clicked", {"actor": "human"}),
        ("clicked", {"actor": "human"}),
        ("clicked", {"actor": "human"}),
        ("unsubscribed", {}),
    ],
    "sms": [("delivered", {"price": 84_000, "currency": "KRW"})],
    "whatsapp": [("delivered", {"price": 79, "currency": "USD"}), ("opened", {"actor": "human"})],
    "kakao": [("delivered", {"price": 0, "currency": "KRW"})],
    "in_app": [("shown", {}), ("interacted", {}), ("dismissed", {})],
}
"""By channel: what becomes of Kim's messages, a minute after the other."""


async def connect(world: World) -> None:
    for channel, adapter in (("email", "smtp"), ("kakao", "nhn_alimtalk"), ("push", "fcm")):
        await world.add_connection(channel, adapter, channel=channel)
    for channel in ("sms", "whatsapp", "in_app", "webhook", "pigeon"):
        await world.add_connection(channel, "nobodys", channel=channel)


async def lived(world: World, **journey: Any) -> int:
    """Kim and Lee have come, a day apart; Kim could be reached everywhere, and bought."""
    await connect(world)
    graph = reaching(*(saying(kind) for kind in KINDS_OF_MESSAGES), goals=GOALS)
    journey_id = await world.add_journey(graph, **journey)
    await world.live(
        world.event("", NOON - 1, user="kim", type="identify", **PERSON),
        world.event("sign_up", NOON, user="kim"),
        until=NOON + 1,
    )
    await hear_of(world, NOON + MINUTE, HEARD)
    await world.live(
        world.event("purchase", NOON + HOUR, user="kim", total=19900.5),
        world.event("purchase", NOON + HOUR + 1, user="kim", total=100),
        world.event("sign_up", NOON + DAY, user="lee"),
        world.event("visit", NOON + DAY + 1, user="lee"),
        until=NOON + DAY + HOUR,
    )
    await hear_of(world, NOON + DAY + HOUR, {})
    return journey_id


async def hear_of(world: World, at: Instant, heard: Heard) -> None:
    """Providers take over what waits, and then this becomes of it."""
    for message in await world.rows(Message, "id"):
        if message.status == "queued" and message.due_at is not None:
            told = [("accepted", {}), *heard.get(message.channel, ())]
            receipts = [(kind, at + number, more) for number, (kind, more) in enumerate(told)]
            await hear(world, message.id, *receipts)


async def sheet(
    world: World, kind: str, language: Language = Language.EN, **arguments: Any
) -> list[dict[str, Any]]:
    """The rows of an export, with the columns' names, as JSON Lines would have them."""
    async with world.db.read() as session:
        found = await open_connections.observed(session, HOST, BOX, world.project_id)
    observed = open_connections.heard(found)
    about = (world.db, world.project_id, world.shards, "Asia/Seoul", language, world.clock.now())
    opened = await KINDS[kind].open(Asked(*about, observed=observed), KINDS[kind].arguments(**arguments))
    names = [column.name for column in opened.columns]
    return [dict(zip(names, row, strict=True)) async for page in opened.pages for row in page.rows]
