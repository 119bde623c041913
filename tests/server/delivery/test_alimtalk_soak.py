"""The soak of `scripts/bench alimtalk_soak`: a campaign whose worker is killed while it sends and while it
asks for results, beside the ledger of a relay that lives on."""

from pathlib import Path

import pytest

from bench._alimtalk import AFTER, BEFORE, SEND
from bench.alimtalk_soak import BATCH, KILLED_AT, run

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
PEOPLE = 600


async def test_killed_in_the_middle_nobody_gets_two_and_the_sums_reconcile(tmp_path: Path) -> None:
    soak, books = await run(tmp_path, PEOPLE)
    assert books.wrong == []
    sending, asking = soak.at_kills
    # It was in the middle of sending, and then of results.
    assert sending["attempted"] >= 2 * BATCH
    assert sending["queued"] > 0
    assert asking["inbox"] + asking.get("delivered", 0) > 0
    assert asking.get("delivered", 0) < books.of("delivered (messages)")
    assert sum(asking.values()) - asking["inbox"] == sum(sending.values()) - sending["inbox"]
    # Nobody knows of the call that was lost on its way, and it is not made again.
    assert KILLED_AT[0] == ((SEND, 4, BEFORE), (SEND, 5, AFTER))
    in_hand = 4 * BATCH
    assert BATCH <= books.of("unknown (messages)") <= 2 * in_hand
    # Of the one whose answer was lost the results tell.
    codes = {soak.relay.rows[one]["statusCode"] for one in soak.relay.unanswered}
    assert "4000" in codes
    assert books.of("delivered (messages)") > PEOPLE - 2 * in_hand - PEOPLE // 10
