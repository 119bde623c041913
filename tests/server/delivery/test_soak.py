"""The soak of `scripts/bench soak`, small: real processes, a provider that goes wrong, and kills."""

from pathlib import Path

import pytest

from bench.soak import run

pytestmark = pytest.mark.anyio


async def test_whatever_goes_wrong_nothing_goes_out_twice_and_everything_has_an_end(tmp_path: Path) -> None:
    verdict = await run(tmp_path, count=200, kills=1, seed=1, speed=300, wait_seconds=600)
    assert verdict.wrong == []
    assert sum(verdict.statuses.values()) == 200
    assert verdict.statuses["accepted"] > 50
