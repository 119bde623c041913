"""The Cloud API of the tests, with one connection to it and a clock that is moved by hand."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from channels import Callback, Inbound, Message, Receipt, Tools, Verified
from channels.testing import NOW
from channels.testing.providers import client_of

from sojourn_whatsapp import WhatsAppCloudChannel, WhatsAppSender, WhatsAppSettings
from sojourn_whatsapp.testing import FakeTemplate, FakeWhatsAppCloud

MINUTE = 60_000
HOUR = 60 * MINUTE
CHANNEL = WhatsAppCloudChannel()
SETTINGS = WhatsAppSettings.model_validate(
    {
        "access_token": "EAAG-a-token-for-tests",
        "phone_number_id": "106540352242922",
        "app_secret": "an app secret for tests",
        "verify_token": "a verify token for tests",
    }
)
TEMPLATES = {
    ("order_paid", "ko"): FakeTemplate(("1", "2")),
    ("order_named", "en_US"): FakeTemplate(("first_name", "order"), "marketing"),
    ("hello", "ko"): FakeTemplate(),
}


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
    """A template with its two values, unless it is told otherwise."""
    if not content:
        content, variables = {"template": "order_paid"}, variables or {"1": "민아", "2": "꽃신"}
    return Message(reference, to, content, NOW, variables=variables or {}, options=options or {})


@dataclass
class World:
    """The fake, and one open connection to it."""

    meta: FakeWhatsAppCloud
    clock: Clock
    tools: Tools
    settings: WhatsAppSettings = SETTINGS

    def open(self) -> WhatsAppSender:
        return CHANNEL.open(self.settings, self.tools)

    def sent(self) -> list[dict[str, Any]]:
        """The bodies of the messages that arrived."""
        return [json.loads(body) for method, _, _, body in self.meta.requests if method == "POST"]

    def hear(self, callback: Callback | None = None) -> list[Receipt]:
        """What a callback says; without one, of everything that is due by now."""
        callback = callback or self.meta.callback(self.meta.due(self.clock.at), self.clock.at)
        return CHANNEL.parse(self.settings, self.proved(callback))

    def read(self, callback: Callback) -> list[Inbound]:
        return CHANNEL.parse_inbound(self.settings, self.proved(callback))

    def proved(self, callback: Callback) -> Verified:
        verdict = CHANNEL.verify(self.settings, callback, self.clock.at)
        assert isinstance(verdict, Verified), verdict
        return verdict


@asynccontextmanager
async def a_world() -> AsyncIterator[World]:
    clock = Clock()
    meta = FakeWhatsAppCloud(clock, templates=TEMPLATES)
    async with client_of(meta) as http:
        yield World(meta, clock, Tools(clock=clock, http=http))
