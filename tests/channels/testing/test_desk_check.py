"""What the check finds of a desk: nothing of a good one, and each way of breaking what it promises."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from channels.alimtalk.desk import Attachment, DeskCan, DeskError, Does, Inspection, Registered
from channels.alimtalk.template import Button, Template
from channels.contract import Tools
from channels.kakao.nhn import NhnAlimtalkChannel, NhnSettings
from channels.kakao.nhn_desk import NhnDesk
from channels.reasons import Reason
from channels.testing import DeskEvidence, Evidence
from channels.testing.check import NOW, findings
from channels.testing.providers import client_of
from channels.testing.providers.nhn import FakeNhn
from channels.testing.providers.pictures import a_png
from tests.channels.kakao.test_nhn import SETTINGS

pytestmark = pytest.mark.anyio

TEMPLATE = Template(
    name="배송 시작",
    body="[소전] #{이름}님의 상품이 출발했습니다.",
    buttons=(Button(type="WL", name="배송 조회", link_mobile="https://shop.example/#{번호}"),),
    category="004001",
)
Change = Callable[[Any], Any]


class Channel(NhnAlimtalkChannel):
    """NHN's, with a desk that goes wrong as it is told to."""

    def __init__(self, can: DeskCan | None = None, **wrong: Change) -> None:
        self.desk_can = can or NhnAlimtalkChannel.desk_can
        self._wrong = wrong

    def open_desk(self, settings: NhnSettings, tools: Tools) -> NhnDesk:
        desk = super().open_desk(settings, tools)
        for name, change in self._wrong.items():
            setattr(desk, name, _changed(getattr(desk, name), change))
        return desk


def _changed(method: Any, change: Change) -> Any:
    async def changed(*args: Any) -> Any:
        try:
            return change(await method(*args))
        except DeskError as error:
            return change(error)

    return changed


def keep(change: Change) -> Change:
    """Changes good answers; what the desk refuses stays refused."""

    def answer(told: Any) -> Any:
        if isinstance(told, DeskError):
            raise told
        return change(told)

    return answer


async def found(channel: Channel) -> str:
    fake = FakeNhn(lambda: NOW)
    shown = DeskEvidence(
        template=TEMPLATE,
        approve=fake.desk.approve,
        reject=fake.desk.reject,
        token=lambda name: str(fake.desk.tokens[name][0]),
        picture=Attachment("그림.png", "image/png", a_png(500, 250)),
    )
    async with client_of(fake) as http:
        tools = Tools(clock=lambda: NOW, http=http)
        evidence = Evidence(channel=channel, settings=SETTINGS, tools=tools, desk=shown)
        return "\n".join(await findings(evidence, "desk"))


async def test_a_good_desk_passes() -> None:
    assert await found(Channel()) == ""


def _other_body(told: Registered | None) -> Registered | None:
    body = replace(TEMPLATE, body="다른 글")
    return told and replace(told, template=body)


def _new_keys() -> Change:
    counted = iter(range(1000))
    return lambda told: (
        told and replace(told, comments=tuple(replace(one, key=str(next(counted))) for one in told.comments))
    )


BROKEN: list[tuple[Channel, str]] = [
    (Channel(stop=lambda _: None), "does not say stop"),
    (Channel(balance=lambda _: 1 / 0), "does not say balance"),
    (Channel(profiles=lambda told: []), "profiles() must raise DeskError"),
    (Channel(template=keep(_other_body)), "reads otherwise"),
    (Channel(template=keep(_new_keys())), "comments must keep their keys"),
    (Channel(template=keep(lambda _: None)), "is None, and it was registered"),
    (Channel(templates=keep(lambda told: told + told)), "other than once"),
    (
        Channel(create=keep(lambda told: replace(told, inspection=Inspection.DRAFT))),
        "without at review",
    ),
    (Channel(create=keep(lambda told: replace(told, code="OTHER"))), "claim chooses_code"),
    (Channel(DeskCan(does=frozenset({Does.REGISTER_PROFILE}))), "the profile_setting that holds"),
    (Channel(DeskCan(does=frozenset(), more={"profile_setting": "no_such"})), "do not have"),
]


@pytest.mark.parametrize(("channel", "finding"), BROKEN, ids=[one[1] for one in BROKEN])
async def test_a_desk_that_breaks_its_promise_is_found(channel: Channel, finding: str) -> None:
    assert finding in await found(channel)


async def test_a_secret_in_an_error_is_found() -> None:
    secret = SETTINGS.secret_key.get_secret_value()

    def tell(_: Any) -> Any:
        raise DeskError(Reason.PROVIDER_ERROR, text=f"no answer for {secret}")

    assert "tells a secret" in await found(Channel(profiles=tell))
