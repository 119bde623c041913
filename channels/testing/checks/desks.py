"""A relay's desk: what it says that it does is done, everything else is refused, and nothing breaks it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeAlias

from channels.alimtalk.desk import Desk, DeskCan, DeskError, Does, Registered, WithDesk
from channels.contract import Callback, Tools, Verified
from channels.reasons import Reason
from channels.testing.checks import desk_reviews
from channels.testing.evidence import WHEN, Evidence

Asked: TypeAlias = Callable[[Desk], Awaitable[object]]

ASKS: dict[Does, Asked] = {
    Does.CANCEL: lambda desk: desk.cancel_request("no-such-code"),
    Does.STOP: lambda desk: desk.stop("no-such-code"),
    Does.REUSE: lambda desk: desk.reuse("no-such-code"),
    Does.CANCEL_APPROVAL: lambda desk: desk.cancel_approval("no-such-code"),
    Does.RELEASE: lambda desk: desk.release("no-such-code"),
    Does.DELETE: lambda desk: desk.delete("no-such-code"),
    Does.COMMENT: lambda desk: desk.comment("no-such-code", "hello"),
    Does.REQUEST: lambda desk: desk.request_review("no-such-code"),
    Does.REGISTER_PROFILE: lambda desk: desk.ask_token("@nobody", "01012345678", "00100010001"),
    Does.GROUPS: lambda desk: desk.groups(),
    Does.CATEGORIES: lambda desk: desk.template_categories(),
    Does.BALANCE: lambda desk: desk.balance(),
}
"""One question for each thing that a desk may be able to do."""
ALWAYS: dict[str, Asked] = {
    "profiles()": lambda desk: desk.profiles(),
    "templates()": lambda desk: desk.templates(),
}
_ANSWERS = [(status, b"") for status in (401, 403, 429, 500, 502, 503, 504)] + [
    *((200, body) for body in (b"", b"<html>", b"null", b"7", b'"x"', b"\xff\xfe")),
    *((500, body) for body in (b'{"error": []}', b'{"error": {"message": 7}}', b"[1]")),
]
_BODIES = (
    b"",
    b"\xff",
    b"null",
    b"7",
    b"[]",
    b"[7]",
    b"{}",
    b'{"hooks": [7]}',
    b'{"data": {"templateId": 7}}',
)


async def desk(evidence: Evidence, tools: Tools) -> list[str]:
    channel = evidence.channel
    if not isinstance(channel, WithDesk):
        return ["evidence of a desk is given, and the channel has none"] if evidence.desk else []
    found = [*_data(evidence, channel.desk_can), *_news(evidence)]
    opened = channel.open_desk(evidence.settings, tools)
    if evidence.tells_a_secret(repr(opened)):
        found.append("a secret can be read in the desk's repr")
    found += await _refuses(opened, channel.desk_can)
    found += await _outages(evidence, tools)
    if evidence.desk:
        try:
            asked = opened, channel.desk_can, evidence.desk, evidence.settings
            async for one in desk_reviews.reviews(*asked):
                found.append(one)
        except DeskError as error:
            found.append(f"the desk said no where its own evidence says that it can: {error}")
    await opened.aclose()
    await opened.aclose()
    return found


def _data(evidence: Evidence, can: DeskCan) -> Iterator[str]:
    setting = can.more.get("profile_setting")
    if setting is not None and setting not in evidence.channel.settings.model_fields:
        yield f"desk_can.more names the profile_setting {setting!r}, which the settings do not have"
    if Does.REGISTER_PROFILE in can.does and setting is None:
        yield "a desk that registers profiles names in desk_can.more the profile_setting that holds their key"
    if Does.ATTACH in can.does and not can.does & {Does.COMMENT, Does.REQUEST}:
        yield "a desk that takes attachments takes them with a comment or a request"
    try:
        json.dumps(can.more)
    except (TypeError, ValueError):
        yield "desk_can.more must be plain JSON values"


def _news(evidence: Evidence) -> Iterator[str]:
    # Typed loosely: a check has to doubt what a type promises.
    channel: Any = evidence.channel
    genuine = [*evidence.genuine, *(Callback("POST", "/", {}, {}, body) for body in _BODIES)]
    for callback in genuine:
        try:
            told = channel.template_news(evidence.settings, Verified(callback, evidence.now))
        except Exception as error:
            yield f"template_news() raised {error!r}{WHEN}of {callback.body[:40]!r}"
            continue
        if not isinstance(told, list) or not all(isinstance(one, Registered) for one in told):
            yield f"template_news() must return a list of Registered{WHEN}of {callback.body[:40]!r}"


async def _refuses(opened: Desk, can: DeskCan) -> list[str]:
    """What the desk does not claim it refuses itself, in words."""
    found = []
    for does, ask in ASKS.items():
        if does in can.does:
            continue
        error = await _error_of(ask, opened)
        if not isinstance(error, DeskError) or error.reason is not Reason.NOT_PERMITTED:
            found.append(
                f"desk_can does not say {does.value}, so that must raise not_permitted, not {error!r}"
            )
        elif not error.text.strip():
            found.append(f"what refuses {does.value} must say where it is done instead")
    return found


async def _outages(evidence: Evidence, tools: Tools) -> list[str]:
    """A relay that is down, or answers nonsense, raises DeskError and nothing else."""
    import httpx

    channel: Any = evidence.channel
    can: DeskCan = channel.desk_can
    # Which groups there are may stand in the settings.
    claimed = {does: ask for does, ask in ASKS.items() if does in can.does - {Does.GROUPS}}
    asks = {**ALWAYS, **{f"what does {does.value}": ask for does, ask in claimed.items()}}

    def nobody(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused", request=request)

    found = await _each(evidence, asks, "is down", nobody)
    for status, body in _ANSWERS:
        when = f"answers {status} {body[:20]!r}"
        found += await _each(evidence, ALWAYS, when, _saying(status, body))
    return found


def _saying(status: int, body: bytes) -> Callable[[Any], Any]:
    import httpx

    return lambda request: httpx.Response(status, content=body, request=request)


async def _each(
    evidence: Evidence, asks: dict[str, Asked], when: str, handler: Callable[[Any], Any]
) -> list[str]:
    import httpx

    channel: Any = evidence.channel
    found = []
    async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as http:
        opened = channel.open_desk(evidence.settings, evidence.tools_with(http))
        for name, ask in asks.items():
            error = await _error_of(ask, opened)
            if not isinstance(error, DeskError):
                found.append(f"{name} must raise DeskError, not {error!r}{WHEN}the relay {when}")
            elif evidence.tells_a_secret(str(error)):
                found.append(f"the error of {name} tells a secret{WHEN}the relay {when}")
    return found


async def _error_of(ask: Asked, opened: Desk) -> BaseException | None:
    try:
        await ask(opened)
    except Exception as error:
        return error
    return None
