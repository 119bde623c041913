"""What is asked of a rehearsal."""

from datetime import datetime
from enum import Enum
from typing import Any

import strawberry
from strawberry.scalars import JSON

from .graph_inputs import GraphInput
from .words import value

Data = dict[str, Any]


@strawberry.enum(description="What a habit follows.")
class HabitAfter(Enum):
    ARRIVED = value("arrived", description="A run came to the step; with no step named, it entered.")
    DELIVERED = value("delivered", description="A message of the step was delivered.")
    OPENED = value("opened", description="A message of the step was opened.")
    CLICKED = value("clicked", description="A link in a message of the step was followed.")


@strawberry.input(description="Something that a made-up person does.")
class SimulatedEventInput:
    event: str | None = strawberry.field(default=None, description="The event's name.")
    enters: strawberry.ID | None = strawberry.field(
        default=None, description="Instead of an event: the entry by which the API lets the person in."
    )
    after_seconds: int | None = strawberry.field(
        default=None, description="How long after the start; at the start if neither is said."
    )
    at: datetime | None = strawberry.field(default=None, description="When, instead of how long after.")
    properties: JSON | None = strawberry.field(default=None, description="The event's properties.")


@strawberry.input(description="People who are made up: one, or many that are alike.")
class SimulatedPeopleInput:
    name: str | None = strawberry.field(
        default=None, description="What traces call the person; `person-1` and so on by default."
    )
    count: int = strawberry.field(default=1, description="How many of them there are.")
    attributes: JSON | None = strawberry.field(default=None, description="What is known of them.")
    channels: list[str] | None = strawberry.field(
        default=None,
        description="Where they can be reached, e.g. `email`; on everything that the graph sends through "
        "by default.",
    )
    segments: list[strawberry.ID] | None = strawberry.field(
        default=None, description="The segments that they are in."
    )
    events: list[SimulatedEventInput] | None = strawberry.field(
        default=None, description="What they do, whatever happens. Those without do what `arrivals` says."
    )


@strawberry.input(description="What everybody does who has nothing else to do.")
class SimulatedArrivalsInput:
    event: str | None = strawberry.field(
        default=None, description="The event; that of the first entry by default."
    )
    enters: strawberry.ID | None = strawberry.field(
        default=None, description="Instead of an event: the entry by which the API lets them in."
    )
    properties: JSON | None = strawberry.field(default=None, description="The event's properties.")
    within_seconds: int = strawberry.field(
        default=0, description="They come some time within so long after the start."
    )


@strawberry.input(description="What becomes of messages, in shares from 0 to 1.")
class SimulatedRatesInput:
    of: str = strawberry.field(
        default="all",
        description="A step's key, or else a channel such as `email`; `all` is for all others.",
    )
    refused: float = strawberry.field(default=0, description="By the provider, of all handed over.")
    bounced: float = strawberry.field(default=0, description="Of those taken over.")
    delivered: float = strawberry.field(default=1, description="Of those taken over that did not bounce.")
    opened: float = strawberry.field(default=0, description="Of those delivered.")
    clicked: float = strawberry.field(default=0, description="Of those opened.")
    unsubscribed: float = strawberry.field(default=0, description="Of those opened.")
    complained: float = strawberry.field(default=0, description="Of those delivered.")
    opened_within_seconds: int = strawberry.field(
        default=28_800, description="How long after delivery at most; most are quick."
    )
    clicked_within_seconds: int = strawberry.field(
        default=300, description="How long after opening at most; unsubscribing and complaining as well."
    )


@strawberry.input(description="What a share of people do after something happened to them.")
class SimulatedHabitInput:
    event: str = strawberry.field(description="The event that they do.")
    properties: JSON | None = strawberry.field(default=None, description="The event's properties.")
    share: float = strawberry.field(default=1, description="Of those to whom it happens, from 0 to 1.")
    after: HabitAfter = strawberry.field(default=HabitAfter.ARRIVED, description="What it follows.")
    step: strawberry.ID | None = strawberry.field(
        default=None, description="The step; the entry, or the messages of all steps, by default."
    )
    soonest_seconds: int = strawberry.field(default=0, description="At least so long after it.")
    latest_seconds: int | None = strawberry.field(
        default=None, description="At most so long after it; as `soonestSeconds` by default."
    )


