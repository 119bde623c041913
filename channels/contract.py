"""What a channel is: a handful of frozen records, the protocols `Sender` and `Channel`, and a base class.

Everything an adapter is handed and everything it hands back is defined here. The records hold plain values,
so that they can be stored, compared and replayed. This module imports the standard library only.

Times are `Instant`: int milliseconds since the epoch, UTC.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeAlias, TypeVar

from channels.reasons import Reason

if TYPE_CHECKING:
    import httpx
    from pydantic import BaseModel

CONTRACT_VERSION = 1
"""The version of this contract. A channel names the one it was written for; the host refuses any other."""

_DEAREST = 10**10
_CURRENCY = re.compile("[A-Z]{3}")
Instant: TypeAlias = int
Cursor: TypeAlias = str | None
"""Where the next `poll` goes on. Opaque to the server, which stores it; None is the very beginning."""

S = TypeVar("S", bound="BaseModel")


# What goes out


class Purpose(StrEnum):
    """What a message is for. Law and consent tell the two apart, and so do providers."""

    INFORMATION = "information"
    ADVERTISEMENT = "advertisement"


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one address, rendered and ready to leave."""

    reference: str
    """Ours, and the same at every attempt: hand it to the provider as idempotency key where there is one."""
    to: str
    """The address: an e-mail address, a number as `+821012345678`, a device's token without its scheme …"""
    content: Mapping[str, str]
    """The rendered fields of the channel, e.g. subject, html, text; `Capabilities.content` lists them."""
    sent_at: Instant
    """When this attempt is made, by the server's clock."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Extra headers where the channel has headers, e.g. List-Unsubscribe."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Values for a template that the provider keeps, by the name that it has there, rendered."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """What only this adapter understands: plain JSON values that its `options` model takes."""
    purpose: Purpose = Purpose.INFORMATION
    expires_at: Instant | None = None
    """Later than this it helps nobody; tell the provider where it can be told."""


# What became of an attempt


@dataclass(frozen=True, slots=True)
class Price:
    """What the provider charges for one message, all of its parts together."""

    amount: Decimal
    """Exact, in the currency's unit, as the provider tells it; 0 is free of charge."""
    currency: str
    """Three letters as in ISO 4217, e.g. KRW."""

    def __post_init__(self) -> None:
        if not isinstance(self.amount, Decimal) or not 0 <= self.amount <= _DEAREST:
            raise ValueError("a price is a Decimal from 0 to ten thousand millions")
        if not _CURRENCY.fullmatch(self.currency):
            raise ValueError("a currency has three capital letters")


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took the message over. That is not yet delivery."""

    provider_id: str
    """The name under which later receipts will speak of this message."""
    code: str = ""
    text: str = ""
    price: Price | None = None
    """What it costs, where the answer says so."""
    billed_as: str = ""
    """The kind of message that is paid for where one adapter has several, in small letters, e.g. `lms`."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The provider, or the adapter itself, said no to this message; the reason's policy says what follows."""

    reason: Reason
    code: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Deferred:
    """Nothing was taken over and a later attempt may succeed. Always safe to send again."""

    retry_at: Instant
    """The earliest moment worth trying; the server adds its own backoff and jitter and may wait longer."""
    reason: Reason
    code: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """The message left and no answer came: it may have arrived. `Capabilities.on_unknown` says what to do."""

    reason: Reason = Reason.OUTCOME_UNKNOWN
    code: str = ""
    text: str = ""


Outcome: TypeAlias = Accepted | Rejected | Deferred | Unknown


# What is heard later


class ReceiptKind(StrEnum):
    """One thing that can be heard about a message."""

    ATTEMPTED = "attempted"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    DEFERRED = "deferred"
    UNKNOWN = "unknown"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    OPENED = "opened"
    CLICKED = "clicked"
    TRAPPED = "trapped"
    """A link was followed that no person can see. No click of anybody's."""
    REPLIED = "replied"
    UNSUBSCRIBED = "unsubscribed"
    COMPLAINED = "complained"
    SHOWN = "shown"
    INTERACTED = "interacted"
    DISMISSED = "dismissed"
    FAILED = "failed"
    EXPIRED = "expired"
    SKIPPED = "skipped"
    PRICED = "priced"
    """The provider has told what it charges, and nothing else."""
    UNMAPPED = "unmapped"
    """Genuine, but of a kind the adapter has never seen: kept with its raw text, never dropped."""


class Actor(StrEnum):
    """Who opened or clicked."""

    HUMAN = "human"
    MACHINE = "machine"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Receipt:
    """One fact about one message, in our words. Names the message by `reference`, `provider_id` or both."""

    key: str
    """The sender's own id of this fact; the same fact told twice has the same key, and counts once."""
    kind: ReceiptKind
    occurred_at: Instant
    """When it happened, by the provider's clock; when we heard of it, where the provider does not say."""
    reference: str | None = None
    provider_id: str | None = None
    reason: Reason | None = None
    code: str = ""
    text: str = ""
    actor: Actor | None = None
    """None where nobody acted, e.g. for a delivery."""
    actor_why: str = ""
    url: str | None = None
    recipient: str | None = None
    """The address it is about. An opt-out or a complaint may name this alone, and no message."""
    raw: str = ""
    """What the provider said, word for word, so that history can be read again with a better map."""
    purpose: Purpose | None = None
    """Of what an opt-out that names no message wants no more, where the provider says; None is everything."""
    price: Price | None = None
    """What the message costs, where the provider tells it here. Of several prices the last one counts."""
    billed_as: str = ""
    """The kind of message that is paid for, as in `Accepted`, where the provider tells it here."""


