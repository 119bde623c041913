"""The whole product on a part of a real clickstream: Segment's SDK in, real mail out, true numbers back.

What they must be is computed from the CSV alone by `bench/_shop.py`, which shares no line with the server.
The data lies beside the project where it is developed; it is no part of the project.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import _shop
from bench._mailbox import Mailbox
from bench._server import Server
from bench.replay import Replay, run

DATA = Path(__file__).parents[3] / "shared" / "data" / "ecom.csv.gz"
USERS = 40


@pytest.fixture
def replay(tmp_path: Path) -> Iterator[Replay]:
    if not DATA.exists():
        pytest.skip(f"needs the clickstream {DATA.name}, which is not part of the project")
    with Mailbox() as mailbox:
        server = Server(tmp_path, "--clock", "events", zone="Asia/Seoul")
        server.start()
        try:
            yield Replay(server, mailbox)
        finally:
            server.stop()


# The SDK's requests session is closed when its thread ends, after the test: nothing of ours.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("kills", "middle"),
    [(0, "split"), (3, "split"), (0, "wait")],
    ids=["in peace", "killed on the way", "drawn as a wait for a trigger"],
)
def test_the_figures_are_what_the_csv_says_and_sending_twice_changes_nothing(
    replay: Replay, kills: int, middle: str
) -> None:
    replay.middle = middle
    rows = _shop.read(DATA, USERS)
    assert run(replay, rows, _shop.expected(rows), kills, seed=kills) == []
    for command in (("recount", "--check"), ("doctor", "--clock", "events")):
        done = replay.server.run(*command)
        assert done.returncode == 0, done.stdout + done.stderr
