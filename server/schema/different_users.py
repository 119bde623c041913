"""How many different users did any of several things, at any of several places."""

from collections.abc import Iterator, Sequence
from typing import Annotated, TypeAlias

import strawberry

from server.aggregates.metrics import Dimension
from server.aggregates.unions import Place
from server.errors import BadInput

from .figure_words import Deed
from .source import Source

DeedsArgument: TypeAlias = Annotated[
    list[Deed],
    strawberry.argument(description="What they did: whoever did one of these counts, and counts once."),
]
StepsArgument: TypeAlias = Annotated[
    list[strawberry.ID] | None,
    strawberry.argument(description="At these steps, by key; at any step of the journey by default."),
]
GoalsArgument: TypeAlias = Annotated[
    list[strawberry.ID] | None,
    strawberry.argument(description="For `REACHED`: these goals, by key; any goal by default."),
]
_AT_STEPS = {
    Deed.ARRIVED: Dimension.ARRIVED,
    Deed.SENT: Dimension.SENT,
    Deed.OPENED: Dimension.OPENED,
    Deed.CLICKED: Dimension.CLICKED,
}


def count(source: Source, did: list[Deed], steps: Sequence[str] | None, goals: Sequence[str] | None) -> int:
    if not did:
        raise BadInput("`did` has to name at least one thing that they did.")
    at = _known("step", steps, [item["key"] for item, _ in source.steps])
    reached = _known("goal", goals, [str(goal.key) for goal in source.goals])
    found = source.union(_places(source, did, at, reached))
    # Whoever asks for this field asks for the sets.
    assert found is not None
    return found


def _places(source: Source, did: list[Deed], steps: list[str], goals: list[str]) -> Iterator[Place]:
    for deed in did:
        if deed is Deed.ENTERED:
            yield Dimension.ENTERED, source.value()
        elif deed is Deed.REACHED:
            yield from ((Dimension.REACHED, source.value(goal)) for goal in goals)
        elif deed is Deed.LEFT:
            outputs = {(item["from"], item["output"]) for item, _ in source.edges if item["from"] in steps}
            yield from ((Dimension.LEFT, source.value(*place)) for place in outputs)
        else:
            yield from ((_AT_STEPS[deed], source.value(key)) for key in steps)


def _known(kind: str, wanted: Sequence[str] | None, there: list[str]) -> list[str]:
    """Those that are wanted, or all that there are."""
    if wanted is None:
        return there
    for key in wanted:
        if key not in there:
            raise BadInput(f"The journey has no {kind} `{key}`.")
    return [str(key) for key in wanted]
