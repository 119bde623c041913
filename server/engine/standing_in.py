"""What goes out in the place of a message that did not arrive: born in the transaction that folds its end.

It is a matter of the message and not of its run, which may have gone on or be over. The message notes what
stands in for it, so that there is one, whatever is heard later and however often.
"""

from collections.abc import Sequence
from functools import partial

from channels.contract import ReceiptKind
from server.clock import Instant
from server.delivery.fallbacks import End, Ruling, rule, rule_all
from server.delivery.receipts import HeardReceipt, encode
from server.delivery.status import DeliveryStatus, SkipReason, is_in_doubt
from server.journey.steps import MessageStep, stand_in
from server.store import inbox, outbox
from server.store.sessions import ReadSession, WriteSession

from . import gather, mailing
from .addresses import BY_PHONE, PUSH
from .batch import Batch
from .state import Address, MessageState


async def load(session: ReadSession, batch: Batch) -> None:
    """The messages to a user's other devices: only when all of them have come to nothing another goes."""
    passages = {
        _passage(one)
        for one in batch.messages.values()
        if one.channel == PUSH and one.fallback_of is None and _step(batch, one) is not None
    }
    if passages:
        await gather.siblings(session, batch, passages)


def consider(batch: Batch, message: MessageState, occurred_at: Instant, code: str) -> None:
    """After something was heard of a message: lets another go in its place, or calls that off.

    `code` is that of the receipt: of a suppressed address it says why it is.
    """
    step = _step(batch, message)
    if step is None or step.fallback is None or message.fallback_of is not None:
        return
    if message.fallback_id is not None:
        if message.status == DeliveryStatus.DELIVERED:
            _call_off(batch, message, occurred_at)
        return
    if message.reason == SkipReason.SUPPRESSED:
        message.cause = code or message.cause
    at = max(occurred_at if batch.follows_events else batch.now, message.created_at)
    together = _together(batch, message)
    found = _addresses(batch, message, step.fallback.channel)
    rulings = [_rule(one, step, found, code if one is message else one.cause) for one in (message, *together)]
    useful_until = _useful_until(message, step)
    if rule_all(rulings) is not Ruling.GOES or at >= useful_until or _is_erased(batch, message):
        return
    _post(batch, message, together, step, found, at, useful_until)


def _step(batch: Batch, message: MessageState) -> MessageStep | None:
    """Its step, if that has a fallback."""
    graph = batch.catalog.graphs.get((message.journey_id, message.version))
    step = graph.steps.get(message.step_key) if graph else None
    return step if isinstance(step, MessageStep) and step.fallback is not None else None


def _passage(message: MessageState) -> tuple[int, str, Instant]:
    return message.run_id, message.step_key, message.created_at


def _together(batch: Batch, message: MessageState) -> list[MessageState]:
    """The messages of the same passage to the user's other devices."""
    if message.channel != PUSH:
        return []
    passage = _passage(message)
    return [
        one
        for one in batch.messages.values()
        if one is not message and one.fallback_of is None and _passage(one) == passage
    ]


def _rule(message: MessageState, step: MessageStep, found: Sequence[Address], code: str) -> Ruling:
    assert step.fallback is not None
    end = End(message.status, message.reason, is_in_doubt(message.heard), code, message.demands)
    is_other = any(one.address != message.address for one in found)
    must_arrive = step.fallback.must_arrive
    return rule(end, message.purpose, must_arrive=must_arrive, has_other_address=is_other)


def _useful_until(message: MessageState, step: MessageStep) -> Instant:
    assert step.fallback is not None
    until = message.created_at + step.fallback.within_ms
    return until if message.expires_at is None else min(until, message.expires_at)


def _is_erased(batch: Batch, message: MessageState) -> bool:
    return batch.user((message.project_id, message.user_number)).is_erased


def _addresses(batch: Batch, message: MessageState, channel: str) -> Sequence[Address]:
    """Where it would go: where the user is reached now; else to the same number, which is one for all."""
    user = batch.user((message.project_id, message.user_number))
    found = mailing.addresses_of(user, channel)[:1]
    if not found and message.address and message.channel in BY_PHONE and channel in BY_PHONE:
        return [Address(message.address, "usable", 0)]
    return found


def _post(
    batch: Batch,
    message: MessageState,
    together: Sequence[MessageState],
    step: MessageStep,
    found: Sequence[Address],
    at: Instant,
    until: Instant,
) -> None:
    other = stand_in(step)
    assert other is not None
    connections = batch.catalog.connections_for(message.project_id, other.channel, other.connection)
    whose = (message.project_id, message.journey_id, message.version, message.run_id)
    origin = mailing.Origin(*whose, message.user_number, message.entered_at, message.event, message.variants)
    voucher = next((one.voucher for one in (message, *together) if one.voucher), "")
    place = mailing.InPlace(message.id, voucher, message.demands, until)
    letter = mailing.letters_for(connections, found)[0]
    posted = mailing.post(batch, origin, other, letter, at, place=place)
    message.fallback = {"id": posted.id, "told": posted.told()}
    for one in (message, *together):
        one.fallback_id, one.is_changed = posted.id, True


def _call_off(batch: Batch, message: MessageState, at: Instant) -> None:
    """It has arrived after all: what was to go in its place does not, if it is still here."""
    assert message.fallback_id is not None
    batch.afterwards.append(partial(_give_up, batch, message.project_id, message.fallback_id, at))


async def _give_up(
    batch: Batch, project_id: int, message_id: int, at: Instant, session: WriteSession
) -> None:
    shard, reason = batch.shard, SkipReason.ARRIVED.value
    given_up = await outbox.call_off(session, shard, [message_id], reason)
    receipts = [HeardReceipt(one, "decision", ReceiptKind.SKIPPED, at, reason=reason) for one in given_up]
    about = (shard, project_id, inbox.RECEIPT)
    await inbox.append(session, [inbox.Entry(*about, encode(one), batch.now) for one in receipts])
