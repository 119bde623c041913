"""What commands share: their settings, the event loop, the database and the project to work in.

The store is imported where it is used: whoever only wants to read the help does not wait for it.
"""

import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from server.config import Settings
from server.observe import configure_logs

if TYPE_CHECKING:
    from server.store.database import Database

T = TypeVar("T")

of_database = click.option("--database", metavar="URL", help="Instead of SOJOURN_DATABASE_URL.")
of_project = click.option("--project", "project_id", type=int, help="Not needed while there is only one.")


def run(work: Coroutine[Any, Any, T]) -> T:
    import uvloop

    return uvloop.run(work)


def settings_for(database: str | None) -> Settings:
    """Those of the environment, with this database if one is named."""
    settings = Settings.from_environ(os.environ)
    configure_logs(settings.log_format)
    return replace(settings, database_url=database) if database else settings


@asynccontextmanager
async def opened(url: str, *, beside: bool = True) -> "AsyncIterator[Database]":
    """The database; `beside` a server that may be running."""
    from server.store.database import Database

    db = Database(url, beside=beside)
    try:
        yield db
    finally:
        await db.close()


def in_project(
    work: "Callable[[Database, int, int], Coroutine[Any, Any, T]]",
    project_id: int | None,
    database: str | None,
) -> T:
    """Does the work in a project, the only one by default: with the database, the project, the shards."""

    async def inside() -> T:
        from server.store import projects, setup

        async with opened(settings_for(database).database_url) as db:
            async with db.read() as session:
                shards = await setup.count_shards(session)
                chosen = await projects.choose(session, project_id)
            return await work(db, chosen, shards)

    return run(inside())
