"""What the relays share of Brand Messages: a message read as one, or why it cannot be sent now or ever.

Hours, types and buttons differ from relay to relay (`channels.alimtalk.brand`). Nobody is called outside of
the hours: a relay would take the message over and KakaoTalk refuse it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from channels.alimtalk.brand import BrandCan
from channels.alimtalk.filling import bare
from channels.alimtalk.findings import Finding, Severity
from channels.alimtalk.lint.brand import lint_brand
from channels.contract import ContentField, Deferred, Instant, Message, Outcome, Purpose, Rejected
from channels.kakao import batches
from channels.kakao.batches import Answer
from channels.kakao.brand_options import BrandOptions
from channels.options import options_of
from channels.phone import to_domestic, to_e164
from channels.reasons import Reason

CONTENT: Mapping[str, ContentField] = {
    "text": ContentField(max_length=1300),
    "template": ContentField(max_length=50),
}
PURPOSES = frozenset({Purpose.ADVERTISEMENT})
_TOLD = 500


@dataclass(frozen=True, slots=True)
class Brand:
    """A message as relays of Brand Messages understand it."""

    reference: str
    number: str
    """As it is dialled in Korea, digits only."""
    template: str
    """The relay's code of a template that it keeps; empty for a message that is written out."""
    text: str
    variables: Mapping[str, str]
    options: BrandOptions


def read(message: Message, can: BrandCan, now: Instant) -> Brand | Outcome:
    """The message as a Brand Message, or how it ended already."""
    number = to_domestic(message.to) if to_e164(message.to) == message.to else None
    if not number:
        return Rejected(
            Reason.INVALID_RECIPIENT, text="A Brand Message wants a Korean number: +821012345678."
        )
    if message.purpose is not Purpose.ADVERTISEMENT:
        text = "A Brand Message is always an advertisement, and this one is said to be information."
        return Rejected(Reason.CONTENT_INVALID, "purpose", text)
    options = options_of(BrandOptions, message)
    if isinstance(options, Rejected):
        # Buttons, pictures and prices are what people see.
        return replace(options, reason=Reason.CONTENT_INVALID)
    brand = Brand(
        reference=message.reference,
        number=number,
        template=message.content.get("template", "").strip(),
        text=message.content.get("text", ""),
        variables={bare(name): value for name, value in message.variables.items()},
        options=options,
    )
    return _refused(brand, can) or _too_late(can, now) or brand


def _refused(brand: Brand, can: BrandCan) -> Rejected | None:
    about: dict[str, Any] = brand.options.model_dump()
    about |= {"text": brand.text, "template": brand.template, "variables": brand.variables}
    found = [one for one in lint_brand(about, can) if one.severity is Severity.ERROR]
    if not found:
        return None
    return Rejected(Reason.CONTENT_INVALID, found[0].rule, "; ".join(map(_told, found))[:_TOLD])


def _told(finding: Finding) -> str:
    return f"{'.'.join(map(str, finding.path))}: {finding.message_en}"


def _too_late(can: BrandCan, now: Instant) -> Deferred | None:
    opens_at = can.opens_at(now)
    if opens_at is None:
        return None
    hours = f"{_clock(can.opens)} to {_clock(can.closes)}"
    return Deferred(opens_at, Reason.WINDOW_CLOSED, text=f"Brand Messages are sent from {hours} in Korea.")


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


Settle: TypeAlias = Callable[[Sequence[Brand | Outcome]], Awaitable[Sequence[Brand | Outcome]]]
"""What is done to messages before they are sent, e.g. to their pictures."""


async def send_each(
    messages: Sequence[Message],
    can: BrandCan,
    now: Instant,
    post: Callable[[Sequence[Brand]], Awaitable[Answer]],
    alike: Callable[[Brand], object],
    settle: Settle | None = None,
) -> list[Outcome]:
    """One outcome a message, in order. Those for which `alike` is the same share a call of `post`."""
    read_ones: Sequence[Brand | Outcome] = [read(one, can, now) for one in messages]
    if settle is not None:
        read_ones = await settle(read_ones)
    found = {id(message): one for message, one in zip(messages, read_ones, strict=True)}
    return await batches.send_each(messages, lambda one: found[id(one)], post, alike)
