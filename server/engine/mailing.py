"""Messages are born here, in the transaction that decides them; what cannot be sent says why."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

from server.aggregates.metrics import Metric
from server.clock import Instant
from server.delivery.fallbacks import End, Ruling, rule
from server.delivery.status import DeliveryStatus, SkipReason
from server.journey.steps import Alimtalk, MessageStep, Step, stand_in
from server.journey.steps.sending_rules import SendTo
from server.store.alimtalk_keyed import is_made_of

from . import draws
from .addresses import BY_USER_ID, PUSH
from .batch import Batch
from .catalog import Connected
from .state import Address, RunState, UserState, to_json

_NO_PRICE = (None, "")
"""Nobody has told one yet."""


class Letter(NamedTuple):
    """One message to be: where to, by which connection, or why not."""

    address: str
    connection_id: int | None
    skipped: str = ""


class Posted(NamedTuple):
    """A message that was born."""

    id: int
    skipped: str

    def told(self) -> dict[str, Any]:
        """What a step that follows its messages knows of it."""
        status = DeliveryStatus.SKIPPED if self.skipped else DeliveryStatus.QUEUED
        return {"status": status.value, "reason": self.skipped, "heard": []}


class Origin(NamedTuple):
    """What a message has of the run that sends it."""

    project_id: int
    journey_id: int
    version: int
    run_id: int
    user_number: int
    entered_at: Instant
    event: str
    """Name and properties as JSON."""
    variants: str


class InPlace(NamedTuple):
    """What a message has of another in whose place it goes."""

    fallback_of: int
    voucher: str = ""
    demands: str = ""
    expires_at: Instant | None = None


def send(batch: Batch, run: RunState, step: Step, user: UserState, at: Instant) -> list[Posted]:
    """One message for each address of the user, or one that says why not, and what goes in its place."""
    assert isinstance(step, MessageStep)
    origin = origin_of(run)
    connections = batch.catalog.connections_for(run.project_id, step.channel, step.connection)
    letters = letters_for(connections, _chosen(user, step, run))
    if len(letters) == 1 and letters[0].skipped:
        return _in_its_place(batch, origin, step, user, letters[0], at)
    return [post(batch, origin, step, letter, at) for letter in letters]


def _in_its_place(
    batch: Batch, origin: Origin, step: MessageStep, user: UserState, letter: Letter, at: Instant
) -> list[Posted]:
    """One that can never be sent, and another in its place where that may be."""
    end = End(DeliveryStatus.SKIPPED, letter.skipped)
    other = stand_in(step)
    if other is None or rule(end, step.purpose, must_arrive=_must_arrive(step)) is not Ruling.GOES:
        return [post(batch, origin, step, letter, at)]
    first, second = batch.take_id(), batch.take_id()
    connections = batch.catalog.connections_for(origin.project_id, other.channel, other.connection)
    there = letters_for(connections, addresses_of(user, other.channel)[:1])[0]
    ends = [one for one in (_expiry(step, at), at + _within(step)) if one is not None]
    demands = _template(batch, origin, step, letter.connection_id)[3]
    place = InPlace(first, demands=demands, expires_at=min(ends))
    return [
        post(batch, origin, step, letter, at, message_id=first, fallback_id=second),
        post(batch, origin, other, there, at, message_id=second, place=place),
    ]


def _must_arrive(step: MessageStep) -> bool:
    return step.fallback is not None and step.fallback.must_arrive


def _within(step: MessageStep) -> int:
    return step.fallback.within_ms if step.fallback else 0


def _expiry(step: MessageStep, at: Instant) -> Instant | None:
    return None if step.expires_after_ms is None else at + step.expires_after_ms


def origin_of(run: RunState) -> Origin:
    event = to_json({"name": run.event_name, "properties": orjson.loads(run.properties)})
    whose = (run.project_id, run.journey_id, run.version, run.id, run.user_number, run.entered_at)
    return Origin(*whose, event, draws.told(run))


def _chosen(user: UserState, step: MessageStep, run: RunState) -> Sequence[Address]:
    """Those of the user's addresses that the step writes to."""
    chosen, found = step.rules.send_to, addresses_of(user, step.channel)
    if chosen is SendTo.LAST_ACTIVE:
        return found[:1]
    # On the other channels people have one address, which is whatever is asked for.
    if chosen is SendTo.TRIGGERING and step.channel == PUSH:
        return [one for one in user.addresses.get(PUSH, ()) if one.address == run.entry_address]
    return found


