"""What the relays share: a message read as an Alimtalk, and many of them sent with an outcome each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from channels.alimtalk.filling import bare
from channels.contract import ContentField, Message, Outcome, Rejected
from channels.kakao import batches
from channels.kakao.batches import Answer
from channels.kakao.options import AlimtalkOptions
from channels.options import options_of
from channels.phone import to_domestic, to_e164
from channels.reasons import Reason

CONTENT: Mapping[str, ContentField] = {
    "template": ContentField(max_length=50, required=True),
    "text": ContentField(max_length=1300),
    "title": ContentField(max_length=50),
}
LONGEST_REFERENCE = 100


@dataclass(frozen=True, slots=True)
class Alimtalk:
    """A message as Alimtalk relays understand it."""

    reference: str
    number: str
    """As it is dialled in Korea, digits only."""
    template: str
    text: str
    title: str
    variables: Mapping[str, str]
    """By the bare name that the template has between `#{` and `}`."""
    options: AlimtalkOptions


def read(message: Message) -> Alimtalk | Rejected:
    """The message as an Alimtalk, or why it cannot be one."""
    number = to_domestic(message.to) if to_e164(message.to) == message.to else None
    if not number:
        return Rejected(Reason.INVALID_RECIPIENT, text="Alimtalk wants a Korean number as +821012345678.")
    template = message.content.get("template", "").strip()
    if not template:
        return Rejected(Reason.TEMPLATE_UNAVAILABLE, text="The message names no template.")
    options = options_of(AlimtalkOptions, message)
    if isinstance(options, Rejected):
        # Buttons and links are what people see.
        return replace(options, reason=Reason.CONTENT_INVALID)
    return Alimtalk(
        reference=message.reference,
        number=number,
        template=template,
        text=message.content.get("text", ""),
        title=message.content.get("title", ""),
        variables={bare(name): value for name, value in message.variables.items()},
        options=options,
    )


async def send_each(
    messages: Sequence[Message],
    post: Callable[[Sequence[Alimtalk]], Awaitable[Answer]],
    alike: Callable[[Alimtalk], object],
) -> list[Outcome]:
    """One outcome a message, in order. Those for which `alike` is the same share a call of `post`."""
    return await batches.send_each(messages, read, post, alike)
