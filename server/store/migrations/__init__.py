"""Brings a database to the schema of this version of the code."""

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

HEAD = "0006"
"""The revision that this code needs. Kept here, and held by a test, so that a server whose database has it
already need not load Alembic to find out: that is a third of a second of every start."""


async def migrate(engine: AsyncEngine) -> str:
    """Runs the migrations that are missing, all or none of each. Returns the revision reached."""
    if await revision(engine) != HEAD:
        from .upgrading import upgrade

        async with engine.begin() as connection:
            await connection.run_sync(upgrade)
    return HEAD


async def revision(engine: AsyncEngine) -> str | None:
    """The database's revision; none if it is empty."""
    async with engine.connect() as connection:
        return await connection.run_sync(_revision)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)
