"""What becomes of a message that a stand-in took over: drawn once, the same in every rehearsal of a seed."""

from collections.abc import Iterator
from typing import NamedTuple

from channels.contract import Actor, ReceiptKind
from channels.reasons import Reason
from server.clock import SECOND, Instant
from server.delivery.receipts import HeardReceipt

from .plan import Plan, Rates

_ARRIVES_WITHIN = 5 * SECOND


class Taken(NamedTuple):
    """A message that was taken over, and whose."""

    message_id: int
    person: str
    user_number: int
    step_key: str
    channel: str
    nth: int
    """Of this step's messages to this person, from 1."""
    at: Instant
    connection_id: int | None


def receipts_of(plan: Plan, taken: Taken) -> list[HeardReceipt]:
    """Everything that will be heard of it, in order of time."""
    rates = plan.rates_for(taken.step_key, taken.channel)
    return sorted(_heard(plan, taken, rates), key=lambda one: (one.occurred_at, one.key))


def _heard(plan: Plan, taken: Taken, rates: Rates) -> Iterator[HeardReceipt]:
    def draw(what: str) -> float:
        return plan.draw(what, taken.person, taken.step_key, taken.nth)

    arrived_at = taken.at + 1 + int(draw("arrives") * _ARRIVES_WITHIN)
    if draw("bounced") < rates.bounced:
        yield _receipt(taken, ReceiptKind.BOUNCED, arrived_at, reason=Reason.INVALID_RECIPIENT)
        return
    if draw("delivered") >= rates.delivered:
        return
    yield _receipt(taken, ReceiptKind.DELIVERED, arrived_at)
    if draw("complained") < rates.complained:
        at = arrived_at + _pause(draw("complains at"), rates.clicked_within_ms)
        yield _receipt(taken, ReceiptKind.COMPLAINED, at)
    if draw("opened") >= rates.opened:
        return
    opened_at = arrived_at + _pause(draw("opens at"), rates.opened_within_ms)
    yield _receipt(taken, ReceiptKind.OPENED, opened_at, actor=Actor.HUMAN)
    for kind, share in ((ReceiptKind.CLICKED, rates.clicked), (ReceiptKind.UNSUBSCRIBED, rates.unsubscribed)):
        if draw(kind.value) < share:
            at = opened_at + _pause(draw(f"{kind.value} at"), rates.clicked_within_ms)
            yield _receipt(taken, kind, at, actor=Actor.HUMAN)


def _pause(draw: float, within_ms: int) -> int:
    # Squared: most people are quick and a few are very slow.
    return 1 + int(draw * draw * max(0, within_ms - 1))


def _receipt(
    taken: Taken, kind: ReceiptKind, at: Instant, *, reason: Reason | None = None, actor: Actor | None = None
) -> HeardReceipt:
    return HeardReceipt(
        taken.message_id,
        f"rehearsal:{kind.value}",
        kind,
        at,
        reason=reason.value if reason else "",
        actor=actor.value if actor else "",
        actor_why="a person of the rehearsal" if actor else "",
        connection_id=taken.connection_id,
    )
