"""The tests run from the project's folder, whether the package is installed or not."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
