"""What is left at a relay is asked there, and nothing is made up where it tells none."""

from decimal import Decimal

import pytest

from channels.alimtalk.desk import Balance, DeskError, Does
from channels.reasons import Reason
from server.store import projects
from tests.server.desks.relay import Relay, host_of
from tests.server.schema.api import open_api
from tests.server.schema.test_sender_profiles import made
from tests.world import NOON, World

pytestmark = pytest.mark.anyio
ASKED = "query($id: ID!) { relayBalance(connection: $id) { amount { amount currency } points } }"


class Paid(Relay):
    async def balance(self) -> Balance:
        self._ask("balance")
        return Balance(Decimal("12800.5"), "KRW", Decimal(300))


async def test_a_balance_is_told_by_the_relay_and_by_nobody_else(sqlite_world: World) -> None:
    relay = Paid()
    async with open_api(sqlite_world, host_of(relay)) as api:
        connection = await made(api)
        found = (await api.ask(ASKED, id=connection))["relayBalance"]
        assert found == {"amount": {"amount": "12800.5", "currency": "KRW"}, "points": "300"}
        relay.fails["balance"] = DeskError(Reason.AUTH_FAILED, "401", "no such key")
        assert (await api.error(ASKED, id=connection))["extensions"]["code"] == "DESK_REFUSED"
        async with sqlite_world.db.write() as session:
            api.key = (await projects.create(session, "Other", "UTC", NOON)).secret_key
        assert (await api.error(ASKED, id=connection))["extensions"]["code"] == "NOT_FOUND"


async def test_where_a_relay_tells_no_balance_there_is_none(sqlite_world: World) -> None:
    relay = Paid(does=frozenset(Does) - {Does.BALANCE})
    async with open_api(sqlite_world, host_of(relay)) as api:
        assert (await api.ask(ASKED, id=await made(api)))["relayBalance"] is None
    assert relay.asked == []
