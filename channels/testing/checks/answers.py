"""Every answer that HTTP can give, and every way of giving none, to the requests that the adapter makes.

The request that carries the message is the last one of a send that ended well; what comes before it, such as
a login, is let through. Without such a send all requests are answered alike, and less can be concluded.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias
from urllib.parse import unquote_plus

import httpx

from channels.contract import (
    Accepted,
    BaseChannel,
    Deferred,
    Outcome,
    Problem,
    ReceiptKind,
    Rejected,
    Tools,
    Unknown,
)
from channels.errors import PollFailed
from channels.reasons import ReasonClass
from channels.testing.checks.sending import send
from channels.testing.evidence import WHEN, Evidence

_HTML = b"<html><body><h1>It works!</h1></body></html>"
_BODIES = (b"", _HTML, b"{}", b"[]", b"null", b'"no"', b'{"error": null}', b"\xff\xfe\0")
_OVERSIZE = b'{"text": "' + b"x" * 2_000_000 + b'"}'
_OFTEN = (400, 401, 403, 404, 409, 429, 500, 503)
_RETRY_SECONDS = 17

Answer: TypeAlias = Callable[[httpx.Request], httpx.Response]
_BEFORE: tuple[type[httpx.RequestError], ...] = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_AFTER: tuple[type[httpx.RequestError], ...] = (
    *(httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError, httpx.WriteError, httpx.WriteTimeout),
    *(httpx.CloseError, httpx.DecodingError),
)


@dataclass(frozen=True)
class Case:
    """One thing that can happen, and what is no sound outcome of it."""

    name: str
    answer: Answer
    unsound: Callable[[Outcome, int], str | None]


class Line(httpx.AsyncBaseTransport):
    """Stands between an adapter and the given client: listens, and answers some requests itself."""

    def __init__(self, onward: httpx.AsyncClient | None) -> None:
        self._onward = onward
        self.heard: list[httpx.Request] = []
        self.answer: Answer | None = None
        self.only: tuple[str, str] | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.heard.append(request)
        if self.answer is not None and self.only in (None, name_of(request)):
            return self.answer(request)
        if self._onward is None:
            raise httpx.ConnectError(f"no network in a check: {request.url.host}", request=request)
        given = await self._onward.send(request)
        headers = {name: value for name, value in given.headers.items() if name not in _OF_THE_WAY}
        return httpx.Response(given.status_code, headers=headers, content=given.content)


# The body was unpacked on its way to us.
_OF_THE_WAY = ("content-encoding", "content-length", "transfer-encoding")


def name_of(request: httpx.Request) -> tuple[str, str]:
    # Without the last part of the path, which may be the message's own.
    return request.method, f"{request.url.host}{request.url.path.rpartition('/')[0]}"


async def answers(evidence: Evidence) -> list[str]:
    line = Line(evidence.tools.http if evidence.tools else None)
    async with httpx.AsyncClient(transport=line) as http:
        tools = evidence.tools_with(http)
        findings: list[str] = []
        sender = evidence.channel.open(evidence.settings, tools)
        message = replace(evidence.sample, reference="check-line")
        outcome = await send(evidence, sender, message, tools, findings)
        await sender.aclose()
        if line.heard:
            findings += _secrets_on_the_way(evidence, line)
            strict = isinstance(outcome, Accepted)
            line.only = name_of(line.heard[-1]) if strict else None
            findings += await _try_all(evidence, line, tools, strict)
        findings += await _probes(evidence, line, tools)
        findings += await _polls(evidence, line, tools)
    return findings


def _secrets_on_the_way(evidence: Evidence, line: Line) -> Iterator[str]:
    for request in line.heard:
        if evidence.tells_a_secret(unquote_plus(str(request.url))):
            yield f"a secret is in the address of a request to {request.url.host}, where logs will keep it"


async def _try_all(evidence: Evidence, line: Line, tools: Tools, strict: bool) -> list[str]:
    findings: list[str] = []
    resends = evidence.channel.capabilities.native_idempotency
    for number, case in enumerate(_cases(strict, resends)):
        line.answer = case.answer
        sender = evidence.channel.open(evidence.settings, tools)
        message = replace(evidence.sample, reference=f"check-answer-{number}")
        outcome = await send(evidence, sender, message, tools, findings, when=f"when {case.name}")
        await sender.aclose()
        if outcome is not None and (why := case.unsound(outcome, tools.clock())):
            findings.append(f"{why}; found {_short(outcome)}{WHEN}when {case.name}")
    return findings


def _short(outcome: Outcome) -> str:
    reason = "" if isinstance(outcome, Accepted) else f" for the reason {outcome.reason}"
    return f"{type(outcome).__name__}{reason}"


def _cases(strict: bool, resends: bool) -> Iterator[Case]:
    bodies = itertools.cycle(_BODIES)
    for status in range(400, 600):
        for body in _BODIES if status in _OFTEN else (next(bodies),):
            yield Case(_named(status, body), _status(status, body), _refusal(status))
    later = {"retry-after": str(_RETRY_SECONDS)}
    yield Case(
        f"the answer is 429 with Retry-After: {_RETRY_SECONDS}", _status(429, b"{}", later), _not_before_asked
    )
    for headers in ({"retry-after": "soon"}, {"retry-after": "9" * 30}, {"retry-after": "-5"}):
        yield Case(f"the answer is 503 with {headers}", _status(503, b"", headers), _refusal(503))
    for fault in _BEFORE:
        yield Case(f"there is a {fault.__name__}", _raise(fault), _nothing_left)
    for fault in _AFTER:
        yield Case(f"there is a {fault.__name__}", _raise(fault), _may_have_left(resends or not strict))
    if strict:
        for body in (*_BODIES, _OVERSIZE):
            yield Case(_named(200, body), _status(200, body), _unreadable(resends))


def _named(status: int, body: bytes) -> str:
    return f"the answer is {status} with the body {body[:20]!r}"


def _status(status: int, body: bytes, headers: dict[str, str] | None = None) -> Answer:
    kind = "text/html" if body == _HTML else "application/json"
    return lambda request: httpx.Response(
        status, content=body, headers={"content-type": kind, **(headers or {})}
    )


def _raise(fault: type[httpx.RequestError]) -> Answer:
    def answer(request: httpx.Request) -> httpx.Response:
        raise fault("nobody there", request=request)

    return answer


def _refusal(status: int) -> Callable[[Outcome, int], str | None]:
    def unsound(outcome: Outcome, now: int) -> str | None:
        if isinstance(outcome, Accepted):
            return "the message was not taken over, so it must not be Accepted"
        if status == 401 and outcome.reason.policy.reason_class is not ReasonClass.SENDER:
            return "the provider does not know us: the reason must be of the class sender, e.g. auth_failed"
        if status == 429 and not isinstance(outcome, Deferred):
            return "the provider wants less, so it must be Deferred"
        if status >= 500 and isinstance(outcome, Rejected):
            return "the provider failed, and the message is not to blame: it must be Deferred or Unknown"
        return None

    return unsound


def _not_before_asked(outcome: Outcome, now: int) -> str | None:
    if isinstance(outcome, Deferred) and outcome.retry_at >= now + _RETRY_SECONDS * 1000:
        return None
    return f"it must be Deferred for at least {_RETRY_SECONDS} seconds"


def _nothing_left(outcome: Outcome, now: int) -> str | None:
    return None if isinstance(outcome, Deferred) else "nothing has left, so it must be Deferred"


def _may_have_left(resends: bool) -> Callable[[Outcome, int], str | None]:
    def unsound(outcome: Outcome, now: int) -> str | None:
        if isinstance(outcome, Unknown) or (resends and isinstance(outcome, Deferred)):
            return None
        return "the message may have left, so it must be Unknown"

    return unsound


def _unreadable(resends: bool) -> Callable[[Outcome, int], str | None]:
    def unsound(outcome: Outcome, now: int) -> str | None:
        # Where a status alone says it, and the id is our own or in a header, this may be a real acceptance.
        if isinstance(outcome, Accepted | Unknown) or (resends and isinstance(outcome, Deferred)):
            return None
        return "the provider may have taken it over, so it must be Unknown"

    return unsound


def _happenings() -> Iterator[tuple[str, Answer]]:
    yield "there is a ConnectError", _raise(httpx.ConnectError)
    yield "there is a ReadTimeout", _raise(httpx.ReadTimeout)
    # Not 404: some providers say so that there is nothing to tell.
    for status in (200, 400, 401, 403, 429, 500, 503):
        for body in _BODIES:
            yield _named(status, body), _status(status, body)


async def _probes(evidence: Evidence, line: Line, tools: Tools) -> list[str]:
    if getattr(type(evidence.channel), "probe", None) is BaseChannel.probe:
        return []
    line.only, findings = None, []
    for name, answer in _happenings():
        line.answer, before = answer, len(line.heard)
        try:
            problems = await evidence.channel.probe(evidence.settings, tools)
        except Exception as error:
            findings.append(f"probe() raised {error!r}; it must return problems{WHEN}when {name}")
            continue
        if not isinstance(problems, list) or not all(isinstance(one, Problem) for one in problems):
            findings.append("probe() must return a list of Problem")
        elif any(evidence.tells_a_secret(one.message) for one in problems):
            findings.append(f"probe() repeats a secret{WHEN}when {name}")
        elif not problems and "ConnectError" in name and len(line.heard) > before:
            findings.append("probe() finds no problem when it cannot connect")
    return findings


async def _polls(evidence: Evidence, line: Line, tools: Tools) -> list[str]:
    if getattr(type(evidence.channel), "poll", None) is BaseChannel.poll:
        return []
    line.only, findings = None, []
    for name, answer in _happenings():
        line.answer, before = answer, len(line.heard)
        try:
            receipts, _ = await evidence.channel.poll(evidence.settings, tools, None)
        except PollFailed as error:
            if evidence.tells_a_secret(str(error)):
                findings.append(f"poll() repeats a secret in its PollFailed{WHEN}when {name}")
            continue
        except Exception as error:
            findings.append(f"poll() raised {error!r}; it must raise PollFailed{WHEN}when {name}")
            continue
        if len(line.heard) > before and " 200 " not in name:
            findings.append(f"poll() must raise PollFailed; found {len(receipts)} receipts{WHEN}when {name}")
        elif any(one.kind is not ReceiptKind.UNMAPPED for one in receipts) and len(line.heard) > before:
            findings.append(f"poll() reads receipts out of nothing{WHEN}when {name}")
    return findings
