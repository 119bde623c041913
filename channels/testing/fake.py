"""The fake provider: a channel like any other, whose people live in a hash function.

Its memory lives in the process. After a restart the receipts that it had not told yet are lost, as if the
messages had vanished in the network; what became of each send is the same as before.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

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
from channels.testing.callbacks import parse_callback, verify_callback
from channels.testing.fates import FakeSettings, fate
from channels.testing.ledger import Ledger
from channels.testing.script import Hang, Script

_EMAIL_FIELDS = ("subject", "html", "text", "from_address", "from_name", "reply_to")
_OTHER_FIELDS = ("title", "text", "url")


def fake_capabilities(channel: str, batch_size: int = 1) -> Capabilities:
    """What the fake provider can do on a channel: take any text, tell of everything, drop doubles."""
    fields = _EMAIL_FIELDS if channel == "email" else _OTHER_FIELDS
    return Capabilities(
        content={name: ContentField() for name in fields},
        observes=frozenset(
            {
                *(ReceiptKind.DELIVERED, ReceiptKind.BOUNCED, ReceiptKind.OPENED, ReceiptKind.CLICKED),
                *(ReceiptKind.UNSUBSCRIBED, ReceiptKind.COMPLAINED, ReceiptKind.REPLIED),
            }
        ),
        native_idempotency=True,
        on_unknown=OnUnknown.RESEND_SAME_KEY,
        batch_size=batch_size,
    )


class FakeChannel(BaseChannel[FakeSettings]):
    """A channel without a provider. `script` makes chosen sends go wrong; `remember` bounds its memory."""

    title = "Fake provider"
    contract_version = CONTRACT_VERSION
    settings = FakeSettings

    def __init__(
        self,
        *,
        key: str = "fake",
        channel: str = "email",
        capabilities: Capabilities | None = None,
        batch_size: int = 1,
        script: Script | None = None,
        remember: int = 100_000,
    ) -> None:
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
        outcome, receipts = fate(settings, message)
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


@hookimpl
def register_channels() -> Iterable[AnyChannel]:
    return [FakeChannel()]
