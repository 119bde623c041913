"""Times that no calendar has, from clocks that are wrong by millennia."""

import pytest

from server.ingest.messages import ArrivedEvent, normalise
from tests.world import NOON, World, abandoned_cart

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "stamps",
    [
        {"timestamp": -200_000_000_000_000},
        {"timestamp": "0001-01-01T00:00:00Z", "sentAt": "9999-01-01T00:00:00Z"},
    ],
)
async def test_an_event_before_all_calendars_counts_as_received(
    world: World, stamps: dict[str, object]
) -> None:
    await world.add_connection()
    await world.add_journey(abandoned_cart())
    message = {"type": "track", "userId": "kim", "event": "add_to_cart", **stamps}
    event = normalise(message, received_at=NOON)
    assert isinstance(event, ArrivedEvent)
    await world.live(event)
    assert "clamped" in event.flags
    assert await world.total("entries") == 1
