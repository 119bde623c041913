"""Forgets a person: their open runs end, and the rest is done when the batch is written."""

from functools import partial
from typing import Any

import orjson

from channels.contract import ReceiptKind
from server.aggregates import attribute_sets, deed_forgetting
from server.clock import Instant
from server.delivery.receipts import HeardReceipt, encode
from server.delivery.status import SkipReason
from server.journey.moment import EndReason
from server.store import erasing, inbox
from server.store.commands import ERASE
from server.store.sessions import WriteSession

from . import runs
from .batch import Batch
from .state import RunState, UserState


def erase(batch: Batch, project_id: int, command: dict[str, Any]) -> None:
    """What this shard knows of a person. Who has been merged meanwhile is followed."""
    at, identities = command["at"], [(kind, value) for kind, value in command["identities"]]
    for number in command["numbers"]:
        user = batch.users.get((project_id, number))
        if user is not None:
            _blank(batch, project_id, user, at)
            _follow(batch, project_id, command, user)
    for kind, value in identities:
        batch.identities.pop((project_id, kind, value), None)
        batch.forgotten.add((project_id, kind, value))
    who = erasing.Forgotten(
        project_id,
        command["numbers"],
        identities,
        [(channel, address) for channel, address in command["addresses"]],
        command["runs"],
        at,
    )
    batch.afterwards.append(partial(_forget, batch.shard, who, batch.now, batch.listed))


def _blank(batch: Batch, project_id: int, user: UserState, at: Instant) -> None:
    user.attributes, user.user_id, user.is_changed = {}, None, True
    user.addresses.clear()
    user.known_states.clear()
    for run in list(batch.runs_by_user[project_id, user.number]):
        if run.is_open:
            runs.end(batch, run, EndReason.ERASED, max(at, run.arrived_at))


def _follow(batch: Batch, project_id: int, command: dict[str, Any], user: UserState) -> None:
    """Unless that user is erased by a command of its own."""
    if user.merged_into is None:
        return
    home, _, number = user.merged_into.partition(":")
    into = [int(home), int(number)]
    if into not in command["family"]:
        tell(batch, project_id, command, into)


def tell(batch: Batch, project_id: int, command: dict[str, Any], key: list[int]) -> None:
    """Has another user erased as well, wherever it lives."""
    about = {**command, "numbers": [key[1]], "family": [*command["family"], key]}
    batch.outgoing.append(inbox.Entry(key[0], project_id, ERASE, orjson.dumps(about), batch.now))


def erase_again(batch: Batch, project_id: int, user: UserState, command: dict[str, Any]) -> None:
    """Something of an erased user was on its way here while the rest was forgotten."""
    here = [batch.shard, user.number]
    about = {
        "at": batch.now,
        "identities": command.get("identities", []),
        "addresses": [[channel, address] for channel, address, _ in command["addresses"]],
        "runs": [RunState(*values).id for values in command["runs"]],
        "family": [here],
    }
    tell(batch, project_id, about, here)
    if "from" in command:
        tell(batch, project_id, about, command["from"])


async def _forget(
    shard: int, who: erasing.Forgotten, now: Instant, listed: attribute_sets.Keeper, session: WriteSession
) -> None:
    await attribute_sets.forget_values(session, shard, who.project_id)
    listed.forget()
    await deed_forgetting.forget(session, shard, who.project_id, who.numbers)
    skipped = await erasing.forget(session, shard, who, SkipReason.ERASED.value)
    entries = []
    for message_id in skipped:
        reason = SkipReason.ERASED.value
        receipt = HeardReceipt(message_id, "decision", ReceiptKind.SKIPPED, now, reason=reason)
        entries.append(inbox.Entry(shard, who.project_id, inbox.RECEIPT, encode(receipt), now))
    await inbox.append(session, entries)
