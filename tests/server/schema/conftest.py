"""The API on both databases, and on SQLite only."""

from collections.abc import AsyncIterator

import pytest

from tests.server.schema.api import Api, open_api
from tests.world import World


@pytest.fixture
async def api(world: World) -> AsyncIterator[Api]:
    async with open_api(world) as opened:
        yield opened


@pytest.fixture
async def small_api(sqlite_world: World) -> AsyncIterator[Api]:
    """For what does not depend on the database."""
    async with open_api(sqlite_world) as opened:
        yield opened
