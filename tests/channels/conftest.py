from collections.abc import AsyncIterator

import httpx
import pytest

from channels import Tools
from channels.testing.check import NOW


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def refuse(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"a test asked the network for {request.url}")


@pytest.fixture
async def tools() -> AsyncIterator[Tools]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(refuse)) as http:
        yield Tools(clock=lambda: NOW, http=http)
