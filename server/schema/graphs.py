"""The graph of a journey: its steps, edges and goals, made of its plain data."""

import strawberry

from .flow_steps import Trigger
from .from_data import Data, to_step
from .predicates import predicates
from .steps import Predicate, Step
from .words import JourneyKind, Reentry


@strawberry.type(description="One output of a step, leading to the next step.")
class Edge:
    source: strawberry.ID = strawberry.field(name="from", description="The key of the step it leaves.")
    output: str = strawberry.field(description="By which output.")
    target: strawberry.ID = strawberry.field(name="to", description="The key of the step it leads to.")


@strawberry.type(description="What a journey is for. Counts while a run is inside, and for a time after it.")
class Goal:
    key: strawberry.ID = strawberry.field(description="Stable over versions.")
    title: str = strawberry.field(description="What people call it.")
    event: str = strawberry.field(description="The event that reaches it.")
    where: list[Predicate] = strawberry.field(
        description="What has to be true of the event's properties.", metadata={"list_size": 2}
    )
    window_seconds: int = strawberry.field(description="How long after leaving the event still counts.")
    ends_journey: bool = strawberry.field(description="Whether reaching it ends the run.")
    amount_property: str = strawberry.field(
        description="The property that says what it is worth; may be empty."
    )
    currency: str = strawberry.field(description="Of the amount, e.g. KRW; may be empty.")


def to_steps(data: Data) -> list[Step]:
    return [to_step(item) for item in data.get("steps") or ()]


def to_edges(data: Data) -> list[Edge]:
    return [to_edge(item) for item in data.get("edges") or ()]


def to_edge(item: Data) -> Edge:
    return Edge(source=strawberry.ID(item["from"]), output=item["output"], target=strawberry.ID(item["to"]))


def to_goals(data: Data) -> list[Goal]:
    return [
        Goal(
            key=strawberry.ID(item["key"]),
            title=item.get("title") or item["key"],
            event=item["event"],
            where=predicates(item),
            window_seconds=item.get("window_ms", 30 * 86_400_000) // 1000,
            ends_journey=item.get("ends_journey", False),
            amount_property=item.get("amount_property") or "",
            currency=item.get("currency") or "",
        )
        for item in data.get("goals") or ()
    ]


def to_cancel_events(data: Data) -> list[Trigger]:
    return [Trigger(event=one["event"], where=predicates(one)) for one in data.get("cancel_events") or ()]


def to_holdout_percent(data: Data) -> int:
    # A draft holds whatever was drawn.
    found = data.get("holdout_percent")
    return found if isinstance(found, int) else 0


def to_reentry(data: Data) -> Reentry:
    return Reentry(data.get("reentry") or "after_leaving")


def kind_of(data: Data) -> JourneyKind:
    found = {item["kind"] for item in data.get("steps") or ()} & _KINDS.keys()
    if len(found) > 1:
        return JourneyKind.MIXED
    return _KINDS[found.pop()] if found else JourneyKind.UNDRAWN


_KINDS = {
    "entry_event": JourneyKind.EVENT,
    "entry_audience": JourneyKind.AUDIENCE,
    "entry_api": JourneyKind.API,
}
