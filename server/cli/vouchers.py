"""`sojourn vouchers`: pools of codes, made, filled and listed."""

import sys
from pathlib import Path
from typing import Any

import click

from server.clock import WallClock
from server.errors import BadInput

from .running import in_project, of_database, of_project


@click.group()
def vouchers() -> None:
    """Pools of codes, each for one message (docs/sending.md)."""


@vouchers.command("create")
@click.argument("name")
@click.option("--low-water", type=click.IntRange(min=0), default=0, help="When to tell that it runs low.")
@of_project
@of_database
def create_pool(name: str, low_water: int, project_id: int | None, database: str | None) -> None:
    """Makes an empty pool."""
    called = _checked(name, low_water)

    async def work(db: Any, chosen: int, shards: int) -> int | None:
        from server.store import vouchers as store

        async with db.write() as session:
            return await store.create(session, chosen, called, low_water, WallClock().now())

    if in_project(work, project_id, database) is None:
        raise BadInput(f"There is a pool {name!r} already.")
    click.echo(f"The pool {name!r} is there; `sojourn vouchers add` puts codes in.")


def _checked(name: str, low_water: int) -> str:
    from server.resolvers import vouchers as resolve
    from server.resolvers.refusals import Invalid

    try:
        return resolve.checked(name, low_water)
    except Invalid as error:
        raise BadInput(error.message) from error


@vouchers.command("add")
@click.argument("name")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@of_project
@of_database
def add_codes(name: str, file: Path, project_id: int | None, database: str | None) -> None:
    """Puts the codes of a file into a pool: one a line, or a CSV file with a column `code`."""

    async def work(db: Any, chosen: int, shards: int) -> Any:
        from server.lists import vouchers as lists
        from server.store import vouchers as store

        async with db.read() as session:
            pools = await store.by_names(session, chosen, [name])
        if name not in pools:
            raise BadInput(f"There is no pool {name!r}; `sojourn vouchers list` tells which there are.")
        return await lists.take_in(db, file, chosen, pools[name].id)

    taken = in_project(work, project_id, database)
    click.echo(f"{taken.changed} code(s) taken, {taken.known} there already, {taken.refused} refused.")
    for problem in taken.problems:
        click.echo(f"  {problem}")
    if taken.refused:
        sys.exit(1)


@vouchers.command("list")
@of_project
@of_database
def list_pools(project_id: int | None, database: str | None) -> None:
    """Tells how every pool stands."""

    async def work(db: Any, chosen: int, shards: int) -> list[str]:
        from server.store import vouchers as store

        async with db.read() as session:
            pools = await store.of_project(session, chosen)
            stocks = await store.stocks(session, [pool.id for pool in pools])
        return [_line(pool, stocks[pool.id]) for pool in pools]

    for line in in_project(work, project_id, database):
        click.echo(line)


def _line(pool: Any, stock: Any) -> str:
    used = stock.total - stock.left
    return f"{pool.name}: {stock.left} of {stock.total} left, {used} used, low-water mark {pool.low_water}"
