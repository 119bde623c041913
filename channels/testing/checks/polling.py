"""Polling, and whether everything that the channel claims to observe was really seen."""

from channels.contract import Receipt, ReceiptKind, Tools, Verified
from channels.errors import PollFailed
from channels.testing.checks.receipts import malformed
from channels.testing.evidence import Evidence

_PAGES = 100


async def polls(evidence: Evidence, tools: Tools) -> list[str]:
    try:
        receipts, cursor = await evidence.channel.poll(evidence.settings, tools, None)
        more, _ = await evidence.channel.poll(evidence.settings, tools, cursor)
    except PollFailed:
        return []
    if {receipt.key for receipt in receipts} & {receipt.key for receipt in more}:
        return ["poll() tells the same receipts again after its own cursor"]
    return malformed(evidence.channel, [*receipts, *more])


async def claims(evidence: Evidence, tools: Tools) -> list[str]:
    """Only where golden callbacks are given: they are then held to show every kind that is claimed."""
    if not evidence.golden:
        return []
    seen = {one.kind for _, said in evidence.golden for one in said if isinstance(one, Receipt)}
    for callback in evidence.genuine:
        verdict = evidence.channel.verify(evidence.settings, callback, evidence.now)
        if isinstance(verdict, Verified):
            seen |= {receipt.kind for receipt in evidence.channel.parse(evidence.settings, verdict)}
    seen |= await _polled(evidence, tools)
    unseen = sorted(evidence.channel.capabilities.observes - seen)
    if not unseen:
        return []
    return [f"capabilities.observes claims {', '.join(unseen)}, which no golden callback and no poll shows"]


async def _polled(evidence: Evidence, tools: Tools) -> set[ReceiptKind]:
    kinds: set[ReceiptKind] = set()
    cursor = None
    try:
        for _ in range(_PAGES):
            receipts, cursor = await evidence.channel.poll(evidence.settings, tools, cursor)
            kinds |= {receipt.kind for receipt in receipts}
            if not receipts:
                break
    except PollFailed:
        pass
    return kinds
