"""Many messages in one call of a relay, and an outcome for each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias, TypeVar

from channels.contract import Accepted, Deferred, Message, Outcome, Rejected, Unknown
from channels.reasons import Reason, ReasonClass

T = TypeVar("T")

Answer: TypeAlias = list[Outcome] | Outcome
"""What a relay said of several messages: something of each, or one thing of all."""


async def send_each(
    messages: Sequence[Message],
    read: Callable[[Message], T | Outcome],
    post: Callable[[Sequence[T]], Awaitable[Answer]],
    alike: Callable[[T], object],
) -> list[Outcome]:
    """One outcome a message, in order. `read` makes of it what the relay understands, or says how it ended
    already; those for which `alike` is the same share a call of `post`."""
    outcomes: dict[int, Outcome] = {}
    groups: dict[object, list[tuple[int, T]]] = {}
    for position, message in enumerate(messages):
        found = read(message)
        if isinstance(found, Accepted | Rejected | Deferred | Unknown):
            outcomes[position] = found
        else:
            groups.setdefault(alike(found), []).append((position, found))
    for group in groups.values():
        answers = await _in_halves([one for _, one in group], post)
        outcomes.update(zip((position for position, _ in group), answers, strict=True))
    return [outcomes[position] for position in range(len(messages))]


async def _in_halves(group: Sequence[T], post: Callable[[Sequence[T]], Awaitable[Answer]]) -> list[Outcome]:
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
