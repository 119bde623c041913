"""The whole product on a part of a real clickstream: Segment's SDK in, real mail out, true numbers back.

What they must be is computed from the CSV alone by `bench/_shop.py`, which shares no line with the server.
The data lies beside the project where it is developed; it is no part of the project.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bench import _shop
from bench._mailbox import Mailbox
from bench._server import Server
from bench.replay import Replay, run
from tests.figures.comparing import QUERIES, Question, compare
from tests.figures.facts import facts_in
from tests.figures.screens import together

DATA = Path(__file__).parents[3] / "shared" / "data" / "ecom.csv.gz"
USERS = 25


ZONE = "Asia/Seoul"
QUESTIONS = (
    Question(),
    Question(clock="ENTERED", until=date(2024, 5, 1)),
    *(Question(first=date(2024, month, 10), until=date(2024, month + 1, 3)) for month in (3, 4, 5)),
    Question(version=1, clock="ENTERED", first=date(2024, 4, 5), until=date(2024, 4, 20)),
)


def wrong_figures(replay: Replay, questions: Sequence[Question]) -> list[str]:
    """Every figure of every screen that plain SQL over the facts does not say as well."""
    facts = facts_in(Path(replay.server.database.removeprefix("sqlite:///")))
    found = []
    for question in questions:
        shown: dict[str, Any] = {}
        for query in QUERIES:
            shown = together(shown, replay.ask(query, **question.variables())["journey"]["stats"])
        found += [f"{question}: {one}" for one in compare(shown, facts, question, ZONE)]
    facts.close()
    return found


@pytest.fixture
def replay(tmp_path: Path) -> Iterator[Replay]:
    if not DATA.exists():
        pytest.skip(f"needs the clickstream {DATA.name}, which is not part of the project")
    with Mailbox() as mailbox:
        server = Server(tmp_path, "--clock", "events", zone=ZONE)
        server.start()
        try:
            yield Replay(server, mailbox)
        finally:
            server.stop()


# The SDK's requests session is closed when its thread ends, after the test: nothing of ours.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("kills", "middle"),
    [(3, "split"), (0, "wait")],
    ids=["killed on the way", "in peace, drawn as a wait for a trigger"],
)
def test_the_figures_are_what_the_csv_says_and_sending_twice_changes_nothing(
    replay: Replay, kills: int, middle: str
) -> None:
    replay.middle = middle
    rows = _shop.read(DATA, USERS)
    assert run(replay, rows, _shop.expected(rows), kills, seed=kills) == []
    assert wrong_figures(replay, QUESTIONS if kills else QUESTIONS[:1]) == []
    for command in (("recount", "--check"), ("doctor", "--clock", "events")):
        done = replay.server.run(*command)
        assert done.returncode == 0, done.stdout + done.stderr
