"""What the relays share: a message read as an Alimtalk, and many of them sent with an outcome each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from channels.contract import ContentField, Message, Outcome, Rejected
from channels.kakao.options import AlimtalkOptions
from channels.options import options_of
from channels.phone import to_domestic, to_e164
from channels.reasons import Reason, ReasonClass

CONTENT: Mapping[str, ContentField] = {
    "template": ContentField(max_length=50, required=True),
    "text": ContentField(max_length=1000),
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


def bare(name: str) -> str:
    """The name of a variable without its wrapper: `#{이름}` and `이름` are the same."""
    name = name.strip()
    return name[2:-1].strip() if name.startswith("#{") and name.endswith("}") else name


Answer: TypeAlias = list[Outcome] | Outcome
"""What a relay said of several messages: something of each, or one thing of all."""
Post: TypeAlias = Callable[[Sequence[Alimtalk]], Awaitable[Answer]]


async def send_each(
    messages: Sequence[Message], post: Post, alike: Callable[[Alimtalk], object]
) -> list[Outcome]:
    """One outcome a message, in order. Those for which `alike` is the same share a call of `post`."""
    outcomes: dict[int, Outcome] = {}
    groups: dict[object, list[tuple[int, Alimtalk]]] = {}
    for position, message in enumerate(messages):
        alimtalk = read(message)
        if isinstance(alimtalk, Rejected):
            outcomes[position] = alimtalk
        else:
            groups.setdefault(alike(alimtalk), []).append((position, alimtalk))
    for group in groups.values():
        found = await _in_halves([alimtalk for _, alimtalk in group], post)
        outcomes.update(zip((position for position, _ in group), found, strict=True))
    return [outcomes[position] for position in range(len(messages))]


async def _in_halves(group: Sequence[Alimtalk], post: Post) -> list[Outcome]:
    """A call that is refused as a whole took nothing over: ask again in halves until the culprit is alone."""
    answer = await post(group)
    if isinstance(answer, list):
        return answer
    if len(group) == 1 or not _one_may_spoil_it(answer):
        return [answer] * len(group)
    middle = len(group) // 2
    return [*await _in_halves(group[:middle], post), *await _in_halves(group[middle:], post)]


def _one_may_spoil_it(outcome: Outcome) -> bool:
    if not isinstance(outcome, Rejected):
        return False
    if outcome.reason in (Reason.REQUEST_INVALID, Reason.TEMPLATE_MISMATCH, Reason.UNKNOWN):
        return True
    return outcome.reason.policy.reason_class is ReasonClass.RECIPIENT or outcome.reason in (
        Reason.CONTENT_INVALID,
        Reason.CONTENT_REJECTED,
        Reason.OPTED_OUT,
    )
