"""What a relay's final word on a message is as a receipt."""

import json
from collections.abc import Mapping
from typing import Any

from channels.contract import Instant, Receipt, ReceiptKind
from channels.reasons import Reason

OBSERVES = frozenset({ReceiptKind.DELIVERED, ReceiptKind.FAILED, ReceiptKind.UNKNOWN})


def receipt(
    provider_id: str,
    code: str,
    reason: Reason | None,
    occurred_at: Instant,
    said: Mapping[str, Any],
    *,
    reference: str | None = None,
    text: str = "",
) -> Receipt:
    """Delivered without a reason, else failed; "sent and not confirmed" is neither, and may still arrive.

    The same result has the same key, told by a callback or by a list.
    """
    kind = ReceiptKind.DELIVERED if reason is None else ReceiptKind.FAILED
    if reason is Reason.OUTCOME_UNKNOWN:
        kind = ReceiptKind.UNKNOWN
    return Receipt(
        key=f"{provider_id}:{code}",
        kind=kind,
        occurred_at=occurred_at,
        reference=reference,
        provider_id=provider_id,
        reason=reason,
        code=code,
        text=text,
        raw=json.dumps(said, ensure_ascii=False),
    )
