"""What may be sent: approved and in use, and so is its profile."""

from typing import Any

import pytest

from server.store import alimtalk_registrations, alimtalk_sendable
from server.store.tables import (
    AlimtalkRegistration,
    AlimtalkTemplate,
    AlimtalkVersion,
    Connection,
    SenderProfile,
)
from tests.world import HOUR, MINUTE, NOON, World

pytestmark = pytest.mark.anyio
AT: dict[str, Any] = {"created_at": NOON, "changed_at": NOON}


async def add(world: World, *rows: Any) -> None:
    async with world.db.write() as session:
        session.add_all(rows)


async def a_template(world: World, key: str = "welcome", **registration: Any) -> None:
    """Version 1, approved and ready at connection 1, whose profile is active."""
    project = {"project_id": world.project_id}
    await add(
        world,
        Connection(
            id=1, name="a", adapter="solapi", channel="kakao", settings="{}", sealed=b"", **project, **AT
        ),
        SenderProfile(
            id=1, connection_id=1, search_id="@shop", state="active", company="이프두몰", **project, **AT
        ),
        AlimtalkTemplate(id=1, key=key, name=key, latest=2, **project, **AT),
        *(AlimtalkVersion(template_id=1, number=n, content=f"{n}", **project, **AT) for n in (1, 2)),
    )
    given = {"inspection": "approved", "operation": "ready", "code": "W1", **registration}
    await add(
        world,
        AlimtalkRegistration(id=1, template_id=1, number=1, connection_id=1, **given, **project, **AT),
    )


async def asked(world: World, *keys: str) -> tuple[Any, Any]:
    async with world.db.read() as session:
        return (
            await alimtalk_sendable.sendable(session, world.project_id, keys),
            await alimtalk_sendable.known(session, world.project_id, keys),
        )


async def test_the_approved_version_is_sent_until_the_next_is_approved(world: World) -> None:
    await a_template(world)
    project = {"project_id": world.project_id}
    second = AlimtalkRegistration(
        id=2,
        template_id=1,
        number=2,
        connection_id=1,
        code="W2",
        inspection="in_review",
        operation="ready",
        **project,
        **AT,
    )
    await add(world, second)
    sendable, known = await asked(world, "welcome", "of the relay")
    [one] = sendable["welcome"]
    assert (one.number, one.code, one.content, one.company) == (1, "W1", "1", "이프두몰")
    assert list(known) == ["welcome"]
    assert known["welcome"].is_sendable
    assert [(s.number, s.is_sendable) for s in known["welcome"].standings] == [(2, False), (1, True)]
    async with world.db.write() as session:
        (await session.get_one(AlimtalkRegistration, 2)).inspection = "approved"
    sendable, known = await asked(world, "welcome")
    assert [one.number for one in sendable["welcome"]] == [2, 1]
    assert known["welcome"].content == "2"


@pytest.mark.parametrize(
    "change",
    [
        {"inspection": "draft"},
        {"inspection": "rejected"},
        {"operation": "stopped"},
        {"is_blocked": True},
        {"is_dormant": True},
        {"is_replaced": True},
        {"code": ""},
    ],
)
async def test_nothing_else_is_sent(sqlite_world: World, change: dict[str, Any]) -> None:
    await a_template(sqlite_world, **change)
    sendable, known = await asked(sqlite_world, "welcome")
    assert sendable == {}
    assert not known["welcome"].is_sendable


async def test_nor_as_a_profile_that_is_out_of_use_nor_by_another_project(sqlite_world: World) -> None:
    world = sqlite_world
    await a_template(world)
    for change in ({"is_blocked": True}, {"is_blocked": False, "is_dormant": True}, {"state": "blocked"}):
        async with world.db.write() as session:
            profile = await session.get_one(SenderProfile, 1)
            for name, value in change.items():
                setattr(profile, name, value)
        assert (await asked(world, "welcome"))[0] == {}
        async with world.db.write() as session:
            profile = await session.get_one(SenderProfile, 1)
            profile.is_blocked, profile.is_dormant, profile.state = False, False, "active"
    async with world.db.read() as session:
        assert await alimtalk_sendable.sendable(session, world.project_id + 1, ["welcome"]) == {}
        assert await alimtalk_sendable.known(session, world.project_id + 1, ["welcome"]) == {}
    assert (await asked(world, "welcome"))[0]


async def test_what_is_sent_is_in_use_and_that_is_written_once_an_hour(world: World) -> None:
    await a_template(world)
    for at in (NOON, NOON + MINUTE, NOON + HOUR + MINUTE):
        async with world.db.write() as session:
            await alimtalk_registrations.note_sent(session, [1], at)
    [row], [profile] = await world.rows(AlimtalkRegistration), await world.rows(SenderProfile)
    assert (row.operation, row.first_sent_at, row.last_sent_at) == ("active", NOON, NOON + HOUR + MINUTE)
    assert profile.last_sent_at == NOON + HOUR + MINUTE
