"""A receipt on its way through the inbox."""

from dataclasses import dataclass

import orjson

from channels.contract import ReceiptKind
from server.clock import Instant

INTERRUPTED = "interrupted"
"""The code of an unknown outcome whose sender is gone: it counts only while nothing else is known."""
WRITTEN = "inbound"
"""The code of an opt-out that the reader has written, such as STOP: what it says of the address was obeyed
when it came, and it may be about more than this message."""


@dataclass(slots=True)
class HeardReceipt:
    """One thing heard about one message of a shard, in our words.

    Nobody changes one. It is not frozen because there is one for every message, and a frozen one takes five
    times as long to make.
    """

    message_id: int
    key: str
    """The sender's own id of this fact: whatever is repeated counts once."""
    kind: ReceiptKind
    occurred_at: Instant
    reason: str = ""
    code: str = ""
    detail: str = ""
    provider_id: str = ""
    actor: str = ""
    actor_why: str = ""
    url: str = ""
    retry_at: Instant | None = None
    attempt: int = 0
    """The attempt of ours that this is the outcome of; 0 for whatever else is heard."""
    connection_id: int | None = None
    """Through which it was sent, or heard of."""
    raw: str = ""
    """What the provider said, word for word."""
    price: int | None = None
    """What it costs, in ten-thousandths of the currency's unit, where this tells it."""
    currency: str = ""
    billed_as: str = ""
    """The kind of message that is paid for, where this tells it."""
    moves_to: int | None = None
    """The connection that the next attempt goes through, where it is another."""


def encode(receipt: HeardReceipt) -> bytes:
    return orjson.dumps(receipt)


def decode(payload: bytes) -> HeardReceipt:
    fields = orjson.loads(payload)
    return HeardReceipt(**{**fields, "kind": ReceiptKind(fields["kind"])})