@strawberry.input(description="What is played, who comes, how people behave, and until when.")
class SimulateInput:
    journey: strawberry.ID | None = strawberry.field(
        default=None, description="Plays its draft, or if there is none the version that people enter now."
    )
    version: int | None = strawberry.field(
        default=None, description="Plays the version of this number of the journey."
    )
    graph: GraphInput | None = strawberry.field(default=None, description="Plays this, instead of a journey.")
    title: str | None = strawberry.field(default=None, description="What the graph's journey is called.")
    people: list[SimulatedPeopleInput] | None = strawberry.field(
        default=None, description="Those who are made up; with the sampled ones 1 to 1,000."
    )
    sample: int | None = strawberry.field(
        default=None,
        description="So many of the project's users come, too: their attributes, consents and the states of "
        "their addresses are copied; names, addresses and numbers are not.",
    )
    arrivals: SimulatedArrivalsInput | None = strawberry.field(
        default=None, description="What they do who have nothing else to do: enter, at the start."
    )
    rates: list[SimulatedRatesInput] | None = strawberry.field(
        default=None, description="What becomes of messages; by default all are delivered and none is read."
    )
    habits: list[SimulatedHabitInput] | None = strawberry.field(
        default=None, description="What people do after something happened to them: up to 20."
    )
    start: datetime | None = strawberry.field(default=None, description="When it begins; now by default.")
    until: datetime | None = strawberry.field(
        default=None, description="When it ends; 30 days after the start by default, at most 400."
    )
    seed: int = strawberry.field(default=0, description="Another seed draws other lives.")
    wall_seconds: int = strawberry.field(
        default=30, description="After so many seconds of computing it stops where it is: 1 to 30."
    )


def to_said(input: SimulateInput) -> Data:
    """What a plan is read from."""
    said: Data = {
        "people": [_people(one) for one in input.people or ()],
        "rates": {one.of: _rates(one) for one in input.rates or ()},
        "habits": [_habit(one) for one in input.habits or ()],
        "start": _time(input.start),
        "until": _time(input.until),
        "seed": input.seed,
        "wall_seconds": input.wall_seconds,
    }
    if input.arrivals is not None:
        said["arrivals"] = {
            "event": input.arrivals.event,
            "enters": input.arrivals.enters,
            "properties": input.arrivals.properties,
            "within": input.arrivals.within_seconds,
        }
    return said


def to_spelled(path: tuple[str | int, ...], input: SimulateInput) -> list[str]:
    """Where in the input a problem lies that was found in what was said."""
    spelled = [_SPELLED.get(str(part), str(part)) for part in path]
    if len(path) > 1 and path[0] == "rates":
        spelled[1] = str([one.of for one in input.rates or ()].index(str(path[1])))
    return ["input", *spelled]


_SPELLED = {
    "within": "withinSeconds",
    "soonest": "soonestSeconds",
    "latest": "latestSeconds",
    "opened_within": "openedWithinSeconds",
    "clicked_within": "clickedWithinSeconds",
    "wall_seconds": "wallSeconds",
}


def _people(one: SimulatedPeopleInput) -> Data:
    return {
        "name": one.name,
        "count": one.count,
        "attributes": one.attributes,
        "channels": one.channels,
        "segments": list(map(str, one.segments)) if one.segments else None,
        "events": [_event(event) for event in one.events or ()],
    }


def _event(one: SimulatedEventInput) -> Data:
    at = _time(one.at) if one.at is not None else one.after_seconds
    return {"event": one.event, "enters": one.enters, "at": at, "properties": one.properties}


def _rates(one: SimulatedRatesInput) -> Data:
    shares = ("refused", "bounced", "delivered", "opened", "clicked", "unsubscribed", "complained")
    lengths = {"opened_within": one.opened_within_seconds, "clicked_within": one.clicked_within_seconds}
    return {**{name: getattr(one, name) for name in shares}, **lengths}


def _habit(one: SimulatedHabitInput) -> Data:
    return {
        "event": one.event,
        "properties": one.properties,
        "share": one.share,
        "after": one.after.value,
        "step": one.step,
        "soonest": one.soonest_seconds,
        "latest": one.latest_seconds,
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
