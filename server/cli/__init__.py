"""The command line: `sojourn …`. Every command says what went wrong in one sentence and exits with 1 or 2."""

import sys
from typing import NoReturn

import click
from sqlalchemy.exc import DBAPIError

from channels.errors import ChannelError
from server.errors import ServerError
from server.scaffold.commands import channel, list_channels

from .alimtalk_campaigns import alimtalk
from .audience import audience
from .coupons import coupons
from .declared import properties
from .exporting_cohorts import export
from .history import import_history
from .journeys import journey
from .permissions import consents, suppressions
from .prices import prices
from .projects import project
from .receipts import receipts
from .retention import prune
from .serving import demo, serve
from .simulating import simulate
from .upkeep import doctor, migrate, recount
from .users import user
from .vouchers import vouchers


def main() -> None:
    """The entry point of the console script."""
    try:
        cli(standalone_mode=True)
    except (ServerError, ChannelError) as error:
        _fail(str(error))
    except (DBAPIError, OSError) as error:
        # The driver's own words; ours would repeat the statement and its values.
        _fail(f"the database cannot be used: {getattr(error, 'orig', error)}")


def _fail(why: str) -> NoReturn:
    click.secho(f"sojourn: {why}", fg="red", err=True)
    sys.exit(1)


@click.group()
@click.version_option(package_name="sojourn")
def cli() -> None:
    """Sojourn runs customer journeys and tells the truth about them."""


for command in (
    serve,
    migrate,
    project,
    user,
    import_history,
    suppressions,
    consents,
    audience,
    journey,
    alimtalk,
    vouchers,
    coupons,
    prices,
    receipts,
    export,
    doctor,
    recount,
    prune,
    simulate,
    demo,
    channel,
):
    cli.add_command(command)
project.add_command(properties)
# What is plugged in is asked for most: `channels` for `channel list`.
cli.add_command(list_channels, "channels")
