"""What comes in to change connections, and what it says in our words."""

from typing import TypeVar

import strawberry
from strawberry.scalars import JSON

from server.errors import BadInput
from server.resolvers.connections import Handling
from server.resolvers.refusals import Invalid, Missing

from .fields import ONCE
from .ids import key_in
from .words import ChannelName


@strawberry.input(description="A new connection.")
class CreateConnectionInput:
    name: str = strawberry.field(description="By which message steps name it: 1 to 100 characters.")
    adapter: str = strawberry.field(description="The key of one of the `channels`.")
    settings: JSON = strawberry.field(description="As the adapter's `settingsSchema` wants them.")
    preference: int | None = strawberry.field(
        default=strawberry.UNSET, description="The lowest of a channel is used first; 100 for a new one."
    )
    is_enabled: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether anything is sent through it; a new one is enabled."
    )
    concurrency: int | None = strawberry.field(
        default=strawberry.UNSET, description="Sends at the same time; null is the server's default."
    )
    rate_per_second: float | None = strawberry.field(
        default=strawberry.UNSET, description="Sends per second at most; null is what the adapter says."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.input(description="Another name, or other settings, for a connection.")
class UpdateConnectionInput:
    id: strawberry.ID = strawberry.field(description="The connection.")
    name: str | None = strawberry.field(default=None, description="The new name; stays if left out.")
    settings: JSON | None = strawberry.field(
        default=None,
        description="In the place of all old ones. A secret that is left out stays; null forgets it.",
    )
    preference: int | None = strawberry.field(
        default=strawberry.UNSET, description="The lowest of a channel is used first; 100 for a new one."
    )
    is_enabled: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether anything is sent through it; a new one is enabled."
    )
    concurrency: int | None = strawberry.field(
        default=strawberry.UNSET, description="Sends at the same time; null is the server's default."
    )
    rate_per_second: float | None = strawberry.field(
        default=strawberry.UNSET, description="Sends per second at most; null is what the adapter says."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.input(description="A connection to take away.")
class DeleteConnectionInput:
    id: strawberry.ID = strawberry.field(description="The connection.")
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.input(description="In which order the connections of a channel are used.")
class ReorderConnectionsInput:
    channel: ChannelName = strawberry.field(description="The channel.")
    ids: list[strawberry.ID] = strawberry.field(
        description="All of the channel's connections, the preferred one first."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


SETTINGS = ("input", "settings")


def handling_in(input: CreateConnectionInput | UpdateConnectionInput) -> Handling:
    """What is left out stays; null gives back to the server what can be left to it."""
    limits = {"concurrency": input.concurrency, "rate_per_second": input.rate_per_second}
    return Handling(
        preference=_given(input.preference),
        is_enabled=_given(input.is_enabled),
        concurrency=_given(input.concurrency),
        rate_per_second=_given(input.rate_per_second),
        default=frozenset(name for name, found in limits.items() if found is None),
    )


def object_in(settings: JSON) -> dict[str, object]:
    if not isinstance(settings, dict):
        raise Invalid("Settings are an object, as the adapter's `settingsSchema` wants it.", SETTINGS)
    return settings


def connection_key(id: strawberry.ID, name: str = "id") -> int:
    """Raises Missing for the id of anything else."""
    try:
        return key_in(id, "Connection")[0]
    except BadInput as error:
        raise Missing(error.message, ("input", name)) from error


T = TypeVar("T")


def _given(found: T | None) -> T | None:
    return None if found is strawberry.UNSET else found
