"""The fake provider: a channel like any other, whose people live in a hash function.

Its memory lives in the process. After a restart the receipts that it had not told yet are lost, as if the
messages had vanished in the network; what became of each send is the same as before.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from channels.contract import (
    CONTRACT_VERSION,
    Accepted,
    AnyChannel,
    BaseChannel,
    Callback,
    Capabilities,
    ContentField,
    Cursor,
    Deferred,
    Inbound,
    Instant,
    Message,
    OnUnknown,
    Outcome,
    Receipt,
    ReceiptKind,
    Refused,
    Rejected,
    Tools,
    Unknown,
    Verified,
)
from channels.hookspecs import hookimpl
from channels.reasons import Reason
from channels.testing.callbacks import parse_callback, parse_written, verify_callback
from channels.testing.fates import FakeSettings, fate
from channels.testing.ledger import Ledger
from channels.testing.lives import Lives
from channels.testing.script import Hang, Script

FIELDS = {
    "email": ("subject", "html", "text", "from_name", "reply_to"),
    "push": ("title", "text", "url", "image_url"),
    "sms": ("text", "title", "image_url"),
    "whatsapp": ("template", "language", "text", "media_url"),
    "kakao": ("template", "text", "title"),
    "in_app": ("title", "text", "url", "image_url"),
    "webhook": ("text",),
}
"""The content fields of every channel, named alike by all adapters of it."""

_LONGEST_TEXT = 500
_OTHER_FIELDS = ("title", "text", "url")


class FakeOptions(BaseModel):
    """What a message can tell the fake provider besides. It is kept, and nothing follows from it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tag: str = ""
    data: dict[str, Any] = {}


def fake_capabilities(channel: str, batch_size: int = 1) -> Capabilities:
    """What the fake provider can do on a channel: take any text, tell of everything, drop doubles."""
    return Capabilities(
        content={name: ContentField() for name in FIELDS.get(channel, _OTHER_FIELDS)},
        observes=frozenset(
            {
                *(ReceiptKind.DELIVERED, ReceiptKind.BOUNCED, ReceiptKind.OPENED, ReceiptKind.CLICKED),
                *(ReceiptKind.UNSUBSCRIBED, ReceiptKind.COMPLAINED, ReceiptKind.REPLIED),
            }
        ),
        native_idempotency=True,
        on_unknown=OnUnknown.RESEND_SAME_KEY,
        inbound=True,
        batch_size=batch_size,
    )


class FakeChannel(BaseChannel[FakeSettings]):
    """A channel without a provider. `script` makes chosen sends go wrong; `remember` bounds its memory."""

    title = "Fake provider"
    contract_version = CONTRACT_VERSION
    settings = FakeSettings
    options: type[BaseModel] | None = FakeOptions

    def __init__(
        self,
        *,
        key: str = "fake",
        channel: str = "email",
        capabilities: Capabilities | None = None,
        batch_size: int = 1,
        script: Script | None = None,
        remember: int = 100_000,
        lives: Lives | None = None,
    ) -> None:
        """`lives` decide by address who is refused or fails later, and why; the settings decide the rest."""
        self.key = key
        self.channel = channel
        self.capabilities = capabilities or fake_capabilities(channel, batch_size)
        self.attempts: deque[Message] = deque(maxlen=remember)
        """Every message of every call, whatever became of it."""
        self.batches: deque[int] = deque(maxlen=remember)
        """How many messages each call of `send_many` carried."""
        self.asked: deque[str] = deque(maxlen=remember)
        """The references that `ask` was called with."""
        self._turns = 0
        self._script = script or Script()
        self._remember = remember
        self._lives = lives
        self._ledgers: dict[str, Ledger] = {}

    @property
    def sends(self) -> list[Message]:
        """What the provider took over, each reference once: what people would have received."""
        return [message for ledger in self._ledgers.values() for message in ledger.messages.values()]

    def sends_of(self, connection: str) -> Mapping[str, Message]:
        """What the provider took over on one connection, by reference."""
        return self._ledger(connection).messages

    def open(self, settings: FakeSettings, tools: Tools) -> "FakeSender":
        return FakeSender(self, settings, self._ledger(tools.connection))

    def verify(self, settings: FakeSettings, callback: Callback, now: Instant) -> Verified | Refused:
        return verify_callback(settings, callback, now)

    def parse(self, settings: FakeSettings, verified: Verified) -> list[Receipt]:
        return parse_callback(verified)

    def parse_inbound(self, settings: FakeSettings, verified: Verified) -> list[Inbound]:
        return parse_written(verified)

    async def poll(
        self, settings: FakeSettings, tools: Tools, cursor: Cursor
    ) -> tuple[list[Receipt], Cursor]:
        return self._ledger(tools.connection).tell(cursor, tools.clock())

    def _ledger(self, connection: str) -> Ledger:
        if connection not in self._ledgers:
            self._ledgers[connection] = Ledger(self._remember)
        return self._ledgers[connection]

    async def _answer(self, settings: FakeSettings, ledger: Ledger, message: Message) -> Outcome:
        self.attempts.append(message)
        self._turns += 1
        fault = self._script.fault(message, self._turns)
        if isinstance(fault, BaseException):
            raise fault
        if isinstance(fault, Hang) and not fault.after_leaving:
            await fault.wait()
        if isinstance(fault, Rejected | Deferred):
            return fault
        if why := _unknown_option(message):
            return Rejected(Reason.REQUEST_INVALID, "options", why)
        outcome, receipts = fate(settings, message, self._lives(message.to) if self._lives else None)
        if isinstance(fault, Accepted | Unknown):
            outcome = fault
        if isinstance(outcome, Accepted | Unknown):
            ledger.take_over(message, receipts)
        if isinstance(fault, Hang) and fault.after_leaving:
            await fault.wait()
        return outcome


class FakeSender:
    """Hands messages to the people in the hash function."""

    def __init__(self, channel: FakeChannel, settings: FakeSettings, ledger: Ledger) -> None:
        self._channel, self._settings, self._ledger = channel, settings, ledger

    async def send(self, message: Message) -> Outcome:
        return await self._channel._answer(self._settings, self._ledger, message)

    async def send_many(self, messages: Sequence[Message]) -> list[Outcome]:
        """One after the other; a fault that raises ends the whole call."""
        self._channel.batches.append(len(messages))
        return [await self.send(message) for message in messages]

    async def ask(self, reference: str) -> Outcome:
        """What was taken over is known; of anything else nothing has arrived."""
        self._channel.asked.append(reference)
        if reference in self._ledger.messages:
            return Accepted(f"fake-{reference}", "250", "2.0.0 taken over before")
        return Deferred(0, Reason.PROVIDER_ERROR, text="not known here")

    async def aclose(self) -> None:
        """Nothing is open."""


def _unknown_option(message: Message) -> str:
    try:
        FakeOptions.model_validate(dict(message.options))
    except ValidationError as error:
        return str(error)[:_LONGEST_TEXT]
    return ""


@hookimpl
def register_channels() -> Iterable[AnyChannel]:
    return [FakeChannel()]
