"""Text messages within Korea through SOLAPI (CoolSMS): SMS, LMS and MMS, as length, title and picture decide.

What the networks cannot carry, emoji for one, is refused here with the characters by name: SOLAPI refuses
the same with code 1029, and names none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from channels import (
    CONTRACT_VERSION,
    Accepted,
    AnyChannel,
    Capabilities,
    ContentField,
    Message,
    Outcome,
    Problem,
    Reason,
    Rejected,
    Tools,
    hookimpl,
)
from channels.kakao.batches import Answer, send_each
from channels.kakao.solapi_relay import OBSERVES, SolapiAccount, SolapiRelay, submit
from channels.kakao.solapi_results import REFERENCE
from channels.options import options_of
from channels.phone import to_domestic, to_e164
from sojourn_sms.pictures import Pictures
from sojourn_sms.segments import LONG_BYTES, TITLE_BYTES, Kind, euc_kr_bytes, korean_length, outside_euc_kr
from sojourn_sms.sending import wrong_address

_LONGEST_REFERENCE = 100
_SENDER = re.compile(r"0\d{8,10}|1[5-9]\d{6}")
_MOST_NAMED = 10
_PICTURE_UNKNOWN = "1034"


class SolapiSmsSettings(SolapiAccount):
    """The account at SOLAPI, and the number that the messages come from."""

    sender: str = Field(
        min_length=1, max_length=20, description="A number registered with SOLAPI: 0212345678 or 15881234."
    )


class SolapiSmsOptions(BaseModel):
    """What only SOLAPI understands."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    sender: str = Field("", max_length=20, description="Another registered number, for this message.")


@dataclass(frozen=True, slots=True)
class Text:
    """A message as Korean networks understand it."""

    reference: str
    number: str
    """As it is dialled in Korea, digits only."""
    sender: str
    text: str
    title: str
    kind: Kind
    image_url: str
    file_id: str = ""


def read(message: Message, sender: str, files: Mapping[str, str | Outcome] | None = None) -> Text | Outcome:
    """The message as a text, or why it cannot be one. `files` are SOLAPI's pictures by address."""
    if to_e164(message.to) != message.to:
        return wrong_address()
    number = to_domestic(message.to)
    if not number:
        return Rejected(Reason.NOT_PERMITTED, text="SOLAPI is set up for Korean numbers only.")
    options = options_of(SolapiSmsOptions, message)
    if isinstance(options, Rejected):
        return options
    text, title, image = (message.content.get(name, "") for name in ("text", "title", "image_url"))
    if wrong := _unsendable(text, title, bool(image)):
        return Rejected(Reason.CONTENT_INVALID, text=wrong)
    file_id = (files or {}).get(image, "")
    if not isinstance(file_id, str):
        return file_id
    kind = korean_length(text, title=title, has_image=bool(image)).kind
    chosen = _digits(options.sender or sender)
    return Text(message.reference, number, chosen, text, title, kind, image, file_id)


def _unsendable(text: str, title: str, has_image: bool) -> str:
    """What is wrong with the words, empty if nothing is."""
    if not text.strip() and not has_image:
        return "The message has neither text nor image_url."
    if strange := outside_euc_kr(title + text):
        named = ", ".join(f"{one} (U+{ord(one):04X})" for one in strange[:_MOST_NAMED] if one.isprintable())
        more = f" and {len(strange) - _MOST_NAMED} more" if len(strange) > _MOST_NAMED else ""
        return f"Korean networks have no {named or 'such characters'}{more}: leave it out."
    if euc_kr_bytes(text) > LONG_BYTES:
        return f"The text is {euc_kr_bytes(text)} bytes long in EUC-KR; {LONG_BYTES} are possible."
    if euc_kr_bytes(title) > TITLE_BYTES:
        return f"The title is {euc_kr_bytes(title)} bytes long in EUC-KR; {TITLE_BYTES} are possible."
    return ""


def _digits(number: str) -> str:
    return re.sub(r"[\s().-]", "", number)


class SolapiSmsSender:
    """Messages to SOLAPI, up to `batch_size` a request; each picture is handed over once."""

    def __init__(self, settings: SolapiSmsSettings, tools: Tools) -> None:
        self._settings = settings
        self._tools = tools
        self._pictures = Pictures(settings, tools)

    async def send(self, message: Message) -> Outcome:
        return (await self.send_many([message]))[0]

    async def send_many(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        sender = self._settings.sender
        texts = [read(message, sender) for message in messages]
        wanted = {one.image_url for one in texts if isinstance(one, Text) and one.image_url}
        files = await self._pictures.file_ids(wanted)
        return await send_each(messages, lambda one: read(one, sender, files), self._post, lambda _: None)

    async def aclose(self) -> None:
        pass

    async def _post(self, group: Sequence[Text]) -> Answer:
        answer = await submit(self._settings, self._tools, group, [_in_their_words(one) for one in group])
        if isinstance(answer, list):
            for text, outcome in zip(group, answer, strict=True):
                if outcome.code == _PICTURE_UNKNOWN:
                    self._pictures.forget(text.image_url)
            return [_billed(text, outcome) for text, outcome in zip(group, answer, strict=True)]
        return answer


def _billed(text: Text, outcome: Outcome) -> Outcome:
    """The length decides what is paid for, and nobody else knows it."""
    return replace(outcome, billed_as=text.kind.lower()) if isinstance(outcome, Accepted) else outcome


def _in_their_words(one: Text) -> dict[str, Any]:
    said: dict[str, Any] = {"to": one.number, "from": one.sender, "text": one.text, "country": "82"}
    said |= {"type": str(one.kind), "autoTypeDetect": False}
    if one.title:
        said["subject"] = one.title
    if one.file_id:
        said["imageId"] = one.file_id
    if len(one.reference) <= _LONGEST_REFERENCE:
        said["customFields"] = {REFERENCE: one.reference}
    return said


class SolapiSmsChannel(SolapiRelay[SolapiSmsSettings]):
    """SMS, LMS and MMS through SOLAPI, with results by webhook and by asking for what changed."""

    key = "solapi_sms"
    channel = "sms"
    title = "SMS, LMS and MMS (SOLAPI)"
    contract_version = CONTRACT_VERSION
    settings = SolapiSmsSettings
    message_types = ("SMS", "LMS", "MMS")
    options: type[BaseModel] | None = SolapiSmsOptions
    capabilities = Capabilities(
        content={
            "text": ContentField(max_length=LONG_BYTES, charset="euc-kr"),
            "title": ContentField(max_length=TITLE_BYTES, charset="euc-kr"),
            "image_url": ContentField(max_length=2000),
        },
        observes=OBSERVES,
        batch_size=500,
        scheduled_send=True,
        media=frozenset({"image/jpeg"}),
    )

    def problems(self, settings: SolapiSmsSettings) -> list[Problem]:
        if _SENDER.fullmatch(_digits(settings.sender)):
            return []
        return [Problem("sender", "must be a Korean number as it is dialled: 0212345678, 15881234")]

    def open(self, settings: SolapiSmsSettings, tools: Tools) -> SolapiSmsSender:
        return SolapiSmsSender(settings, tools)


@hookimpl
def register_channels() -> Iterable[AnyChannel]:
    return [SolapiSmsChannel()]
