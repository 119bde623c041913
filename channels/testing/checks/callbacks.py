"""Callbacks: who may speak, and what the genuine ones say."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from channels.contract import Callback, Inbound, Receipt, ReceiptKind, Refused, Verified
from channels.testing.checks import payloads
from channels.testing.checks.receipts import malformed, malformed_inbound, without_raw
from channels.testing.evidence import WHEN, Evidence, Proof

# Typed loosely: a check has to doubt what a type promises.
_VERDICTS: Any = Verified | Refused
_HOUR = 3_600_000
_FLIPS = 16
_MANY = 3000
_MANY_SECONDS = 10.0


async def forgeries(evidence: Evidence) -> list[str]:
    """Nobody but the provider is believed, and whatever arrives, verify() answers."""
    found = [one for false in _garbage() for one in _must_refuse(evidence, false, "a false callback")]
    for callback in evidence.genuine:
        found += _tampered(evidence, callback)
        found += _stale(evidence, callback)
        found += _rotated(evidence, callback)
    return list(dict.fromkeys(found))


def _verify(evidence: Evidence, callback: Callback, at: int | None = None) -> Verified | Refused | str:
    verdict: Verified | Refused
    try:
        verdict = evidence.channel.verify(evidence.settings, callback, evidence.now if at is None else at)
    except Exception as error:
        return f"verify() raised {error!r}; it must return Refused"
    if isinstance(verdict, Refused) and evidence.tells_a_secret(verdict.why):
        return "verify() repeats a secret in its Refused"
    if not isinstance(verdict, _VERDICTS):
        return f"verify() returned a {type(verdict).__name__}; it must be Verified or Refused"
    answer: Verified | Refused = verdict
    return answer


def _must_refuse(
    evidence: Evidence, callback: Callback, what: str, at: int | None = None, unless: Callback | None = None
) -> Iterator[str]:
    verdict = _verify(evidence, callback, at)
    if isinstance(verdict, str):
        yield verdict
        return
    harmless = unless is not None and _says(evidence, callback) == _says(evidence, unless)
    if isinstance(verdict, Verified) and not harmless:
        yield f"verify() let {what} pass: {callback.method} with body {callback.body[:40]!r}"


def _says(evidence: Evidence, callback: Callback) -> object:
    verified = Verified(callback, evidence.now)
    channel, settings = evidence.channel, evidence.settings
    try:
        receipts = without_raw(channel.parse(settings, verified))
        return receipts, without_raw(channel.parse_inbound(settings, verified))
    except Exception as error:
        return repr(error)


def _garbage() -> list[Callback]:
    bodies = (b"", b"{}", b"[]", b"\xff\xfe\0", b"[" * 100_000, b"a=1&b=2", b"\0" * 1000)
    strange = {"x-signature": "é" * 100, "authorization": "Bearer nonsense", "x-timestamp": "not a number"}
    queries: tuple[dict[str, str], ...] = ({}, {"token": "nonsense", "hub.mode": "subscribe", "\0": "é"})
    return [
        Callback(method, "/", headers, query, body, "https://hooks.example/1")
        for method in ("POST", "GET")
        for body in bodies
        for headers in ({}, strange)
        for query in queries
    ]


def _tampered(evidence: Evidence, callback: Callback) -> Iterator[str]:
    if evidence.proof is not Proof.BODY:
        bare = replace(callback, headers={}, query={}, url=callback.url.partition("?")[0])
        yield from _must_refuse(evidence, bare, "a false callback, without headers and query,")
        forged = replace(
            callback,
            headers={name: value[::-1] + "0" for name, value in callback.headers.items()},
            query={name: value[::-1] + "0" for name, value in callback.query.items()},
        )
        yield from _must_refuse(evidence, forged, "a false callback, with another signature,")
    if evidence.proof is Proof.SECRET or not callback.body:
        return
    same = callback if evidence.proof is Proof.BODY else None
    bodies = [callback.body + b" ", callback.body[:-1], *_flipped(callback.body)]
    for body in bodies:
        changed = replace(callback, body=body)
        yield from _must_refuse(evidence, changed, "a false callback, with another body,", unless=same)


def _flipped(body: bytes) -> Iterator[bytes]:
    for n in range(_FLIPS):
        at = n * (len(body) - 1) // (_FLIPS - 1)
        yield body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]


def _stale(evidence: Evidence, callback: Callback) -> Iterator[str]:
    if not evidence.signs_time:
        return
    for at, word in ((evidence.now + _HOUR, "later"), (evidence.now - _HOUR, "earlier")):
        yield from _must_refuse(evidence, callback, f"a callback that is stale, seen an hour {word},", at)


def _rotated(evidence: Evidence, callback: Callback) -> Iterator[str]:
    if evidence.rotated is not None:
        verdict = _verify(replace(evidence, settings=evidence.rotated), callback)
        if not isinstance(verdict, Verified):
            why = verdict if isinstance(verdict, str) else verdict.why
            yield f"after a rotation the callback that the previous secret signed is refused: {why}"
    if evidence.foreign is not None:
        theirs = replace(evidence, settings=evidence.foreign)
        yield from _must_refuse(theirs, callback, "a callback that another secret signed")


async def callbacks(evidence: Evidence) -> list[str]:
    """The genuine ones are believed, and say what they say every time."""
    found: list[str] = []
    verified: list[Verified] = []
    for callback in evidence.genuine:
        verdict = _verify(evidence, callback)
        if isinstance(verdict, Verified):
            verified.append(verdict)
            continue
        found.append(f"verify() refused a genuine callback: {getattr(verdict, 'why', verdict)}")
    for one in verified:
        found += _parses(evidence, one)
    first = [_says(evidence, one.callback) for one in verified]
    again = [_says(evidence, one.callback) for one in reversed(verified)]
    if first != again[::-1]:
        found.append("parse() depends on the order in which callbacks come")
    for callback, said in evidence.golden:
        found += _as_golden(evidence, callback, said)
    return list(dict.fromkeys(found))


def _as_golden(evidence: Evidence, callback: Callback, said: Sequence[Receipt | Inbound]) -> Iterator[str]:
    verified = Verified(callback, evidence.now)
    heard: list[Receipt | Inbound] = [*evidence.channel.parse(evidence.settings, verified)]
    heard += evidence.channel.parse_inbound(evidence.settings, verified)
    wanted = sorted(said, key=lambda one: one.key)
    heard.sort(key=lambda one: one.key)
    if len(wanted) != len(heard):
        yield f"a golden callback says {len(wanted)} things, found {len(heard)}: {heard!r}"
        return
    for want, got in zip(wanted, heard, strict=True):
        if (got if want.raw else replace(got, raw="")) != want:
            yield f"a golden callback says {want!r}, found {got!r}"


def _parses(evidence: Evidence, verified: Verified) -> Iterator[str]:
    channel, settings = evidence.channel, evidence.settings
    try:
        receipts, inbound = channel.parse(settings, verified), channel.parse_inbound(settings, verified)
        if receipts != channel.parse(settings, verified):
            yield "parse() gives another answer the second time; it must be pure, keys included"
        later = replace(verified, received_at=verified.received_at + _HOUR)
        repeated = channel.parse(settings, later)
        if [one.key for one in repeated] != [one.key for one in receipts]:
            yield "the same callback told again later has other keys, so it would count twice"
        if [one.key for one in channel.parse_inbound(settings, later)] != [one.key for one in inbound]:
            yield "the same inbound message told again later has another key, so it would count twice"
    except Exception as error:
        yield f"parse() raised {error!r} for a genuine callback"
        return
    yield from malformed(channel, receipts)
    yield from malformed_inbound(inbound)
    yield from _unknown(evidence, verified)
    yield from _mutated(evidence, verified, receipts)
    yield from _in_thousands(evidence, verified, receipts)


def _unknown(evidence: Evidence, verified: Verified) -> Iterator[str]:
    for body in (b'{"kind": "never-seen-before"}', b'[{"kind": "never-seen-before"}]', b"\xff\0", b"null"):
        strange = replace(verified, callback=replace(verified.callback, body=body, query={}))
        said = _parse(evidence, strange, f"for {body!r}, but return an unmapped receipt")
        if isinstance(said, str):
            yield said
        elif {receipt.kind for receipt in said} != {ReceiptKind.UNMAPPED}:
            kinds = ", ".join(sorted({receipt.kind for receipt in said})) or "nothing"
            yield f"parse() must make an unmapped receipt of {body!r}, found {kinds}"


def _parse(evidence: Evidence, verified: Verified, about: str) -> list[Receipt] | str:
    try:
        receipts = evidence.channel.parse(evidence.settings, verified)
    except Exception as error:
        return f"parse() raised {error!r}; it must never raise {about}"
    try:
        evidence.channel.parse_inbound(evidence.settings, verified)
    except Exception as error:
        return f"parse_inbound() raised {error!r}; it must never raise {about}"
    return receipts


def _mutated(evidence: Evidence, verified: Verified, receipts: list[Receipt]) -> Iterator[str]:
    for what, body, same in payloads.mutations(verified.callback.body):
        strange = replace(verified, callback=replace(verified.callback, body=body))
        said = _parse(evidence, strange, f"{WHEN}for a payload {what}")
        if isinstance(said, str):
            yield said
            continue
        known = evidence.channel.capabilities.observes | {ReceiptKind.UNMAPPED}
        if odd := sorted({one.kind for one in said} - known):
            told = f"parse() brings {', '.join(odd)}, which capabilities.observes does not name"
            yield f"{told}{WHEN}for a payload {what}"
        if same and _facts(said) != _facts(receipts):
            yield f"parse() hears something else{WHEN}for a payload {what}"


def _facts(receipts: Sequence[Receipt]) -> list[tuple[str, ...]]:
    return sorted(
        (one.kind, one.provider_id or "", one.reference or "", one.reason or "", one.code) for one in receipts
    )


def _in_thousands(evidence: Evidence, verified: Verified, receipts: list[Receipt]) -> Iterator[str]:
    body = payloads.repeated(verified.callback.body, _MANY)
    started = time.process_time()
    if body is None:
        for _ in range(_MANY // max(1, len(receipts))):
            evidence.channel.parse(evidence.settings, verified)
    else:
        many = replace(verified, callback=replace(verified.callback, body=body))
        said = _parse(evidence, many, f"for a payload of {_MANY} receipts")
        if isinstance(said, str):
            yield said
        elif {one.key for one in said} != {one.key for one in receipts}:
            yield "in a long payload the same facts have other keys than in a short one"
    if time.process_time() - started > _MANY_SECONDS:
        yield f"parse() takes more than {_MANY_SECONDS:.0f} seconds for {_MANY} receipts"
