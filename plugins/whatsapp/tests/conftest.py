"""What every test of this package may ask for. It runs from here and from Sojourn's own folder."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))

from whatsapp_world import World, a_world


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world() as made:
        yield made
