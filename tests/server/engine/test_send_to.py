"""Which of a user's devices a step writes to."""

from typing import Any

import pytest

from server.store.tables import Message
from tests.world import DAY, HOUR, NOON, World, reaching, saying

pytestmark = pytest.mark.anyio


def device(token: str) -> dict[str, Any]:
    return {"device": {"type": "android", "token": token}}


async def written_to(world: World, send_to: str, *events: tuple[str, int, str | None]) -> list[str]:
    """Where the push of a journey by `buy` went, after these events: name, when, the device's token."""
    await world.add_connection("push", channel="push")
    await world.add_journey(reaching(saying("push", send_to=send_to), event="buy"))
    for name, at, token in events:
        context = device(token) if token else {}
        await world.live(world.event(name, at, user="kim", context=context), until=at)
    return sorted(row.address or row.reason for row in await world.rows(Message))


OLD, NEW = ("look", NOON, "old"), ("look", NOON + HOUR, "new")


async def test_all_devices_are_written_to_unless_a_step_says_otherwise(sqlite_world: World) -> None:
    sold = ("buy", NOON + 2 * HOUR, None)
    assert await written_to(sqlite_world, "all", OLD, NEW, sold) == ["fcm:new", "fcm:old"]


async def test_the_device_whose_event_let_the_run_in(sqlite_world: World) -> None:
    sold = ("buy", NOON + 2 * HOUR, "old")
    assert await written_to(sqlite_world, "triggering", OLD, NEW, sold) == ["fcm:old"]


async def test_a_run_that_no_device_has_let_in_has_none(sqlite_world: World) -> None:
    sold = ("buy", NOON + 2 * HOUR, None)
    assert await written_to(sqlite_world, "triggering", OLD, NEW, sold) == ["no_address"]


@pytest.mark.parametrize("later", [2 * HOUR, DAY])
async def test_the_device_that_was_heard_of_last(sqlite_world: World, later: int) -> None:
    again, sold = ("look", NOON + later, "old"), ("buy", NOON + later + HOUR, None)
    assert await written_to(sqlite_world, "last_active", OLD, NEW, again, sold) == ["fcm:old"]


async def test_an_event_that_comes_late_makes_no_device_the_last(sqlite_world: World) -> None:
    late, sold = ("look", NOON + HOUR // 2, "old"), ("buy", NOON + 2 * HOUR, None)
    assert await written_to(sqlite_world, "last_active", OLD, NEW, late, sold) == ["fcm:new"]


async def test_the_one_address_of_other_channels_is_meant_by_every_choice(sqlite_world: World) -> None:
    world = sqlite_world
    await world.add_connection()
    keys = ("all", "triggering", "last_active")
    steps = [saying("email", key, connection="mail", send_to=key) for key in keys]
    await world.add_journey(reaching(*steps, event="buy"))
    await world.live(world.event("", NOON, user="kim", type="identify", email="kim@example.com"))
    await world.live(world.event("buy", NOON, user="kim"))
    assert [row.status for row in await world.rows(Message)] == ["queued"] * 3
