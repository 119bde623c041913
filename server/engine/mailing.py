"""Messages are born here, in the transaction that decides them; what cannot be sent says why."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

from server.aggregates.metrics import Metric
from server.clock import Instant
from server.delivery.status import DeliveryStatus, SkipReason
from server.journey.steps import Alimtalk, MessageStep, Step
from server.journey.steps.sending_rules import SendTo

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


def send(batch: Batch, run: RunState, step: Step, user: UserState, at: Instant) -> list[Posted]:
    """One message for each address of the user, or one that says why not."""
    assert isinstance(step, MessageStep)
    connections = batch.catalog.connections_for(run.project_id, step.channel, step.connection)
    letters = letters_for(connections, _chosen(user, step, run))
    return [Posted(_post(batch, run, step, letter, at), letter.skipped) for letter in letters]


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


def _template(batch: Batch, run: RunState, step: MessageStep) -> tuple[Any, ...]:
    """The columns that say of which template of the project a message is made, if of any, and in no other's
    place. Which version of it leaves, and on what evidence, is known when it does."""
    key = step.content.get("template", "") if isinstance(step, Alimtalk) else ""
    demands = batch.catalog.templates.get((run.project_id, key)) if key else None
    return (key if demands is not None else "", None, "", demands or "", "", None)


def _post(batch: Batch, run: RunState, step: MessageStep, letter: Letter, at: Instant) -> int:
    message_id, skipped = batch.take_id(), letter.skipped
    batch.new_messages.append(
        (
            batch.shard,
            message_id,
            run.project_id,
            run.journey_id,
            run.version,
            run.id,
            step.key,
            run.user_number,
            run.entered_at,
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
            to_json({"name": run.event_name, "properties": orjson.loads(run.properties)}),
            to_json({"skipped": [at, at, 1]} if skipped else {}),
            step.purpose,
            None if step.expires_after_ms is None else at + step.expires_after_ms,
            not step.connection,
            draws.told(run),
            step.rules.cap.written,
            step.rules.pool,
            step.rules.remember_as,
            "",
            *_NO_PRICE,
            None,
            *_template(batch, run, step),
        )
    )
    about = (run.project_id, run.journey_id, run.version, step.key, at, run.entered_at)
    batch.tally.count(Metric.QUEUED, *about, channel=step.channel)
    if skipped:
        row = (batch.shard, message_id, "decision", run.project_id, "skipped", at, at, skipped)
        batch.receipts.append((*row, "", "", "", "", "", None, "", *_NO_PRICE))
        batch.tally.count(Metric.SKIPPED, *about, channel=step.channel, reason=skipped)
    return message_id
