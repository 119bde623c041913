"""What has changed between two drawings, in the words in which they are handed in."""

from enum import Enum
from typing import Any

import strawberry
from strawberry.scalars import JSON

from server.journey import diff as core

from .to_data import Data, to_variables
from .words import value

LIST_SIZE = 10


@strawberry.enum(description="What has become of something.")
class ChangeKind(Enum):
    ADDED = value(core.Change.ADDED.value, description="It is new.")
    REMOVED = value(core.Change.REMOVED.value, description="It is gone.")
    CHANGED = value(core.Change.CHANGED.value, description="It is otherwise.")


@strawberry.type(description="One value that is otherwise.")
class FieldChange:
    path: list[str] = strawberry.field(
        description="Its name in the input, and what is inside it.", metadata={"list_size": 3}
    )
    old: JSON | None = strawberry.field(description="What it was; null if nothing.")
    new: JSON | None = strawberry.field(description="What it is; null if nothing.")

    @classmethod
    def of(cls, change: core.FieldChange) -> "FieldChange":
        return cls(path=list(change.path), old=change.old, new=change.new)


@strawberry.type(description="A step that is new, gone, or otherwise.")
class StepChange:
    change: ChangeKind = strawberry.field(description="What has become of it.")
    key: strawberry.ID = strawberry.field(description="Its key.")
    kind: str = strawberry.field(description="What it is called in the input, e.g. `delay`.")
    title: str = strawberry.field(description="What people call it.")
    fields: list[FieldChange] = strawberry.field(
        description="What of it is otherwise; empty if all of it is new or gone.",
        metadata={"list_size": LIST_SIZE},
    )

    @classmethod
    def of(cls, change: core.ItemChange) -> "StepChange":
        return cls(kind=change.item["kind"], **_about(change))


@strawberry.type(description="A goal that is new, gone, or otherwise.")
class GoalChange:
    change: ChangeKind = strawberry.field(description="What has become of it.")
    key: strawberry.ID = strawberry.field(description="Its key.")
    title: str = strawberry.field(description="What people call it.")
    fields: list[FieldChange] = strawberry.field(
        description="What of it is otherwise; empty if all of it is new or gone.",
        metadata={"list_size": LIST_SIZE},
    )

    @classmethod
    def of(cls, change: core.ItemChange) -> "GoalChange":
        return cls(**_about(change))


def _about(change: core.ItemChange) -> dict[str, Any]:
    return {
        "change": ChangeKind(change.change.value),
        "key": strawberry.ID(change.key),
        "title": change.item.get("title") or change.key,
        "fields": [FieldChange.of(one) for one in change.fields],
    }


@strawberry.type(description="An output of a step that leads elsewhere.")
class EdgeChange:
    change: ChangeKind = strawberry.field(description="What has become of it.")
    source: strawberry.ID = strawberry.field(name="from", description="The key of the step it leaves.")
    output: str = strawberry.field(description="By which output.")
    old_target: strawberry.ID | None = strawberry.field(
        name="oldTo", description="The key of the step it led to; null if it is new."
    )
    new_target: strawberry.ID | None = strawberry.field(
        name="newTo", description="The key of the step it leads to; null if it is gone."
    )

    @classmethod
    def of(cls, change: core.EdgeChange) -> "EdgeChange":
        return cls(
            change=ChangeKind(change.change.value),
            source=strawberry.ID(change.source),
            output=change.output,
            old_target=_id(change.old_target),
            new_target=_id(change.new_target),
        )


def _id(key: str | None) -> strawberry.ID | None:
    return None if key is None else strawberry.ID(key)


@strawberry.type(description="Everything that makes one drawing of another; their order counts for nothing.")
class JourneyDiff:
    is_empty: bool = strawberry.field(description="Whether both say the same.")
    steps: list[StepChange] = strawberry.field(
        description="Steps, the same if their keys are.", metadata={"list_size": LIST_SIZE}
    )
    edges: list[EdgeChange] = strawberry.field(description="Edges.", metadata={"list_size": LIST_SIZE})
    goals: list[GoalChange] = strawberry.field(
        description="Goals, the same if their keys are.", metadata={"list_size": LIST_SIZE}
    )
    settings: list[FieldChange] = strawberry.field(
        description="Everything else, e.g. `reentry`.", metadata={"list_size": LIST_SIZE}
    )

    @classmethod
    def of(cls, found: core.GraphDiff) -> "JourneyDiff":
        return cls(
            is_empty=found.is_empty,
            steps=[StepChange.of(one) for one in found.steps],
            edges=[EdgeChange.of(one) for one in found.edges],
            goals=[GoalChange.of(one) for one in found.goals],
            settings=[FieldChange.of(one) for one in found.settings],
        )


def between(old: Data, new: Data) -> core.GraphDiff:
    """What has changed between two stored graphs; an empty one is nothing at all."""
    return core.diff(comparable(old), comparable(new))


def comparable(graph: Data) -> Data:
    """A stored graph in the words of the input, without what defaults say anyway."""
    return flattened(to_variables(graph)) if graph else {}


def flattened(variables: Data) -> Data:
    """Each step with its kind as one of its fields."""
    steps = (next(iter(step.items())) for step in variables.get("steps") or ())
    return {**variables, "steps": [{"kind": kind, **step} for kind, step in steps]}
