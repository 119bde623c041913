"""An event in a batch: it becomes a fact, changes what we know of its user, and moves runs."""

from server.aggregates.calendar import day_of
from server.ingest.messages import ArrivedEvent
from server.journey.moment import Past
from server.segments.deeds import OF_TYPE

from . import addresses, commerce, consents, deeds, entering, goals, profiles
from .batch import Batch
from .state import Happening, UserState, to_json


def take_in(batch: Batch, user: UserState, project_id: int, event: ArrivedEvent, digest: str) -> None:
    """Everything that an event of this user does, in the order of the user's own time."""
    at = event.occurred_at
    device = addresses.device_of(event) if "device" in event.context else ""
    happening = Happening(project_id, event.type, event.name, event.body, at, digest, device)
    concerns = batch.catalog.concerns_runs(project_id, event.type, event.name)
    if concerns:
        entering.wake_until(batch, user, project_id, at)
    note(batch, user, project_id, event, digest)
    if concerns and event.type in ("track", "page", "screen"):
        goals.offer(batch, user, happening)
        entering.offer_entries(batch, user, happening)
        entering.lead_on(batch)


def note(batch: Batch, user: UserState, project_id: int, event: ArrivedEvent, digest: str) -> None:
    """Keeps the event as a fact, and what it tells about the user."""
    counts = commerce.take_in(batch, user, project_id, event, digest)
    noted = deeds.note(batch, user, project_id, event, counts)
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
            *noted,
        )
    )
    if event.occurred_at > batch.now:
        day = day_of(event.occurred_at, batch.catalog.zone_of(project_id))
        batch.ahead.append((project_id, user.number, day))
    if event.name:
        past = Past(event.occurred_at, event.body)
        batch.note_past((project_id, user.number), event.name, digest, past)
    if (every := f"${event.type}") in OF_TYPE:
        past = Past(event.occurred_at, event.body)
        batch.note_past((project_id, user.number), every, digest, past)
    if event.type == "identify":
        _learn(user, event)
    if addresses.tells(event):
        for told in addresses.told_by(event, batch.catalog.zone_of(project_id)):
            addresses.take_in(batch, user, project_id, told, event.occurred_at)
    consents.take_in(batch, user, project_id, event)


def _learn(user: UserState, event: ArrivedEvent) -> None:
    """Its traits; and the time zone of whoever says nothing else of it."""
    if event.body:
        profiles.learn(user, event.body)
    zone = event.context.get("timezone")
    unsaid = profiles.TIME_ZONE not in event.body and user.attributes.get(profiles.TIME_ZONE) != zone
    if isinstance(zone, str) and unsaid and profiles.is_zone(zone):
        profiles.learn(user, {profiles.TIME_ZONE: zone})
