"""A receipt on its way through the inbox."""

from dataclasses import asdict, dataclass

import orjson

from channels.contract import ReceiptKind
from server.clock import Instant


@dataclass(frozen=True, slots=True)
class HeardReceipt:
    """One thing heard about one message of a shard, in our words."""

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


def encode(receipt: HeardReceipt) -> bytes:
    return orjson.dumps(asdict(receipt))


def decode(payload: bytes) -> HeardReceipt:
    fields = orjson.loads(payload)
    return HeardReceipt(**{**fields, "kind": ReceiptKind(fields["kind"])})
