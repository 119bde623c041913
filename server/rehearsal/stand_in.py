"""Stand-ins for connections: they take every message over, remember what it says, and tell nobody."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict

from channels.contract import (
    CONTRACT_VERSION,
    Accepted,
    BaseChannel,
    Capabilities,
    ContentField,
    Message,
    OnUnknown,
    Outcome,
    ReceiptKind,
    Rejected,
    Tools,
)
from channels.reasons import Reason
from server.delivery.lending import Lender
from server.delivery.links import Tracked, Tracking

from .plan import Plan

UNSUBSCRIBE = "https://rehearsal.invalid/unsubscribe"
"""What a rehearsed message says instead of its signed link."""
OBSERVES = frozenset(
    {
        *(ReceiptKind.DELIVERED, ReceiptKind.BOUNCED, ReceiptKind.OPENED, ReceiptKind.CLICKED),
        *(ReceiptKind.UNSUBSCRIBED, ReceiptKind.COMPLAINED),
    }
)
"""What can be heard of a rehearsed message."""


class NoSettings(BaseModel):
    model_config = ConfigDict(frozen=True)


@dataclass(slots=True)
class Mailbag:
    """Everything that the stand-ins were handed."""

    messages: dict[str, Message] = field(default_factory=dict)
    """By reference."""
    steps: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By reference: the step that a message comes from, and its channel."""
    fresh: list[str] = field(default_factory=list)
    """References of those taken over that nobody has looked at yet."""
    _handed: Counter[str] = field(default_factory=Counter)

    def take(self, plan: Plan, message: Message) -> Outcome:
        self.messages[message.reference] = message
        self._handed[message.to] += 1
        rates = plan.rates_for(*self.steps.get(message.reference, ("", "")))
        if plan.draw("refused", message.to, self._handed[message.to]) < rates.refused:
            return Rejected(Reason.INVALID_RECIPIENT, "550", "refused, as the rehearsal's rates say")
        self.fresh.append(message.reference)
        return Accepted(f"rehearsal-{message.reference}")


class StandInChannel(BaseChannel[NoSettings]):
    title = "Stand-in"
    contract_version = CONTRACT_VERSION
    settings = NoSettings

    def __init__(self, plan: Plan, bag: Mailbag, channel: str, fields: Iterable[str]) -> None:
        self.key, self.channel = key_of(channel), channel
        self._plan, self._bag = plan, bag
        self.capabilities = Capabilities(
            content={name: ContentField() for name in fields},
            observes=OBSERVES,
            on_unknown=OnUnknown.RESEND_SAME_KEY,
            native_idempotency=True,
            batch_size=200,
        )

    def open(self, settings: NoSettings, tools: Tools) -> "StandInSender":
        return StandInSender(self._plan, self._bag)


class StandInSender:
    def __init__(self, plan: Plan, bag: Mailbag) -> None:
        self._plan, self._bag = plan, bag

    async def send(self, message: Message) -> Outcome:
        return self._bag.take(self._plan, message)

    async def send_many(self, messages: Sequence[Message]) -> list[Outcome]:
        return [self._bag.take(self._plan, message) for message in messages]

    async def aclose(self) -> None:
        """Nothing is open."""


def key_of(channel: str) -> str:
    return f"stand-in-{channel}"


@dataclass(slots=True)
class NoWayOut(Lender):
    """Lends adapters the time, and a client that reaches nobody."""

    _nobody: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        self._nobody = httpx.AsyncClient(transport=httpx.MockTransport(_refuse), trust_env=False)

    def tools(self, connection_id: int) -> Tools:
        return Tools(self.clock.now, self._nobody, str(connection_id), public_http=self._nobody)

    async def aclose(self) -> None:
        await self._nobody.aclose()


def _refuse(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("A rehearsal reaches nobody.", request=request)


class UntrackedLinks(Tracking):
    """Leaves links as they were written, so that whoever reads a rehearsed message can read them."""

    def unsubscribe_url(self, project_id: str, shard: int, message_id: str) -> str:
        return UNSUBSCRIBE

    def track_html(self, html: str, **about: Any) -> Tracked:
        return Tracked(html, ())

    def track_text(self, text: str, **about: Any) -> Tracked:
        return Tracked(text, ())
