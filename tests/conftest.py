"""Nothing about the subject: only what every async test needs."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