@dataclass(frozen=True, slots=True)
class Inbound:
    """Something that a person wrote to us. The server finds out what it means, e.g. STOP."""

    key: str
    """The provider's own id of it."""
    sender: str
    """The address of whoever wrote, as `Message.to` would name it."""
    text: str
    occurred_at: Instant
    recipient: str = ""
    """Our number or account that it was written to."""
    provider_id: str | None = None
    """The message that it answers, where the provider says."""
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Callback:
    """An HTTP request that claims to come from the provider. Believe nothing in it before `verify`."""

    method: str
    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    query: Mapping[str, str]
    body: bytes
    url: str = ""
    """The whole address as the provider called it, query and all, for signatures that cover it."""


@dataclass(frozen=True, slots=True)
class Verified:
    """A callback that is proved to come from the provider."""

    callback: Callback
    received_at: Instant
    answer: str = ""
    """What to answer with, for providers that expect an echo; empty for a plain 200."""
    answer_type: str = "text/plain"
    """The media type of that answer."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A callback that proves nothing. `why` is for our log; the caller is told only that it was refused."""

    why: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with settings, for the person who filled them in. Never repeats a secret."""

    path: str
    """The field, dotted when nested; empty when it is about the whole."""
    message: str


# What a channel can do


class OnUnknown(StrEnum):
    """What the server may do with a message whose outcome is `Unknown`."""

    NEVER_RESEND = "never_resend"
    """Wait for a receipt; a second send could be a second message."""
    RESEND_SAME_KEY = "resend_same_key"
    """Send again with the same reference: the provider drops the double."""
    ASK = "ask"
    """Ask the provider by our reference: the sender is an `AskingSender`."""


@dataclass(frozen=True, slots=True)
class ContentField:
    """One field of `Message.content`."""

    max_length: int | None = None
    """In characters; None where the provider names no limit."""
    required: bool = False
    charset: str = ""
    """The only characters that it can carry, as Python names the encoding, e.g. euc-kr: `max_length` is then
    in its bytes. Empty where all of Unicode can leave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a channel can do and cannot, as data: the server plans with it and the API shows it."""

    content: Mapping[str, ContentField]
    observes: frozenset[ReceiptKind] = frozenset()
    """The kinds that `parse` and `poll` can ever bring. What is missing here is shown as not observable."""
    on_unknown: OnUnknown = OnUnknown.NEVER_RESEND
    unknown_settles_after_days: int | None = None
    """For how long a result may still come after the provider has said that it does not know it; None where
    it says nothing of that."""
    native_idempotency: bool = False
    """Sending one reference twice reaches the person once, by the provider's own doing."""
    batch_size: int = 1
    """Messages that one call to the provider can carry; above 1 the sender is a `BatchSender`."""
    rate_per_second: float | None = None
    """What the provider allows one account; the server stays below it."""
    address_scheme: str = ""
    """Where a channel has several kinds of address, the one that this adapter writes to, e.g. `fcm:`. Such
    addresses are stored with the scheme, and handed over without."""
    needs_template: bool = False
    """Whether the provider sends only what it has approved as a template before."""
    inbound: bool = False
    """Whether `parse_inbound` can ever bring something."""
    purposes: frozenset[Purpose] = frozenset(Purpose)
    """What its messages may be for. Where there is one only, nothing else is sent through it."""
    scheduled_send: bool = False
    """Whether the provider could keep a message until later. The server keeps time itself."""
    media: frozenset[str] = frozenset()
    """MIME types that may be attached or shown, e.g. image/png."""


# What an adapter is handed, and what it is


@dataclass(frozen=True, slots=True)
class Tools:
    """What the server lends an adapter. All of it stays the server's: do not close anything here."""

    clock: Callable[[], Instant]
    http: httpx.AsyncClient
    """Speaks HTTP/1.1 and 2 and bounds time and size of answers. For addresses that operators configure."""
    connection: str = ""
    """An opaque name of the configured connection, different for any two of them."""
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("channels"))
    public_http: httpx.AsyncClient | None = None
    """The same, but it refuses private addresses: for addresses that come with a message or from a user.
    The server always lends it; in tests of an adapter it may be missing."""
    show: Callable[[Sequence[Message]], Awaitable[None]] | None = None
    """Keeps messages where the server itself shows them to their readers; twice is once. For in-app ones."""
    callback_url: str = ""
    """Where the provider reaches this connection: the address to register with it for receipts."""

    @property
    def outside(self) -> httpx.AsyncClient:
        """The client for addresses that somebody else chose."""
        return self.public_http or self.http


