"""What needs Alembic: upgrading, and for tests and developers its configuration."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from server.store.hanging import LIFTS

from .planning import tell_the_planner


def config(connection: Connection | None = None) -> Config:
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    made.attributes["connection"] = connection
    return made


def upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        # The server that starts first upgrades, however long that takes.
        for lift in LIFTS:
            connection.execute(lift)
    command.upgrade(config(connection), "head")
    tell_the_planner(connection)
