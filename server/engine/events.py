"""An event in a batch: it becomes a fact, changes what we know of its user, and moves runs."""

from typing import Any

from server.clock import Instant
from server.ingest.messages import ArrivedEvent

from . import consents, runs
from .batch import Batch
from .state import Address, Happening, UserState, to_json

EMAIL = "email"
LONGEST_ADDRESS = 320


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
        learn(batch, user, project_id, event.body, event.occurred_at)
    consents.take_in(batch, user, project_id, event)


def learn(batch: Batch, user: UserState, project_id: int, traits: dict[str, Any], at: Instant) -> None:
    """Takes over traits; an explicit null forgets one. `email` is also the user's e-mail address."""
    for name, value in traits.items():
        if value is None:
            user.attributes.pop(name, None)
        else:
            user.attributes[name] = value
    user.is_changed = True
    if "email" in traits:
        set_address(batch, user, project_id, EMAIL, traits["email"], at)


def set_address(
    batch: Batch, user: UserState, project_id: int, channel: str, address: Any, at: Instant
) -> None:
    """Makes this the user's address on the channel. One that is known keeps its state: an opt-out stays."""
    before = user.addresses.get(channel)
    wanted = address.strip() if isinstance(address, str) else ""
    if before is not None and before.address == wanted:
        return
    if before is not None:
        batch.endpoints.append(_row(batch, user, project_id, channel, before, at, is_current=False))
        del user.addresses[channel]
    if "@" not in wanted or len(wanted) > LONGEST_ADDRESS:
        return
    state = user.known_states.get((channel, wanted), "usable")
    user.addresses[channel] = Address(wanted, state)
    batch.endpoints.append(_row(batch, user, project_id, channel, user.addresses[channel], at))


def know_address(
    batch: Batch, user: UserState, project_id: int, channel: str, address: str, state: str, at: Instant
) -> None:
    """Keeps an address that is the user's and not the one to write to."""
    user.known_states[channel, address] = state
    batch.endpoints.append(
        _row(batch, user, project_id, channel, Address(address, state), at, is_current=False)
    )


def _row(
    batch: Batch,
    user: UserState,
    project_id: int,
    channel: str,
    address: Address,
    at: Instant,
    *,
    is_current: bool = True,
) -> tuple[Any, ...]:
    return (
        batch.shard,
        project_id,
        user.number,
        channel,
        address.address,
        is_current,
        address.state,
        at,
        "",
        None,
    )
