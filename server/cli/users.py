"""`sojourn user`: what is done to a single person."""

from typing import Any

import click

from .running import in_project, of_database, of_project


@click.group()
def user() -> None:
    """Single people."""


@user.command("erase")
@click.option("--user-id", help="The id by which the project knows the person.")
@click.option("--anonymous-id", help="The id of a device or browser.")
@click.option("--email", help="An e-mail address.")
@click.confirmation_option(prompt="Nothing of this person can be brought back. Go on?")
@of_project
@of_database
def erase_user(
    user_id: str | None,
    anonymous_id: str | None,
    email: str | None,
    project_id: int | None,
    database: str | None,
) -> None:
    """Forgets a person for good; figures stay as numbers (docs/permissions.md)."""
    given = {"user_id": user_id, "anonymous_id": anonymous_id, "email": email}
    named = [(kind, value) for kind, value in given.items() if value]
    if len(named) != 1:
        raise click.UsageError("Say who it is with one of --user-id, --anonymous-id and --email.")

    async def work(db: Any, chosen: int, shards: int) -> dict[str, Any]:
        from server.clock import WallClock
        from server.context import Context
        from server.errors import BadInput
        from server.resolvers import erasing
        from server.resolvers.refusals import Missing
        from server.resolvers.users import Wanted
        from server.store.projects import ADMIN, Access

        context = Context(db, WallClock(), Access(chosen, frozenset({ADMIN})), shards)
        try:
            return await erasing.erase(context, Wanted(*named[0]), None)
        except Missing as error:
            raise BadInput(error.message) from error

    done = in_project(work, project_id, database)
    click.echo(
        f"{done['users']} user(s) erased, {done['runs']} open run(s) end, "
        f"{done['messages']} message(s) are cancelled."
    )
    click.echo("Nothing is sent from now on; the engine of a running server forgets the rest.")
