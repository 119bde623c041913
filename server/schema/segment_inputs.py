"""Conditions of a segment as they come in, and as they are stored: `server.journey.audience` reads them."""

from typing import Any

import strawberry

from server.journey.moment import Path

from .spelling import to_stored
from .step_inputs import PredicateInput

Data = dict[str, Any]


@strawberry.input(description="Something that a user did, or did not, so often in a time.")
class SegmentDidInput:
    event: str = strawberry.field(description="The event's name.")
    where: list[PredicateInput] | None = strawberry.field(
        default=None, description="What has to be true of the event's properties: all of it."
    )
    at_least: int | None = strawberry.field(
        default=None, description="How often at least: once by default, or not at all with `atMost`."
    )
    at_most: int | None = strawberry.field(
        default=None, description="How often at most; 0 for those who did not. Any number by default."
    )
    within_seconds: int | None = strawberry.field(
        default=None, description="In so long a time before the moment of asking; ever by default."
    )


@strawberry.input(one_of=True, description="A condition over users: a question, or several put together.")
class SegmentConditionInput:
    all: list["SegmentConditionInput"] | None = strawberry.field(
        default=strawberry.UNSET, description="All of these hold: 1 to 20."
    )
    any: list["SegmentConditionInput"] | None = strawberry.field(
        default=strawberry.UNSET, description="At least one of these holds: 1 to 20."
    )
    not_: "SegmentConditionInput | None" = strawberry.field(
        name="not", default=strawberry.UNSET, description="This does not hold."
    )
    attribute: PredicateInput | None = strawberry.field(
        default=strawberry.UNSET, description="Asks what is known of the user now."
    )
    did: SegmentDidInput | None = strawberry.field(
        default=strawberry.UNSET, description="Asks what the user has done."
    )
    in_list: str | None = strawberry.field(
        default=strawberry.UNSET, description="Is on the uploaded list of this name."
    )
    reachable_on: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Has an address in use on this channel, e.g. `email`, that can be written to.",
    )


def to_conditions(given: SegmentConditionInput) -> Data:
    """The plain data of the tree: the one member that was given, by its stored name."""
    name, value = next((one, found) for one, found in vars(given).items() if found is not strawberry.UNSET)
    if isinstance(value, list):
        return {name: [to_conditions(one) for one in value]}
    if isinstance(value, SegmentConditionInput):
        return {"not": to_conditions(value)}
    return {name: value if isinstance(value, str) else to_stored(value, type(value))}


def to_conditions_path(path: Path) -> list[str]:
    """Where in the input a problem lies that was found in the plain data."""
    return [_SPELLED.get(str(part), str(part)) for part in path]


_SPELLED = {
    "in_list": "inList",
    "reachable_on": "reachableOn",
    "at_least": "atLeast",
    "at_most": "atMost",
    "within_ms": "withinSeconds",
}


def to_given(conditions: Any) -> Any:
    """The stored tree as JSON that `SegmentConditionInput` takes."""
    if isinstance(conditions, list):
        return [to_given(one) for one in conditions]
    (name, value) = next(iter(conditions.items()))
    if name in ("all", "any", "not"):
        return {name: to_given(value)}
    if name == "attribute":
        return {name: _predicate(value)}
    if name == "did":
        return {name: {_SPELLED.get(key, key): _did(key, one) for key, one in value.items()}}
    return {_SPELLED[name]: value}


def _did(key: str, value: Any) -> Any:
    if key == "where":
        return [_predicate(one) for one in value]
    return value // 1000 if key == "within_ms" else value


def _predicate(stored: Data) -> Data:
    return {**stored, "operator": stored["operator"].upper()}
