"""Sending: one message, hostile ones, long ones, many at once, and to a server that is down."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from channels.contract import (
    Accepted,
    BatchSender,
    Deferred,
    Message,
    OnUnknown,
    Outcome,
    Rejected,
    Sender,
    Tools,
    Unknown,
)
from channels.testing.evidence import WHEN, Evidence

# Typed loosely: a check has to doubt what a type promises.
_OUTCOMES: Any = Accepted | Rejected | Deferred | Unknown
_LONGEST_OUTCOME = 20_000
_MANY = 10_000
_TEXTS = {"Korean": "안녕하세요 " * 20, "emoji": "👩‍👩‍👧‍👦🇰🇷" * 20, "long": "길" * 10_000, "empty": ""}


async def sends(evidence: Evidence, tools: Tools) -> list[str]:
    findings: list[str] = []
    channel, message = evidence.channel, evidence.sample
    sender = channel.open(evidence.settings, tools)
    if not hasattr(sender, "aclose"):
        return [f"open() returned a {type(sender).__name__}; it must be a plain function returning a Sender"]
    if evidence.tells_a_secret(repr(sender)):
        findings.append("a secret can be read in the sender's repr")
    if channel.capabilities.on_unknown is OnUnknown.ASK and not hasattr(sender, "ask"):
        findings.append("on_unknown is ask, so the sender needs ask(reference)")
    first, again = [await send(evidence, sender, message, tools, findings) for _ in range(2)]
    if channel.capabilities.native_idempotency and isinstance(first, Accepted) and first != again:
        findings.append("one reference sent twice must end in the same Accepted, as native_idempotency says")
    for odd in _odd(evidence, message):
        await send(evidence, sender, odd, tools, findings)
    if channel.options is not None:
        odd = replace(message, reference="check-options", options={"no_such_option": 1})
        if isinstance(await send(evidence, sender, odd, tools, findings), Accepted):
            findings.append("send() took a message with an option that the options model does not know")
    await _close_twice(sender, findings)
    return findings


def _odd(evidence: Evidence, message: Message) -> list[Message]:
    """Messages that nobody wants to send, and that somebody will."""
    found = []
    for name in message.content:
        texts = {"hostile": "a\r\nBcc: b\0", **_TEXTS}
        for kind, text in texts.items():
            content = {**message.content, name: text}
            found.append(replace(message, reference=f"check-{name}-{kind}", content=content))
    found.append(replace(message, reference="check-nothing", content={}))
    found.append(replace(message, reference="check-expired", expires_at=evidence.now - 1))
    return found + [replace(message, reference="check-to", to=to) for to in ("", "\r\n", "x" * 10_000)]


async def _close_twice(sender: Sender, findings: list[str]) -> None:
    try:
        await sender.aclose()
        await sender.aclose()
    except Exception as error:
        findings.append(f"aclose() raised {error!r}; it may be called twice")


async def send(
    evidence: Evidence, sender: Sender, message: Message, tools: Tools, findings: list[str], *, when: str = ""
) -> Outcome | None:
    """One message; None, and a finding, when what came back is no outcome."""
    asked_at = tools.clock()
    about = when or f"for the message {message.reference}, to={message.to[:40]!r}"
    try:
        outcome = await sender.send(message)
    except Exception as error:
        findings.append(f"send() raised {error!r:.200}; it must return an Outcome{WHEN}{about}")
        return None
    found = list(_unsound(evidence, outcome, asked_at))
    findings += [f"{one}{WHEN}{about}" for one in found]
    return outcome if isinstance(outcome, _OUTCOMES) else None


def _unsound(evidence: Evidence, outcome: object, asked_at: int) -> list[str]:
    if not isinstance(outcome, _OUTCOMES):
        return [f"send() returned a {type(outcome).__name__}, not an Outcome"]
    found = []
    if isinstance(outcome, Accepted) and not outcome.provider_id:
        found.append("Accepted needs a provider_id, or no receipt will find the message")
    if isinstance(outcome, Deferred) and outcome.retry_at < asked_at:
        found.append("Deferred.retry_at lies in the past; it is in milliseconds since the epoch")
    if evidence.tells_a_secret(repr(outcome)):
        found.append(f"send() repeats a secret in its {type(outcome).__name__}")
    if len(repr(outcome)) > _LONGEST_OUTCOME:
        found.append("an outcome keeps a text without end; cut what the provider said")
    return found


async def batches(evidence: Evidence, tools: Tools) -> list[str]:
    size = evidence.channel.capabilities.batch_size
    sender = evidence.channel.open(evidence.settings, tools)
    try:
        if size <= 1:
            return []
        if not hasattr(sender, "send_many"):
            return ["batch_size is above 1, so the sender needs send_many(messages)"]
        return await _batches(evidence, sender, min(size, _MANY))
    finally:
        if hasattr(sender, "aclose"):
            await sender.aclose()


async def _batches(evidence: Evidence, sender: Sender, size: int) -> list[str]:
    findings: list[str] = []
    for count in sorted({0, 1, size}):
        sample = [replace(evidence.sample, reference=f"check-batch-{count}-{n}") for n in range(count)]
        await _send_many(evidence, sender, sample, findings)
    good = [replace(evidence.sample, reference=f"check-order-{n}") for n in range(4)]
    mixed = [replace(one, to="") if n % 2 else one for n, one in enumerate(good)][: max(2, min(size, 4))]
    alone = [replace(one, reference=f"{one.reference}-alone") for one in mixed]
    kinds = [type(await sender.send(one)) for one in alone]
    together = [type(one) for one in await _send_many(evidence, sender, mixed, findings)]
    if together and kinds != together:
        told, heard = (", ".join(kind.__name__ for kind in some) for some in (kinds, together))
        findings.append(
            f"send_many() with every second address empty must end as each alone does, in order: "
            f"wanted {told}; found {heard}"
        )
    return findings


async def _send_many(
    evidence: Evidence, sender: Sender, messages: Sequence[Message], findings: list[str]
) -> Sequence[Outcome]:
    try:
        outcomes = await cast("BatchSender", sender).send_many(messages)
    except Exception as error:
        findings.append(f"send_many() raised {error!r} for {len(messages)} messages; one Outcome each")
        return []
    if len(outcomes) != len(messages):
        findings.append(f"send_many() gave {len(outcomes)} outcomes for {len(messages)} messages")
        return []
    findings += sorted({one for outcome in outcomes for one in _unsound(evidence, outcome, 0)})
    ids = [one.provider_id for one in outcomes if isinstance(one, Accepted)]
    if len(set(ids)) < len(ids):
        findings.append("send_many() gave two messages one provider_id, so receipts would be mixed up")
    return outcomes


async def dead_server(evidence: Evidence, tools: Tools) -> list[str]:
    if evidence.unreachable is None:
        return []
    findings: list[str] = []
    sender = evidence.channel.open(evidence.unreachable, tools)
    outcome = await send(evidence, sender, evidence.sample, tools, findings, when="to a server that is down")
    await sender.aclose()
    if outcome is not None and not isinstance(outcome, Deferred):
        findings.append(f"send() to a server that is down must be Deferred, found {outcome!r}")
    if not await evidence.channel.probe(evidence.unreachable, tools):
        findings.append("probe() finds no problem with a server that is down")
    return findings
