"""What the texts of a message may tell of the messages before it in the same run: `{{ messages.STEP… }}`.

Of each step its last passage, over all devices that it wrote to: what the person did on one of them counts.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from channels.contract import ReceiptKind
from server.clock import Instant
from server.delivery.actors import Actor
from server.delivery.bursts import seen
from server.delivery.status import DeliveryStatus, Heard, sent_at

Values = dict[str, object]
Passage = tuple[str, Instant]
"""The step, and when it was decided."""

BY_PEOPLE = (Actor.HUMAN, Actor.UNSURE)
"""Whose opens and clicks count: a machine's tell nothing of the reader."""

# Of several devices the one that got furthest speaks for all.
_BEST = (
    DeliveryStatus.DELIVERED,
    DeliveryStatus.ACCEPTED,
    DeliveryStatus.UNKNOWN,
    DeliveryStatus.ATTEMPTED,
    DeliveryStatus.QUEUED,
    DeliveryStatus.BOUNCED,
    DeliveryStatus.FAILED,
    DeliveryStatus.EXPIRED,
    DeliveryStatus.SKIPPED,
)


def values_of(rows: Iterable[Any], own: Passage) -> Values:
    """By step, from the messages of a run in their order; `own` is the passage that asks."""
    passages: dict[str, tuple[Instant, list[Any]]] = {}
    for row in rows:
        if (row.step_key, row.created_at) == own:
            continue
        at, devices = passages.get(row.step_key, (row.created_at, []))
        if row.created_at != at:
            at, devices = row.created_at, []
        devices.append(row)
        passages[row.step_key] = at, devices
    return {step: _told(devices) for step, (_, devices) in passages.items()}


def _told(devices: Sequence[Any]) -> Values:
    heards: list[Heard] = [seen(orjson.loads(row.heard)) for row in devices]
    best = min(devices, key=lambda row: _BEST.index(DeliveryStatus(row.status)))
    sent = [
        at
        for row, heard in zip(devices, heards, strict=True)
        if (at := sent_at(heard, row.attempted_at)) is not None
    ]
    return {
        "status": best.status,
        "reason": best.reason,
        "channel": best.channel,
        "voucher": best.voucher,
        "sent": bool(sent),
        "sent_at": min(sent, default=None),
        "delivered": _has(heards, ReceiptKind.DELIVERED),
        "opened": _has(heards, *(f"{ReceiptKind.OPENED}/{actor}" for actor in BY_PEOPLE)),
        "clicked": _has(heards, *(f"{ReceiptKind.CLICKED}/{actor}" for actor in BY_PEOPLE)),
        "replied": _has(heards, ReceiptKind.REPLIED),
    }


def _has(heards: Iterable[Heard], *kinds: str) -> bool:
    return any(kind in heard for heard in heards for kind in kinds)
