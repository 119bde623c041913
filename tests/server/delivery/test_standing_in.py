"""An Alimtalk that KakaoTalk cannot deliver, and the text message in its place, out to the provider."""

from typing import Any

import pytest

from channels.contract import Accepted, Message, Outcome, Rejected
from channels.reasons import Reason
from channels.testing.fake import FakeChannel, fake_capabilities
from server.aggregates import recount
from server.store.tables import Message as MessageRow
from server.store.tables import Receipt
from tests.server.delivery.office import open_office
from tests.server.delivery.relays import sign_up
from tests.world import HOUR, NOON, World, reaching, step

pytestmark = pytest.mark.anyio


class Said(FakeChannel):
    """Takes everything, or refuses everything for one reason, and keeps what it was handed."""

    def __init__(self, channel: str, refuses: Reason | None = None) -> None:
        super().__init__(key=f"fake-{channel}", channel=channel, capabilities=fake_capabilities(channel))
        self.refuses = refuses
        self.handed: list[Message] = []

    def open(self, settings: Any, tools: Any) -> Any:
        return self

    async def send(self, message: Message) -> Outcome:
        self.handed.append(message)
        return Accepted(f"{self.channel}-{len(self.handed)}") if not self.refuses else Rejected(self.refuses)

    async def aclose(self) -> None:
        pass


TEXT = "{{ user.name }}님, {{ event.product }} 결제가 완료되었습니다. {{ voucher.code }}"


async def test_whoever_is_not_on_kakaotalk_gets_the_text_message_now_and_the_next_time(
    sqlite_world: World,
) -> None:
    world = sqlite_world
    kakao, sms = Said("kakao", Reason.NOT_ON_CHANNEL), Said("sms")
    fallback = {"channel": "sms", "connection": "sms", "text": TEXT, "title": "결제 완료"}
    alimtalk = step(
        "paid", "alimtalk", template="KA01", variables={"n": "{{ user.name }}"}, fallback=fallback
    )
    async with open_office(world) as office:
        for one in (kakao, sms):
            office.host.channels[one.key] = one
            await world.add_connection(one.channel, one.key, channel=one.channel)
        await world.add_journey(reaching(alimtalk))
        await sign_up(world, "kim", product="꽃신")
        await office.settle()
        [text] = sms.handed
        assert (text.to, len(kakao.handed)) == ("+821012345678", 1)
        assert text.content == {"text": "Kim님, 꽃신 결제가 완료되었습니다. ", "title": "결제 완료"}
        # From now on the number is known to be none of KakaoTalk's: nobody asks it again.
        await sign_up(world, "kim", at=NOON + HOUR, product="댕기")
        world.clock.reach(NOON + HOUR)
        await office.settle()
        rows = await world.rows(MessageRow, "id")
        assert [(one.channel, one.status, one.reason) for one in rows] == [
            ("kakao", "failed", "not_on_channel"),
            ("sms", "accepted", ""),
            ("kakao", "skipped", "suppressed"),
            ("sms", "accepted", ""),
        ]
        assert [one.fallback_of for one in rows] == [None, rows[0].id, None, rows[2].id]
        assert {one.code for one in await world.rows(Receipt) if one.kind == "skipped"} == {"not_on_channel"}
        assert (len(sms.handed), len(kakao.handed)) == (2, 1)
        async with world.db.read() as session:
            assert await recount.differences(session) == []
