"""Commands ask as every client does, over GraphQL: a server with a key, or the database directly."""

import os
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

from server.errors import Refused, ServerError

from .running import in_project, of_database, of_project, run

if TYPE_CHECKING:
    from server.store.database import Database

T = TypeVar("T")
Data = dict[str, Any]

KEY = "SOJOURN_KEY"
"""Where a secret key is looked for: on a command line it would be seen by everybody on the machine."""
PATIENCE = 60.0
"""Seconds."""


class Ask(Protocol):
    async def __call__(self, query: str, **variables: Any) -> Data:
        """The data of the answer. Raises ServerError for whatever else is answered."""


def where(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say whom to ask."""
    of_server = click.option(
        "--url", metavar="URL", help=f"A server, asked with the secret key in {KEY}, instead of the database."
    )
    return of_server(of_project(of_database(command)))


def asking(
    work: Callable[[Ask], Coroutine[Any, Any, T]],
    *,
    url: str | None,
    project_id: int | None,
    database: str | None,
) -> T:
    """Does the work with whoever is to be asked."""
    if url is None:
        return in_project(
            lambda db, chosen, shards: work(_of_database(db, chosen, shards)), project_id, database
        )
    if project_id is not None or database is not None:
        raise click.UsageError(
            "--url asks a server: its key says in which project, and no --database is used."
        )
    return run(_with_server(work, url))


async def _with_server(work: Callable[[Ask], Coroutine[Any, Any, T]], url: str) -> T:
    import httpx

    key = os.environ.get(KEY, "")
    if not key:
        raise Refused(f"Put the project's secret key into {KEY}.")
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=PATIENCE) as client:

        async def ask(query: str, **variables: Any) -> Data:
            try:
                answer = await client.post("/graphql", json={"query": query, "variables": variables})
                told = answer.json()
            except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
                raise ServerError(f"{url} does not answer as Sojourn would: {error}") from error
            return _data_of(told if isinstance(told, dict) else {})

        return await work(ask)


def _of_database(db: "Database", project_id: int, shards: int) -> Ask:
    """The same schema in this process: what it writes, a server beside it finds as it finds everything."""
    from channels.host import build_host
    from server.clock import WallClock
    from server.config import Settings
    from server.context import Context
    from server.schema.root import SCHEMA
    from server.store.projects import READ, WRITE, Access

    settings = Settings.from_environ(os.environ)
    host = build_host(discover=settings.discover_plugins, plugins_dir=settings.plugins_dir or None)
    access = Access(project_id, frozenset({READ, WRITE}))

    async def ask(query: str, **variables: Any) -> Data:
        context = Context(db, WallClock(), access, shards, host, settings)
        result = await SCHEMA.execute(query, variables, context_value=context)
        for error in result.errors or ():
            if error.original_error is not None:
                raise error.original_error
        errors = [{"message": error.message} for error in result.errors or ()]
        return _data_of({"data": result.data, "errors": errors})

    return ask


def _data_of(told: Data) -> Data:
    if errors := told.get("errors"):
        raise ServerError("\n".join(str(error.get("message")) for error in errors))
    if not isinstance(told.get("data"), dict):
        raise ServerError("The answer is none of GraphQL.")
    data: Data = told["data"]
    return data


def payload_of(answer: Data) -> Data:
    """A mutation's payload. Raises ServerError with what its problem says."""
    if "message" in answer:
        raise ServerError(str(answer["message"]))
    return answer
