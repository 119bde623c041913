"""Does a channel keep the contract? One plain async function, for any test runner or none."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, SecretBytes, SecretStr

from channels.contract import (
    CONTRACT_VERSION,
    Accepted,
    AnyChannel,
    Callback,
    Capabilities,
    Deferred,
    Instant,
    Message,
    OnUnknown,
    Outcome,
    Problem,
    Receipt,
    ReceiptKind,
    Rejected,
    Sender,
    Tools,
    Unknown,
    Verified,
)
from channels.errors import ContractBroken, PollFailed

NOW: Instant = 1_767_225_600_000
"""The moment at which checks take place: 2026-01-01T00:00:00Z."""

S = TypeVar("S", bound=BaseModel)

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_SECRET_NAME = re.compile(r"password|secret|token|api_?key|private_?key")
_SAMPLE_CONTENT = "Hello 안녕하세요"
# Typed loosely: a check has to doubt what a type promises.
_OUTCOMES: Any = Accepted | Rejected | Deferred | Unknown
# The server itself writes these down; no provider tells them.
_OURS = {ReceiptKind.ATTEMPTED, ReceiptKind.SKIPPED, ReceiptKind.UNMAPPED}


async def check_channel(
    channel: AnyChannel,
    settings: S,
    *,
    tools: Tools | None = None,
    message: Message | None = None,
    callbacks: Sequence[Callback] = (),
    unreachable: S | None = None,
) -> None:
    """Check every promise of the contract that can be seen from outside, and raise `ContractBroken` with all
    the findings when one does not hold.

    Without `tools` there is no network: every HTTP request fails to connect, and the clock stands at `NOW`.
    `message` is one that the provider would take; without it one is made from the capabilities. It is sent,
    so let the settings or the tools lead to a test server. `callbacks` are genuine ones, signed for these
    settings at the tools' time. `unreachable` are settings that lead to a server which is down.
    """
    http = None if tools else _no_network()
    lent = tools or Tools(clock=lambda: NOW, http=http or _no_network())
    message = message or _sample_message(channel.capabilities, lent.clock())
    findings: list[str] = []
    try:
        findings += _identity(channel)
        findings += _capabilities(channel.capabilities)
        findings += _settings(channel, settings)
        findings += _problems(channel, settings)
        findings += await _sends(channel, settings, lent, message)
        findings += _callbacks(channel, settings, lent.clock(), callbacks)
        findings += await _polls(channel, settings, lent)
        if unreachable is not None:
            findings += await _dead_server(channel, unreachable, lent, message)
    finally:
        if http:
            await http.aclose()
    if findings:
        raise ContractBroken(channel.key, findings)


def _no_network() -> httpx.AsyncClient:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError(f"no network in a check: {request.url.host}", request=request)

    return httpx.AsyncClient(transport=httpx.MockTransport(refuse))


def _sample_message(capabilities: Capabilities, now: Instant) -> Message:
    content = {
        name: "sender@example.com"
        if name in ("from_address", "reply_to")
        else _SAMPLE_CONTENT[: f.max_length]
        for name, f in capabilities.content.items()
    }
    return Message("check-1", "someone@example.com", content, now)


def _identity(channel: AnyChannel) -> Iterator[str]:
    for part in ("key", "channel"):
        if not _NAME.fullmatch(getattr(channel, part)):
            yield f"{part} must be lower-case letters, digits and _, found {getattr(channel, part)!r}"
    if not channel.title.strip():
        yield "title is empty"
    if channel.contract_version != CONTRACT_VERSION:
        yield f"contract_version is {channel.contract_version}, this is {CONTRACT_VERSION}"


def _capabilities(capabilities: Capabilities) -> Iterator[str]:
    if not capabilities.content:
        yield "capabilities.content names no field, so nothing could be sent"
    if wrong := [
        kind for kind in capabilities.observes if not isinstance(kind, ReceiptKind) or kind in _OURS
    ]:
        yield f"capabilities.observes names {sorted(wrong)}, which no provider tells"
    if capabilities.batch_size < 1:
        yield "capabilities.batch_size must be at least 1"
    if capabilities.rate_per_second is not None and capabilities.rate_per_second <= 0:
        yield "capabilities.rate_per_second must be above 0, or None"
    if capabilities.on_unknown is OnUnknown.RESEND_SAME_KEY and not capabilities.native_idempotency:
        yield "on_unknown is resend_same_key, which needs native_idempotency"


def _settings(channel: AnyChannel, settings: BaseModel) -> Iterator[str]:
    if not isinstance(settings, channel.settings):
        yield f"settings must be a {channel.settings.__name__}, found a {type(settings).__name__}"
    for name, field in channel.settings.model_fields.items():
        if _SECRET_NAME.search(name) and field.annotation is str:
            yield f"settings.{name} sounds like a secret: make it a SecretStr"
    shown = repr(settings) + str(settings) + json.dumps(settings.model_dump(mode="json"))
    if any(secret in shown for secret in _secrets(settings)):
        yield "a secret can be read in the settings' repr or JSON"
    channel.settings.model_json_schema()


def _secrets(settings: BaseModel) -> Iterator[str]:
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr) and value.get_secret_value():
            yield value.get_secret_value()
        elif isinstance(value, SecretBytes) and value.get_secret_value():
            yield value.get_secret_value().decode("utf-8", "replace")
        elif isinstance(value, BaseModel):
            yield from _secrets(value)


def _problems(channel: AnyChannel, settings: BaseModel) -> Iterator[str]:
    first, second = channel.problems(settings), channel.problems(settings)
    if first != second:
        yield "problems() gives another answer the second time"
    if not isinstance(first, list) or not all(isinstance(problem, Problem) for problem in first):
        yield "problems() must return a list of Problem"
    elif any(secret in problem.message for problem in first for secret in _secrets(settings)):
        yield "problems() repeats a secret"


async def _sends(channel: AnyChannel, settings: BaseModel, tools: Tools, message: Message) -> list[str]:
    findings: list[str] = []
    sender = channel.open(settings, tools)
    if not hasattr(sender, "aclose"):
        return [f"open() returned a {type(sender).__name__}; it must be a plain function returning a Sender"]
    if channel.capabilities.on_unknown is OnUnknown.ASK and not hasattr(sender, "ask"):
        findings.append("on_unknown is ask, so the sender needs ask(reference)")
    if channel.capabilities.batch_size > 1 and not hasattr(sender, "send_many"):
        findings.append("batch_size is above 1, so the sender needs send_many(messages)")
    first = await _send(sender, message, tools, settings, findings)
    again = await _send(sender, message, tools, settings, findings)
    if channel.capabilities.native_idempotency and isinstance(first, Accepted) and first != again:
        findings.append("one reference sent twice must end in the same Accepted, as native_idempotency says")
    for name in message.content:
        hostile = replace(
            message, reference=f"check-{name}", content={**message.content, name: "a\r\nBcc: b\0"}
        )
        await _send(sender, hostile, tools, settings, findings)
    for to in ("", "\r\n", "x" * 10_000):
        await _send(sender, replace(message, reference="check-to", to=to), tools, settings, findings)
    await sender.aclose()
    await sender.aclose()
    return findings


async def _send(
    sender: Sender, message: Message, tools: Tools, settings: BaseModel, findings: list[str]
) -> Outcome | None:
    asked_at = tools.clock()
    try:
        outcome = await sender.send(message)
    except Exception as error:
        findings.append(f"send() raised {error!r} for to={message.to[:40]!r}; it must return an Outcome")
        return None
    if not isinstance(outcome, _OUTCOMES):
        findings.append(f"send() returned a {type(outcome).__name__}, not an Outcome")
        return None
    if isinstance(outcome, Accepted) and not outcome.provider_id:
        findings.append("Accepted needs a provider_id, or no receipt will find the message")
    if isinstance(outcome, Deferred) and outcome.retry_at < asked_at:
        findings.append("Deferred.retry_at lies in the past; it is in milliseconds since the epoch")
    if any(secret in repr(outcome) for secret in _secrets(settings)):
        findings.append(f"send() repeats a secret in its {type(outcome).__name__}")
    return outcome


def _callbacks(
    channel: AnyChannel, settings: BaseModel, now: Instant, genuine: Sequence[Callback]
) -> Iterator[str]:
    false = _garbage() + [tampered for callback in genuine for tampered in _tampered(callback)]
    for callback in (*false, *genuine):
        try:
            verdict = channel.verify(settings, callback, now)
        except Exception as error:
            yield f"verify() raised {error!r}; it must return Refused"
            continue
        if isinstance(verdict, Verified) and callback not in genuine:
            yield f"verify() let a false callback pass: {callback.method} with body {callback.body[:40]!r}"
        elif isinstance(verdict, Verified):
            yield from _parses(channel, settings, verdict)
        elif callback in genuine:
            yield f"verify() refused a genuine callback: {verdict.why}"


def _garbage() -> list[Callback]:
    bodies = (b"", b"{}", b"[]", b"\xff\xfe\0", b"[" * 100_000)
    headers: tuple[dict[str, str], ...] = ({}, {"x-signature": "é" * 100, "authorization": "Bearer nonsense"})
    return [Callback("POST", "/", given, {}, body) for body in bodies for given in headers]


def _tampered(callback: Callback) -> list[Callback]:
    forged = {name: value[::-1] + "0" for name, value in callback.headers.items()}
    changed = [replace(callback, headers={}), replace(callback, headers=forged)]
    return [*changed, replace(callback, body=callback.body + b" ")] if callback.body else changed


def _parses(channel: AnyChannel, settings: BaseModel, verified: Verified) -> Iterator[str]:
    receipts = channel.parse(settings, verified)
    if receipts != channel.parse(settings, verified):
        yield "parse() gives another answer the second time; it must be pure, keys included"
    yield from _receipts(channel, receipts)
    for body in (b'{"kind": "never-seen-before"}', b'[{"kind": "never-seen-before"}]', b"\xff\0", b"null"):
        strange = replace(verified, callback=replace(verified.callback, body=body))
        try:
            kinds = {receipt.kind for receipt in channel.parse(settings, strange)}
        except Exception as error:
            yield f"parse() raised {error!r} for {body!r}; it must return an unmapped receipt"
            continue
        if kinds != {ReceiptKind.UNMAPPED}:
            yield f"parse() must make an unmapped receipt of {body!r}, found {sorted(kinds)}"


def _receipts(channel: AnyChannel, receipts: Sequence[Receipt]) -> Iterator[str]:
    if len({receipt.key for receipt in receipts}) < len(receipts):
        yield "two receipts have the same key, so one of them would be dropped"
    for receipt in receipts:
        if not receipt.key:
            yield f"a receipt ({receipt.kind}) has no key"
        if receipt.kind is ReceiptKind.UNMAPPED:
            continue
        if receipt.kind not in channel.capabilities.observes:
            yield f"a receipt is {receipt.kind}, which capabilities.observes does not name"
        if receipt.reference is None and receipt.provider_id is None:
            yield f"a receipt ({receipt.kind}) names no message: give it reference or provider_id"


async def _polls(channel: AnyChannel, settings: BaseModel, tools: Tools) -> list[str]:
    try:
        receipts, cursor = await channel.poll(settings, tools, None)
        more, _ = await channel.poll(settings, tools, cursor)
    except PollFailed:
        return []
    if {receipt.key for receipt in receipts} & {receipt.key for receipt in more}:
        return ["poll() tells the same receipts again after its own cursor"]
    return list(_receipts(channel, [*receipts, *more]))


async def _dead_server(channel: AnyChannel, settings: BaseModel, tools: Tools, message: Message) -> list[str]:
    findings: list[str] = []
    sender = channel.open(settings, tools)
    outcome = await _send(sender, message, tools, settings, findings)
    await sender.aclose()
    if outcome is not None and not isinstance(outcome, Deferred):
        findings.append(f"send() to a server that is down must be Deferred, found {outcome!r}")
    problems = await channel.probe(settings, tools)
    if not problems:
        findings.append("probe() finds no problem with a server that is down")
    return findings
