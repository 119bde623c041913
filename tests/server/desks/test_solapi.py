"""The same walk at SOLAPI, which chooses codes, keeps drafts, and has nobody edit what was approved."""

import pytest

from channels.testing.providers.solapi import FakeSolapi
from server.clock import WallClock
from tests.server.desks.test_nhn import open_shop

pytestmark = pytest.mark.anyio


async def test_the_walk_of_a_shop_at_solapi(sqlite_url: str) -> None:
    solapi = FakeSolapi(WallClock().now, is_strict=True)
    [(api_key, api_secret)] = solapi.keys.items()
    given = {"api_key": api_key, "api_secret": api_secret, "pf_id": "KA01PF0001"}
    async with open_shop(sqlite_url, solapi, "solapi_alimtalk", given) as shop:
        id = await shop.save()
        [standing] = await shop.request(id, comment="가입 직후에 보냅니다.")
        first = standing["code"]
        assert first.startswith("KA01TP")
        assert standing["inspection"] in ("REQUESTED", "IN_REVIEW")
        solapi.desk.reject(first, "버튼의 목적을 알려 주세요.")
        await shop.sync()
        [standing] = await shop.standings()
        assert standing["inspection"] == "REJECTED"
        assert standing["comments"][-1]["text"] == "버튼의 목적을 알려 주세요."
        # Another text goes there under the same code; once it is approved, the next is another template.
        await shop.save(body="#{이름}님, 가입을 환영합니다.")
        [standing, _] = await shop.request(id)
        assert standing["code"] == first
        solapi.desk.approve(first)
        await shop.sync()
        assert (await shop.standings())[0]["isSendable"]
        await shop.save(body="#{이름}님, 소전몰입니다.")
        standings = await shop.request(id)
        assert standings[0]["code"] != first
        assert [one["isSendable"] for one in standings] == [False, True, False]
        synced = await shop.sync()
        assert (synced["adopted"], synced["isComplete"]) == (0, True)
