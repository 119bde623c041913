"""What the tests of all relays share: a clock that is moved by hand, messages in Korean, and everything a
relay has to tell by being asked."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from channels import Message, Tools
from channels.contract import AnyChannel, Cursor, Receipt
from channels.testing.check import NOW
from channels.testing.providers import FakeProvider, client_of

MINUTE = 60_000


@dataclass
class Clock:
    at: int = NOW

    def __call__(self) -> int:
        return self.at


def a_message(
    reference: str = "m-1",
    to: str = "+821012345678",
    *,
    variables: Mapping[str, str] | None = None,
    options: Mapping[str, Any] | None = None,
    **content: str,
) -> Message:
    return Message(
        reference,
        to,
        {"template": "WELCOME_01", "text": "민아님, 소전에 오신 것을 환영합니다.", **content},
        NOW,
        variables={"이름": "민아"} if variables is None else variables,
        options=options or {},
    )


@dataclass
class World:
    """A relay and its channel, with one connection open."""

    provider: FakeProvider
    channel: AnyChannel
    settings: Any
    clock: Clock
    tools: Tools
    cursor: Cursor = None
    heard: list[Receipt] = field(default_factory=list)

    def open(self) -> Any:
        return self.channel.open(self.settings, self.tools)

    def sent(self, path: str = "messages") -> list[dict[str, Any]]:
        """The bodies of the requests to send that arrived."""
        return [
            json.loads(body)
            for method, where, _, body in self.provider.requests
            if method == "POST" and path in where
        ]

    async def listen(self) -> list[Receipt]:
        """Everything that polling tells now."""
        found: list[Receipt] = []
        for _ in range(100):
            receipts, cursor = await self.channel.poll(self.settings, self.tools, self.cursor)
            if cursor == self.cursor:
                return found
            self.cursor = cursor
            found += receipts
        raise AssertionError("polling does not come to an end")


@asynccontextmanager
async def a_world(
    provider: FakeProvider, channel: AnyChannel, settings: Any, clock: Clock
) -> AsyncIterator[World]:
    async with client_of(provider) as http:
        yield World(provider, channel, settings, clock, Tools(clock=clock, http=http))
