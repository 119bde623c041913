"""What a batch holds in hand: runs, users and messages as they are now, and which of them have changed."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from server.aggregates.attribute_sets import NOBODY, Known
from server.clock import Instant
from server.delivery.costs import Cost
from server.delivery.status import Heard
from server.store.prices import ListPrice


class Happening(NamedTuple):
    """An event of a user whom we know, as the journeys see it."""

    project_id: int
    type: str
    name: str
    body: dict[str, Any]
    at: Instant
    digest: str
    device: str = ""
    """The address of the device that told it, if it did."""


class Former(NamedTuple):
    """A run of which nothing else is kept."""

    id: int
    journey_id: int
    entered_at: Instant
    ended_at: Instant
    entry_value: str
    variants: str


@dataclass(slots=True)
class RunState:
    shard: int
    id: int
    project_id: int
    journey_id: int
    version: int
    user_number: int
    entry_key: str
    step_key: str
    arrived_at: Instant
    entered_at: Instant
    wake_at: Instant | None
    held: bool
    ended_at: Instant | None
    end_reason: str | None
    counts_goals_until: Instant | None
    event_name: str
    properties: str
    goals: str
    memory: str = "{}"
    variants: str = "{}"
    variant: str = ""
    entry_value: str = ""
    entry_address: str = ""
    settled: int = 0
    """The latest version later than its own of which it is decided what it means for this run."""
    is_new: bool = False
    is_changed: bool = False

    @property
    def knows_version(self) -> int:
        """The latest version that is none of its business any more."""
        return max(self.version, self.settled)

    @property
    def is_open(self) -> bool:
        return self.wake_at is not None

    def row(self) -> tuple[Any, ...]:
        """In the order of the table's columns."""
        return (
            self.shard,
            self.id,
            self.project_id,
            self.journey_id,
            self.version,
            self.user_number,
            self.entry_key,
            self.step_key,
            self.arrived_at,
            self.entered_at,
            self.wake_at,
            self.held,
            self.ended_at,
            self.end_reason,
            self.counts_goals_until,
            self.event_name,
            self.properties,
            self.goals,
            self.memory,
            self.variants,
            self.variant,
            self.entry_value,
            self.entry_address,
            self.settled,
        )


@dataclass(slots=True)
class Address:
    address: str
    state: str
    changed_at: Instant


@dataclass(slots=True)
class UserState:
    number: int
    attributes: dict[str, Any]
    user_id: str | None
    created_at: Instant
    merged_into: str | None = None
    is_erased: bool = False
    addresses: dict[str, list[Address]] = field(default_factory=dict)
    """By channel: where to write to now, the latest first. Only push has several."""
    known_states: dict[tuple[str, str], str] = field(default_factory=dict)
    """By channel and address, of all that were ever the user's."""
    is_new: bool = False
    is_changed: bool = False
    read: tuple[str, str | None, bool] | None = None
    """As it was read: attributes as JSON, user id, whether it is nobody else; none if it is new."""

    @property
    def known_before(self) -> Known:
        if self.read is None:
            return NOBODY
        attributes, user_id, is_there = self.read
        return Known(orjson.loads(attributes), user_id, is_there)

    @property
    def known_now(self) -> Known:
        return Known(self.attributes, self.user_id, self.merged_into is None)


@dataclass(slots=True)
class MessageState:
    id: int
    project_id: int
    journey_id: int
    version: int
    run_id: int
    step_key: str
    user_number: int
    entered_at: Instant
    """When its run entered."""
    channel: str
    address: str
    purpose: str
    connection_id: int | None
    status: str
    reason: str
    attempt: int
    attempted_at: Instant | None
    provider_id: str
    heard: Heard
    cost: Cost | None = None
    """The price that its provider has told."""
    priced_by: ListPrice | None = None
    """What it was booked by, where nobody has told a price."""
    billed_as: str = ""
    variants: str = "{}"
    """What its run had drawn before, as JSON: step to output, version and round."""
    retry_at: Instant | None = None
    """When to try again, if this batch has heard that its attempt was deferred."""
    moves_to: int | None = None
    """The connection to try it through, if it is another."""
    created_at: Instant = 0
    expires_at: Instant | None = None
    event: str = "{}"
    """The event that let its run in, as its row has it."""
    voucher: str = ""
    demands: str = ""
    cause: str = ""
    """Of a suppressed address: why it is, where that has been looked up."""
    fallback_of: int | None = None
    """The message in whose place it goes out."""
    fallback_id: int | None = None
    """The message that goes out in its place."""
    fallback: dict[str, Any] | None = None
    """What its step learns of that, in the batch in which it is born."""
    is_changed: bool = False

    @property
    def priced(self) -> tuple[int | None, str, Instant | None, int | None]:
        """As it is stored: price, currency, when it was told, the entry that it was booked by."""
        if self.cost is not None:
            return self.cost.amount, self.cost.currency, self.cost.told_at, None
        if self.priced_by is not None:
            return self.priced_by.amount, self.priced_by.currency, None, self.priced_by.id
        return None, "", None, None


def to_json(value: Any) -> str:
    return orjson.dumps(value).decode()
