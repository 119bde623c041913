"""Every question that people ask of the statistics of a journey has an answer on the sample."""

from pathlib import Path

import pytest

from server.config import Settings
from server.demo.answers import asker, opened, tell
from server.demo.fill import fill
from server.demo.rows import rows
from server.demo.shop import Shop

UNTIL = 1_795_340_000_000
SMALL = Shop(UNTIL, days=14, people=110, seed=1)


def test_all_questions_are_there_each_once() -> None:
    assert [row.number for row in rows()] == list(range(1, 63))
    assert all(row.questions and row.title.count(" · ") == 1 for row in rows())


@pytest.mark.anyio
async def test_every_question_has_an_answer(tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'demo.db'}", discover_plugins=False)
    filled = await fill(settings, SMALL)
    async with opened(settings, filled) as (runtime, api):
        assert await tell(await asker(runtime, api), 4) == []
