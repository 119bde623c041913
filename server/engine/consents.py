"""Decisions in a batch: what users agree to, by an event of ours or by a command."""

from typing import Any

import orjson

from server.clock import Instant
from server.ingest import segment_time
from server.ingest.messages import ArrivedEvent
from server.store import consents, inbox
from server.store.consents import BASES, DECIDE, LONGEST_NOTE, PURPOSES, Decision, holds
from server.store.same_address import same_channel

from .batch import Batch
from .state import UserState

CONSENT_CHANGED = "Consent Changed"
"""A track event of this name is a decision of its user: docs/permissions.md."""


def take_in(batch: Batch, user: UserState, project_id: int, event: ArrivedEvent) -> None:
    """Keeps the decision that an event tells of. One that cannot be understood stays a mere event."""
    if event.type == "track" and event.name == CONSENT_CHANGED:
        decision = _read(event.body, event.occurred_at)
        if decision is not None:
            keep(batch, user, project_id, decision)


def keep(batch: Batch, user: UserState, project_id: int, decision: Decision) -> None:
    decision = decision._replace(channel=consents.kept_under(decision.channel))
    batch.consents.setdefault((project_id, user.number), []).append(decision)
    who = ((project_id, user.number), decision.channel, decision.purpose)
    batch.permissions.granted[who] = bool(holds(decision.granted, decision.until, batch.now))
    batch.decisions.append(consents.row_of(batch.shard, project_id, user.number, decision))


def decide(batch: Batch, project_id: int, command: dict[str, Any]) -> None:
    """A decision of a user of ours, or of one who was merged: then it is the other's, too."""
    user = batch.users[project_id, command["number"]]
    keep(batch, user, project_id, Decision(*command["decision"]))
    if user.merged_into is not None:
        home, _, number = user.merged_into.partition(":")
        payload = orjson.dumps({**command, "number": int(number)})
        batch.outgoing.append(inbox.Entry(int(home), project_id, DECIDE, payload, batch.now))


def _read(body: dict[str, Any], at: Instant) -> Decision | None:
    written, purpose, granted = body.get("channel"), body.get("purpose"), body.get("granted")
    channel = same_channel(written) if isinstance(written, str) else None
    if channel is None:
        return None
    purpose = purpose.strip().lower() if isinstance(purpose, str) else ""
    if purpose not in PURPOSES or not isinstance(granted, bool):
        return None
    basis = _text(body, "basis").strip().lower()
    if basis not in ("", *BASES):
        return None
    until = body.get("until")
    ends = segment_time.to_instant(until) if until is not None else None
    if until is not None and ends is None:
        return None  # Until when it holds cannot be guessed.
    about = (_text(body, "source"), _text(body, "evidence"), basis, ends)
    return Decision(channel, purpose, granted, at, *about)


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    return value[:LONGEST_NOTE] if isinstance(value, str) else ""
