"""Suppressions and consents go into files and come back the same."""

from pathlib import Path
from typing import Any

import pytest

from server.lists import consents, suppressions
from server.store import projects
from server.store.tables import Consent, Inbox, Suppression, User
from tests.world import DAY, NOON, World

pytestmark = pytest.mark.anyio

ADDRESSES = """channel,address,purpose,reason,since,until,note
email,Kim@Example.com,,,2024-03-01T00:00:00Z,,"=cmd, she called"
sms,010-1234-5678,advertisement,opted_out,,,
sms,nonsense,,,,,
kakao,+821012345678,,not_on_channel,2024-03-01,2024-06-01,
email,lee@example.com,promotion,,,,
"""
DECISIONS = """user_id,anonymous_id,channel,purpose,granted,decided_at,source,evidence
kim,,email,advertisement,true,2024-03-01T00:00:00Z,checkout,terms 3
kim,,email,advertisement,false,2024-03-02T00:00:00Z,call,
,phone,sms,advertisement,동의,2024-03-01T09:00:00+09:00,,
lee,,sms,advertisement,perhaps,2024-03-01T00:00:00Z,,
lee,,sms,advertisement,true,,,
,,sms,advertisement,true,2024-03-01T00:00:00Z,,
"""


def about(row: Any) -> tuple[Any, ...]:
    return row.channel, row.address, row.purpose, row.reason, row.since, row.until, row.note


async def test_good_lines_are_taken_bad_ones_named_and_a_second_time_changes_nothing(
    world: World, tmp_path: Path
) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(ADDRESSES.encode("cp949"))
    tried = await suppressions.take_in(world.db, path, world.project_id, NOON, dry_run=True)
    assert (tried.changed, tried.refused, await world.rows(Suppression)) == (3, 2, [])
    taken = await suppressions.take_in(world.db, path, world.project_id, NOON)
    assert (taken.changed, taken.known, taken.refused) == (3, 0, 2)
    assert [told.split(":")[0] for told in taken.problems] == ["line 4", "line 6"]
    rows = await world.rows(Suppression, "channel")
    assert [row.address for row in rows] == ["kim@example.com", "+821012345678", "+821012345678"]
    again = await suppressions.take_in(world.db, path, world.project_id, NOON + DAY)
    assert (again.changed, again.known) == (0, 3)
    assert await world.rows(Suppression, "channel") == rows


async def test_what_was_written_out_is_taken_in_by_another_project_as_it_was(
    world: World, tmp_path: Path
) -> None:
    path, out = tmp_path / "in.csv", tmp_path / "out.csv"
    path.write_text(ADDRESSES)
    await suppressions.take_in(world.db, path, world.project_id, NOON)
    assert await suppressions.write_out(world.db, out, world.project_id, NOON) == 3
    assert (await suppressions.take_in(world.db, out, world.project_id, NOON)).changed == 0
    async with world.db.write() as session:
        other = (await projects.create(session, "Other", "UTC", NOON)).project_id
    assert (await suppressions.take_in(world.db, out, other, NOON)).changed == 3
    rows = await world.rows(Suppression, "channel", "address")
    mine = [about(row) for row in rows if row.project_id == world.project_id]
    assert mine == [about(row) for row in rows if row.project_id == other]


async def test_decisions_come_from_a_file_and_go_back_into_one(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consents, "PAGE", 1)
    path, out = tmp_path / "in.csv", tmp_path / "out.csv"
    path.write_bytes(DECISIONS.encode("cp949"))
    where = (world.db, path, world.project_id, world.shards, NOON)
    await consents.take_in(*where, dry_run=True)
    assert await world.rows(Inbox) == []
    for _ in range(2):
        taken = await consents.take_in(*where)
        await world.settle()
        assert (taken.changed, taken.refused) == (3, 3)
        assert [told.split(":")[0] for told in taken.problems] == ["line 5", "line 6", "line 7"]
    rows = await world.rows(Consent, "channel")
    assert [(row.channel, bool(row.granted), row.source) for row in rows] == [
        ("email", False, "call"),
        ("sms", True, "import"),
    ]
    assert len(await world.rows(User)) == 2
    assert await consents.write_out(world.db, out, world.project_id, world.shards) == 2
    again = await consents.take_in(world.db, out, world.project_id, world.shards, NOON)
    await world.settle()
    assert (again.refused, await world.rows(Consent, "channel")) == (0, rows)


async def test_a_file_carries_the_ground_of_a_consent_and_when_it_ends(
    sqlite_world: World, tmp_path: Path
) -> None:
    world, path, out = sqlite_world, tmp_path / "in.csv", tmp_path / "out.csv"
    about = "user_id,channel,purpose,granted,decided_at,basis,until\n"
    good = "kim,kakao,benefit_notice,동의,2024-01-01,terms,2026-01-01\n"
    path.write_text(f"{about}{good}kim,sms,night_advertisement,yes,2024-01-01,hope,\n")
    where = (world.db, path, world.project_id, world.shards, NOON)
    assert (await consents.take_in(*where)).refused == 1
    await world.settle()
    [row] = await world.rows(Consent)
    assert (row.purpose, row.basis, row.until) == ("benefit_notice", "terms", 1767225600000)
    await consents.write_out(world.db, out, world.project_id, world.shards)
    again = await consents.take_in(world.db, out, world.project_id, world.shards, NOON)
    await world.settle()
    assert (again.refused, await world.rows(Consent)) == (0, [row])


async def test_a_decision_about_no_channel_is_named_and_one_in_capitals_is_kept(
    sqlite_world: World, tmp_path: Path
) -> None:
    world, path = sqlite_world, tmp_path / "in.csv"
    path.write_text("user_id,channel,granted,decided_at\nkim,SMS,no,2024-01-01\nkim,문자,no,2024-01-01\n")
    taken = await consents.take_in(world.db, path, world.project_id, world.shards, NOON)
    await world.settle()
    assert taken.problems == ["line 3: A channel like email or sms was wanted, found '문자'."]
    assert [row.channel for row in await world.rows(Consent)] == ["sms"]
