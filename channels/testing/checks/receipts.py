"""What every receipt and every inbound message must have, wherever it came from."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from channels.contract import AnyChannel, Inbound, Receipt, ReceiptKind

Said = TypeVar("Said", Receipt, Inbound)


def malformed(channel: AnyChannel, receipts: Sequence[Receipt]) -> list[str]:
    """What is wrong with receipts that came together."""
    found = []
    if len({receipt.key for receipt in receipts}) < len(receipts):
        found.append("two receipts have the same key, so one of them would be dropped")
    for receipt in receipts:
        if not receipt.key:
            found.append(f"a receipt ({receipt.kind}) has no key")
        if receipt.kind is ReceiptKind.UNMAPPED:
            continue
        if receipt.kind not in channel.capabilities.observes:
            found.append(f"a receipt is {receipt.kind}, which capabilities.observes does not name")
        if not receipt.reference and not receipt.provider_id and not receipt.recipient:
            found.append(f"a receipt ({receipt.kind}) names no message: give it reference or provider_id")
    return found


def malformed_inbound(said: Sequence[Inbound]) -> list[str]:
    found = []
    if len({one.key for one in said}) < len(said):
        found.append("two inbound messages have the same key, so one of them would be dropped")
    if any(not one.key for one in said):
        found.append("an inbound message has no key")
    if any(not one.sender for one in said):
        found.append("an inbound message names nobody who wrote it")
    return found


def without_raw(said: Iterable[Said]) -> list[Said]:
    return [replace(one, raw="") for one in said]
