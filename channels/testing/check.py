"""Does a channel keep the contract? Plain async functions, for any test runner or none."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel

from channels.contract import AnyChannel, Callback, Message, Tools
from channels.errors import ContractBroken
from channels.testing.evidence import NOW, WHEN, Evidence, Golden

if TYPE_CHECKING:
    import httpx

__all__ = ["GROUPS", "NOW", "ChannelCheck", "check", "check_channel", "findings"]

S = TypeVar("S", bound=BaseModel)

_SHOWN = 3

GROUPS = {
    "identity": "names and capabilities fit together",
    "settings": "settings and options are models that keep secrets and refuse what they do not know",
    "imports": "importing it is quick and opens nothing",
    "sends": "every send ends in an outcome, however odd the message",
    "batches": "a batch has one outcome a message, in order",
    "answers": "every HTTP status and every fault of the network ends in a sound outcome",
    "callbacks": "genuine callbacks are believed and read, repeated, shuffled, cut off and misspelt",
    "forgeries": "nobody but the provider is believed",
    "polls": "polling goes on from its cursor",
    "claims": "what it claims to observe is shown",
    "desk": "its desk does what it says, says no to the rest, and never breaks",
    "dead_server": "a server that is down loses no message",
}
"""The groups of checks by name, and what each proves."""


async def check_channel(
    channel: AnyChannel,
    settings: S,
    *,
    tools: Tools | None = None,
    message: Message | None = None,
    callbacks: Sequence[Callback | Golden] = (),
    unreachable: S | None = None,
) -> None:
    """Check every promise of the contract that can be seen from outside, and raise `ContractBroken` with all
    the findings when one does not hold.

    Without `tools` there is no network: every HTTP request fails to connect, and the clock stands at `NOW`.
    `message` is one that the provider would take; without it one is made from the capabilities. It is sent,
    so let the settings or the tools lead to a test server. `callbacks` are genuine ones, signed for these
    settings at the tools' time; a pair of one and what it says is compared as well. `unreachable` are
    settings that lead to a server which is down. `check` takes more evidence than this.
    """
    await check(
        Evidence(
            channel=channel,
            settings=settings,
            tools=tools,
            message=message,
            callbacks=callbacks,
            unreachable=unreachable,
        )
    )


async def check(evidence: Evidence) -> None:
    """Check a channel by everything that can be shown for it. Raises `ContractBroken` with all findings."""
    found = [one for group in GROUPS for one in await findings(evidence, group)]
    if found:
        raise ContractBroken(evidence.channel.key, list(dict.fromkeys(found)))


@dataclass(frozen=True)
class ChannelCheck:
    """One group of checks over one channel: what the pytest plugin hands to a test."""

    evidence: Evidence
    group: str

    def __call__(self) -> None:
        """Run it to its end, outside of any running loop. Raises `ContractBroken` with what it found."""
        asyncio.run(self.run())

    async def run(self) -> None:
        """The same, inside a running loop."""
        if found := await findings(self.evidence, self.group):
            raise ContractBroken(self.evidence.channel.key, found)


async def findings(evidence: Evidence, group: str) -> list[str]:
    """What one group of checks found, a sentence each; nothing is good."""
    with _listening(evidence) as told:
        try:
            found = await _run(evidence, group)
        except Exception as error:
            found = [f"a defect of the channel ended the checks of {group}: {error!r}"]
    return _together(found + told)


def _together(found: list[str]) -> list[str]:
    """The findings, those that differ only in when they were found told as one."""
    times: dict[str, list[str]] = {}
    for one in found:
        what, _, when = one.partition(WHEN)
        times.setdefault(what, []).append(when)
    return [_told(what, list(dict.fromkeys(filter(None, whens)))) for what, whens in times.items()]


def _told(what: str, whens: list[str]) -> str:
    more = f", and {len(whens) - _SHOWN} times more" if len(whens) > _SHOWN else ""
    return what + (f" ({'; '.join(whens[:_SHOWN])}{more})" if whens else "")


async def _run(evidence: Evidence, group: str) -> list[str]:
    from channels.testing.checks import answers, callbacks, desks, identity, polling, sending

    alone: dict[str, Callable[[Evidence], Awaitable[list[str]]]] = {
        "identity": identity.identity,
        "settings": identity.settings,
        "imports": identity.imports,
        "answers": answers.answers,
        "callbacks": callbacks.callbacks,
        "forgeries": callbacks.forgeries,
    }
    if group in alone:
        return await alone[group](evidence)
    lent: dict[str, Callable[[Evidence, Tools], Awaitable[list[str]]]] = {
        "sends": sending.sends,
        "batches": sending.batches,
        "polls": polling.polls,
        "claims": polling.claims,
        "desk": desks.desk,
        "dead_server": sending.dead_server,
    }
    if evidence.tools:
        return await lent[group](evidence, evidence.tools)
    async with _no_network() as http:
        return await lent[group](evidence, evidence.tools_with(http))


def _no_network() -> httpx.AsyncClient:
    import httpx

    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError(f"no network in a check: {request.url.host}", request=request)

    return httpx.AsyncClient(transport=httpx.MockTransport(refuse))


class _Ear(logging.Handler):
    """Listens to what is logged, for secrets."""

    def __init__(self, evidence: Evidence, told: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self._evidence, self._told = evidence, told

    def emit(self, record: logging.LogRecord) -> None:
        line = logging.Formatter().format(record)
        finding = f"a secret is in the log {record.name!r}"
        if finding not in self._told and self._evidence.tells_a_secret(line):
            self._told.append(finding)


@contextmanager
def _listening(evidence: Evidence) -> Iterator[list[str]]:
    """Hears the channel's own loggers at any level, and of everybody else's what they say anyway: the
    libraries that speak HTTP/2 write all headers at DEBUG, which is no fault of the channel."""
    told: list[str] = []
    ear = _Ear(evidence, told)
    names = {"channels", type(evidence.channel).__module__}
    names |= {evidence.tools.log.name} if evidence.tools else set()
    own = [logging.getLogger(name) for name in names]
    levels = [one.level for one in own]
    for logger in (logging.getLogger(), *own):
        logger.addHandler(ear)
    for logger in own:
        logger.setLevel(logging.DEBUG)
    try:
        yield told
    finally:
        for logger in (logging.getLogger(), *own):
            logger.removeHandler(ear)
        for logger, level in zip(own, levels, strict=True):
            logger.setLevel(level)
