"""An event in a batch: it becomes a fact, changes what we know of its user, and moves runs."""

from typing import Any

from server.ingest.messages import ArrivedEvent

from . import addresses, consents, runs
from .batch import Batch
from .state import Happening, UserState, to_json


def take_in(batch: Batch, user: UserState, project_id: int, event: ArrivedEvent, digest: str) -> None:
    """Everything that an event of this user does, in the order of the user's own time."""
    at = event.occurred_at
    happening = Happening(project_id, event.type, event.name, event.body, at, digest)
    concerns = batch.catalog.concerns_runs(project_id, event.type, event.name)
    if concerns:
        runs.wake_until(batch, user, project_id, at)
    note(batch, user, project_id, event, digest)
    if concerns and event.type in ("track", "page", "screen"):
        runs.offer_goals(batch, user, happening)
        runs.offer_entries(batch, user, happening)


def note(batch: Batch, user: UserState, project_id: int, event: ArrivedEvent, digest: str) -> None:
    """Keeps the event as a fact, and what it tells about the user."""
    batch.events.append(
        (
            batch.shard,
            project_id,
            user.number,
            event.occurred_at,
            digest,
            event.type,
            event.name,
            to_json(event.body),
            to_json(event.context) if event.context else "{}",
            event.received_at,
        )
    )
    if event.name:
        batch.past[project_id, user.number].append((event.occurred_at, event.name, event.body))
    if event.type == "identify" and event.body:
        learn(user, event.body)
    if addresses.tells(event):
        for told in addresses.told_by(event, batch.catalog.zone_of(project_id)):
            addresses.take_in(batch, user, project_id, told, event.occurred_at)
    consents.take_in(batch, user, project_id, event)


def learn(user: UserState, traits: dict[str, Any]) -> None:
    """Takes over traits; an explicit null forgets one."""
    for name, value in traits.items():
        if value is None:
            user.attributes.pop(name, None)
        else:
            user.attributes[name] = value
    user.is_changed = True
