"""The fixture `rehearse` for pytest. It is there wherever Sojourn is installed, and costs nothing until used.

def test_who_buys_gets_no_reminder(rehearse):
    told = rehearse(
        "journeys/abandoned-cart.yaml",
        events=[
            {"who": "kim", "event": "add_to_cart"},
            {"who": "kim", "event": "purchase", "at": "30m"},
        ],
        until="2d",
    )
    assert told["kim"].path == ["cart", "hour", "bought", "done"]
    assert told["kim"].messages == []
"""

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def rehearse() -> Callable[..., Any]:
    """Plays a journey, from a file or a graph, with made-up people: `server.testing.journeys.rehearse`."""
    # Whoever does not use it does not wait for it.
    from server.testing.journeys import rehearse

    return rehearse