def addresses_of(user: UserState, channel: str) -> Sequence[Address]:
    """Where to write to; what may not be written to only if there is nothing else, so that this is told."""
    if channel in BY_USER_ID:
        return [Address(user.user_id, "usable", 0)] if user.user_id is not None else []
    here = user.addresses.get(channel, [])
    return [one for one in here if one.state == "usable"] or here[:1]


def letters_for(connections: Sequence[Connected], addresses: Sequence[Address]) -> list[Letter]:
    found = []
    for one in addresses:
        fitting = next((connected for connected in connections if connected.fits(one.address)), None)
        if fitting is not None:
            found.append(Letter(one.address, fitting.id))
    if found:
        return found
    known = addresses[0].address if addresses else ""
    if connections and not addresses:
        return [Letter(known, connections[0].id, SkipReason.NO_ADDRESS.value)]
    return [Letter(known, None, SkipReason.NO_CONNECTION.value)]


def _template(batch: Batch, origin: Origin, step: MessageStep, through: int | None) -> tuple[Any, ...]:
    """The columns that say of which template of the project a message is made, if of any. Which version of it
    leaves, and on what evidence, is known when it does."""
    key = step.content.get("template", "") if isinstance(step, Alimtalk) else ""
    template = batch.catalog.templates.get((origin.project_id, key)) if key else None
    if template is None:
        return ("", None, "", "", "")
    if is_made_of(step, template, through):
        return (key, None, "", template.demands, "")
    # What was declared of a code holds of it, whoever writes the text.
    return ("", None, "", template.demands if through in template.places else "", "")


def post(
    batch: Batch,
    origin: Origin,
    step: MessageStep,
    letter: Letter,
    at: Instant,
    *,
    message_id: int | None = None,
    place: InPlace | None = None,
    fallback_id: int | None = None,
) -> Posted:
    """A message is born; with a `place` it goes out in the place of another."""
    message_id, skipped = message_id or batch.take_id(), letter.skipped
    voucher = place.voucher if place else ""
    *made_of, demands, billed_as = _template(batch, origin, step, letter.connection_id)
    batch.new_messages.append(
        (
            batch.shard,
            message_id,
            origin.project_id,
            origin.journey_id,
            origin.version,
            origin.run_id,
            step.key,
            origin.user_number,
            origin.entered_at,
            step.channel,
            letter.connection_id,
            letter.address,
            (DeliveryStatus.SKIPPED if skipped else DeliveryStatus.QUEUED).value,
            skipped,
            at,
            None if skipped else at,
            0,
            None,
            "",
            origin.event,
            to_json({"skipped": [at, at, 1]} if skipped else {}),
            step.purpose,
            place.expires_at if place else _expiry(step, at),
            not step.connection,
            origin.variants,
            step.rules.cap.written,
            step.rules.pool,
            step.rules.remember_as,
            voucher,
            *_NO_PRICE,
            None,
            *made_of,
            demands or (place.demands if place else ""),
            billed_as,
            place.fallback_of if place else None,
            fallback_id,
        )
    )
    _count(batch, origin, step, at, message_id, skipped)
    return Posted(message_id, skipped)


def _count(
    batch: Batch, origin: Origin, step: MessageStep, at: Instant, message_id: int, skipped: str
) -> None:
    where = (origin.project_id, origin.journey_id, origin.version, step.key)
    about = (*where, at, origin.entered_at)
    batch.tally.count(Metric.QUEUED, *about, channel=step.channel)
    if skipped:
        row = (batch.shard, message_id, "decision", origin.project_id, "skipped", at, at, skipped)
        batch.receipts.append((*row, "", "", "", "", "", None, "", *_NO_PRICE))
        batch.tally.count(Metric.SKIPPED, *about, channel=step.channel, reason=skipped)
