"""Brings a database to the schema of this version of the code."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine


def config(connection: Connection | None = None) -> Config:
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    made.attributes["connection"] = connection
    return made


async def migrate(engine: AsyncEngine) -> str:
    """Runs the migrations that are missing, all or none of each. Returns the revision reached."""
    async with engine.begin() as connection:
        await connection.run_sync(lambda sync: command.upgrade(config(sync), "head"))
    return latest()


async def revision(engine: AsyncEngine) -> str | None:
    """The database's revision; none if it is empty."""
    async with engine.connect() as connection:
        return await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())


def latest() -> str:
    """The revision that this code needs."""
    head = ScriptDirectory.from_config(config()).get_current_head()
    assert head is not None
    return head
