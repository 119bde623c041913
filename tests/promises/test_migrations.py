"""A database that was migrated is the one that the code describes, forwards and backwards."""

from collections.abc import Callable
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Table, UniqueConstraint, inspect, select, text

from server.store.bulk import table_of
from server.store.database import Database
from server.store.migrations import HEAD, migrate, revision
from server.store.migrations.upgrading import config
from server.store.suppressing import Heard
from server.store.tables import Inbox, Suppression, metadata

SHARDED = [table for table in metadata.tables.values() if "shard" in table.c]
GLOBAL = {
    "project",
    "api_key",
    "connection",
    "idempotency",
    "journey",
    "version",
    "catalog",
    "import",
    "poll_cursor",
    "unclaimed",
    "connection_health",
    "suppression",
    "kept_refusal",
    "inbound",
    "verdict",
    "segment",
    "user_list",
    "entry_request",
    "notice",
    "frequency_cap",
    "voucher_pool",
    "voucher",
    "guard",
    "guard_setting",
    "cohort_report",
    "export",
    "export_chunk",
    "deed_value",
    "declared_property",
    "sender_profile",
    "alimtalk_template",
    "alimtalk_version",
    "alimtalk_registration",
    "alimtalk_comment",
    "alimtalk_image",
    "alimtalk_image_at",
    "price_entry",
}
"""Small tables that are the same for every shard."""

anyio = pytest.mark.anyio


async def run(url: str, function: Callable[[Connection], Any]) -> Any:
    db = Database(url)
    try:
        async with db.engine.begin() as connection:
            return await connection.run_sync(function)
    finally:
        await db.close()


def differences(connection: Connection) -> list[Any]:
    return list(
        compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)
    )


def test_the_revision_that_the_code_names_is_the_last_one() -> None:
    assert ScriptDirectory.from_config(config()).get_current_head() == HEAD


@anyio
async def test_a_migrated_database_has_the_tables_of_the_code(database_url: str) -> None:
    assert await run(database_url, differences) == []


@anyio
async def test_a_database_can_go_all_the_way_back_and_forth_again(database_url: str) -> None:
    await run(database_url, lambda connection: command.downgrade(config(connection), "base"))
    left = await run(database_url, lambda connection: inspect(connection).get_table_names())
    assert left == ["alembic_version"]
    db = Database(database_url)
    assert await revision(db.engine) is None
    assert await migrate(db.engine) == HEAD == await revision(db.engine)
    await db.close()
    assert await run(database_url, differences) == []


@anyio
@pytest.mark.parametrize("kind", ["adopt", "unlinked"])
async def test_no_way_back_while_something_waits_that_the_version_before_cannot_read(
    database_url: str, kind: str
) -> None:
    inbox = table_of(Inbox)
    row = {"shard": 0, "id": 1, "project_id": 1, "kind": kind, "payload": b"{}", "arrived_at": 0}
    await run(database_url, lambda connection: connection.execute(inbox.insert().values(row)))
    with pytest.raises(RuntimeError, match="1 rows of the inbox"):
        await run(database_url, lambda connection: command.downgrade(config(connection), "0004"))


@anyio
async def test_addresses_that_were_marked_before_there_were_suppressions_are_suppressed(
    database_url: str,
) -> None:
    columns = "shard, project_id, user_number, channel, address, is_current, state, changed_at, because"
    marked = f"INSERT INTO endpoint ({columns}) VALUES (0, 1, :n, 'email', :a, true, :s, :n, '')"  # noqa: S608 - columns of ours
    rows = [
        (5, "Kim@b.c", "opted_out"),
        (6, "kim@b.c", "invalid"),
        (7, "lee@b.c", "invalid"),
        (8, "ok@b.c", "usable"),
    ]

    def live(connection: Connection) -> Any:
        command.downgrade(config(connection), "0001")
        for number, address, state in rows:
            connection.execute(text(marked), {"n": number, "a": address, "s": state})
        command.upgrade(config(connection), HEAD)
        found = select(table_of(Suppression)).order_by(table_of(Suppression).c.address)
        return connection.execute(found).all()

    found = await run(database_url, live)
    assert [(one.address, one.reason, one.since) for one in found] == [
        ("kim@b.c", "opted_out", 5),
        ("lee@b.c", "invalid_recipient", 7),
    ]
    verdicts = [Heard.from_json(one.heard).verdict() for one in found]
    assert [verdict and verdict[:3] for verdict in verdicts] == [
        ("opted_out", 5, None),
        ("invalid_recipient", 7, None),
    ]


@anyio
async def test_whoever_had_a_number_on_kakaotalk_is_reached_by_brand_messages_as_well(
    database_url: str,
) -> None:
    columns = "shard, project_id, user_number, channel, address, is_current, state, changed_at, because"
    told = f"INSERT INTO endpoint ({columns}) VALUES (0, 1, 5, :c, '+821012345678', true, :s, 7, '')"  # noqa: S608 - columns of ours
    asked = "SELECT state FROM endpoint WHERE channel = 'brand_message' AND changed_at = 7"

    def live(connection: Connection) -> Any:
        command.downgrade(config(connection), "0005")
        before = connection.execute(text(asked)).all()
        for channel, state in (("kakao", "invalid"), ("sms", "usable")):
            connection.execute(text(told), {"c": channel, "s": state})
        command.upgrade(config(connection), HEAD)
        return before, connection.execute(text(asked)).scalars().all()

    assert await run(database_url, live) == ([], ["invalid"])


@anyio
async def test_migrating_what_is_migrated_changes_nothing(database_url: str) -> None:
    db = Database(database_url)
    assert await migrate(db.engine) == await revision(db.engine)
    await db.close()


def test_every_table_is_sharded_or_the_same_for_all() -> None:
    assert {table.name for table in metadata.tables.values()} - {table.name for table in SHARDED} == GLOBAL


@pytest.mark.parametrize("table", SHARDED, ids=lambda table: table.name)
def test_a_sharded_table_has_its_shard_in_every_key(table: Table) -> None:
    """Else it could not be distributed by it."""
    assert "shard" in table.primary_key.columns
    unique = [one.columns for one in table.constraints if isinstance(one, UniqueConstraint)]
    unique += [index.columns for index in table.indexes if index.unique]
    assert [list(columns.keys()) for columns in unique if "shard" not in columns] == []
    assert [key for key in table.foreign_key_constraints if "shard" not in key.column_keys] == []
