"""Alimtalk through SOLAPI (CoolSMS).

SOLAPI fills a template itself, all of it: what stands around its text has no field in a message, nor is one
wanted. A text of our own goes out with its title and buttons; the rest is as it was registered.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel, Field

from channels.alimtalk.desk import Registered
from channels.contract import (
    CONTRACT_VERSION,
    AnyChannel,
    Capabilities,
    Message,
    Outcome,
    Problem,
    Rejected,
    Tools,
    Verified,
)
from channels.hookspecs import hookimpl
from channels.kakao.alimtalk import CONTENT, LONGEST_REFERENCE, Alimtalk, send_each
from channels.kakao.batches import Answer
from channels.kakao.options import AlimtalkOptions, Button
from channels.kakao.solapi_desk import NO_PROFILE, SOLAPI_DESK_CAN, SolapiDesk
from channels.kakao.solapi_relay import OBSERVES, SolapiAccount, SolapiRelay, submit
from channels.kakao.solapi_results import REFERENCE
from channels.reasons import Reason


class SolapiSettings(SolapiAccount):
    """The account at SOLAPI, and the channel that the messages come from."""

    pf_id: str = Field(
        "",
        max_length=100,
        description="The channel, as SOLAPI names it: KA01PF… Nothing is sent while it is empty.",
    )


class SolapiSender:
    """Messages to SOLAPI, up to `batch_size` a request."""

    def __init__(self, settings: SolapiSettings, tools: Tools) -> None:
        self._settings = settings
        self._tools = tools

    async def send(self, message: Message) -> Outcome:
        return (await self.send_many([message]))[0]

    async def send_many(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        return await send_each(messages, self._post, alike=lambda _: None)

    async def aclose(self) -> None:
        pass

    async def _post(self, group: Sequence[Alimtalk]) -> Answer:
        if not self._settings.pf_id:
            return Rejected(Reason.SENDER_INVALID, "pf_id", NO_PROFILE)
        said = [self._in_their_words(one) for one in group]
        return await submit(self._settings, self._tools, group, said)

    def _in_their_words(self, one: Alimtalk) -> dict[str, Any]:
        kakao: dict[str, Any] = {
            "pfId": self._settings.pf_id,
            "templateId": one.template,
            "disableSms": True,
        }
        said: dict[str, Any] = {"to": one.number, "type": "ATA", "country": "82", "kakaoOptions": kakao}
        if one.variables:
            # SOLAPI fills all of it, its buttons too; beside variables it wants nothing else.
            kakao["variables"] = {f"#{{{name}}}": value for name, value in one.variables.items()}
        else:
            said |= {"text": one.text} if one.text else {}
            kakao |= {"title": one.title} if one.title else {}
            buttons = [_button(button) for button in one.options.buttons]
            kakao |= {"buttons": buttons} if buttons else {}
        if len(one.reference) <= LONGEST_REFERENCE:
            said["customFields"] = {REFERENCE: one.reference}
        return said


def _button(button: Button) -> dict[str, Any]:
    said = {
        "buttonType": button.type,
        "buttonName": button.name,
        "linkMo": button.link_mobile,
        "linkPc": button.link_pc,
        "linkAnd": button.scheme_android,
        "linkIos": button.scheme_ios,
        "chatExtra": button.chat_extra,
        "targetOut": bool(button.target),
    }
    return {name: value for name, value in said.items() if value}


class SolapiAlimtalkChannel(SolapiRelay[SolapiSettings]):
    """Alimtalk through SOLAPI, with results by webhook and by asking for what changed."""

    key = "solapi_alimtalk"
    channel = "kakao"
    title = "Alimtalk (SOLAPI)"
    contract_version = CONTRACT_VERSION
    settings = SolapiSettings
    message_types = ("ATA",)
    options: type[BaseModel] | None = AlimtalkOptions
    desk_can = SOLAPI_DESK_CAN
    capabilities = Capabilities(
        content=CONTENT,
        observes=OBSERVES,
        batch_size=500,
        needs_template=True,
        scheduled_send=True,
        # As KakaoTalk itself does.
        unknown_settles_after_days=3,
    )

    def open(self, settings: SolapiSettings, tools: Tools) -> SolapiSender:
        return SolapiSender(settings, tools)

    def open_desk(self, settings: SolapiSettings, tools: Tools) -> SolapiDesk:
        return SolapiDesk(settings, tools, settings.pf_id)

    def template_news(self, settings: SolapiSettings, verified: Verified) -> list[Registered]:
        """SOLAPI's callbacks tell of messages alone."""
        return []

    def problems(self, settings: SolapiSettings) -> list[Problem]:
        return [] if settings.pf_id else [Problem("pf_id", NO_PROFILE)]

    async def probe(self, settings: SolapiSettings, tools: Tools) -> list[Problem]:
        return self.problems(settings) or await super().probe(settings, tools)


@hookimpl
def register_channels() -> Iterable[AnyChannel]:
    return [SolapiAlimtalkChannel()]
