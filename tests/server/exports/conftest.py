"""An office, and the API alone, on both databases and on SQLite only."""

from collections.abc import AsyncIterator

import pytest

from tests.server.exports.office import Office, open_office
from tests.server.schema.conftest import api, small_api
from tests.world import World

__all__ = ["api", "office", "small_api", "small_office"]


@pytest.fixture
async def office(world: World) -> AsyncIterator[Office]:
    async with open_office(world) as opened:
        yield opened


@pytest.fixture
async def small_office(sqlite_world: World) -> AsyncIterator[Office]:
    """For what does not depend on the database."""
    async with open_office(sqlite_world) as opened:
        yield opened