class Sender(Protocol):
    """An open connection to one provider with one set of settings."""

    async def send(self, message: Message) -> Outcome:
        """Hand one message to the provider and tell what became of it.

        May be called many times at once. Every expected ending is an `Outcome`; an exception means a defect
        of the adapter, and the server treats it as `Unknown`. Cancelled, the outcome is unknown as well.
        """
        ...

    async def aclose(self) -> None:
        """Close what `open` and `send` opened. May be called twice."""
        ...


class AskingSender(Sender, Protocol):
    """A sender whose provider can be asked about a message by our reference."""

    async def ask(self, reference: str) -> Outcome:
        """Tell what became of an earlier attempt; `Unknown` while the provider cannot tell either."""
        ...


class BatchSender(Sender, Protocol):
    """A sender whose provider takes many messages in one call."""

    async def send_many(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        """Send at most `Capabilities.batch_size` messages; one outcome each, in the same order."""
        ...


class Channel(Protocol[S]):
    """One way of reaching people through one provider. Holds no settings: they are handed in each time."""

    key: str
    """Unique among all channels, lower case, e.g. "smtp"; stored with every fact, so never rename it."""
    channel: str
    """The kind of address it speaks to, e.g. "email"; several adapters may share one."""
    title: str
    contract_version: int
    settings: type[S]
    """A pydantic model. Secrets are `SecretStr`; the server encrypts them and never shows them again."""
    capabilities: Capabilities

    @property
    def options(self) -> type[BaseModel] | None:
        """A pydantic model of `Message.options`; None if there are none. Its texts may be templates."""
        ...

    def problems(self, settings: S) -> list[Problem]:
        """What can be seen to be wrong without asking anyone. Pure."""
        ...

    def observes(self, settings: S) -> frozenset[ReceiptKind]:
        """Those of `capabilities.observes` that can arrive with these settings. Pure.

        Where no way back is set up, nothing can: reports then say so, instead of 0.
        """
        ...

    def polls(self, settings: S) -> bool:
        """Whether there is anyone to `poll` with these settings. Pure."""
        ...

    def concurrency(self, settings: S) -> int | None:
        """How many sends at the same time make sense with these settings; None if any number does. Pure."""
        ...

    async def probe(self, settings: S, tools: Tools) -> list[Problem]:
        """What the provider says is wrong, asked without any side effect: nothing is sent or changed."""
        ...

    def open(self, settings: S, tools: Tools) -> Sender:
        """Make a sender. No I/O happens before its first `send`."""
        ...

    def verify(self, settings: S, callback: Callback, now: Instant) -> Verified | Refused:
        """Prove that a callback is the provider's, from its bytes, before anything in it is parsed.

        Compares in constant time, refuses stale time stamps where the provider signs them, never raises.
        """
        ...

    def parse(self, settings: S, verified: Verified) -> list[Receipt]:
        """Translate a verified callback. Pure, never raises; what it does not know becomes `unmapped`."""
        ...

    def parse_inbound(self, settings: S, verified: Verified) -> list[Inbound]:
        """What people wrote, in a verified callback. Pure, never raises; empty for anything else.

        A callback goes through `parse` as well, which brings no receipt for what people wrote.
        """
        ...

    def reason_of(self, code: str) -> Reason | None:
        """The reason that a code which was kept has by today's tables; None if none lists it. Pure.

        What was heard before a table knew its code is mapped again by it (`sojourn receipts remap`).
        """
        ...

    async def poll(self, settings: S, tools: Tools, cursor: Cursor) -> tuple[list[Receipt], Cursor]:
        """Fetch what is new since the cursor, and the cursor to go on from; an empty list is "nothing more".

        The server stores receipts and cursor together; after a crash it asks again with the older cursor.
        Raises `channels.errors.PollFailed` when the provider cannot be asked; the server tries later.
        """
        ...


AnyChannel: TypeAlias = Channel[Any]


class BaseChannel(Generic[S]):
    """Quiet answers for what a provider does not have: no problems, no callbacks, nothing to poll.

    Inherit and override; a subclass still names its identity and writes `open`.
    """

    capabilities: Capabilities
    options: type[BaseModel] | None = None

    def problems(self, settings: S) -> list[Problem]:
        return []

    def observes(self, settings: S) -> frozenset[ReceiptKind]:
        return self.capabilities.observes

    def polls(self, settings: S) -> bool:
        return type(self).poll is not BaseChannel.poll

    def concurrency(self, settings: S) -> int | None:
        return None

    async def probe(self, settings: S, tools: Tools) -> list[Problem]:
        return []

    def verify(self, settings: S, callback: Callback, now: Instant) -> Verified | Refused:
        return Refused("this channel expects no callbacks")

    def parse(self, settings: S, verified: Verified) -> list[Receipt]:
        return []

    def parse_inbound(self, settings: S, verified: Verified) -> list[Inbound]:
        return []

    def reason_of(self, code: str) -> Reason | None:
        return None

    async def poll(self, settings: S, tools: Tools, cursor: Cursor) -> tuple[list[Receipt], Cursor]:
        return [], cursor
