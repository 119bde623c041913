"""Which journeys: of the list, and of whatever is exported of it."""

import strawberry

from server.errors import BadInput
from server.store.journeys import Wanted

from .ids import key_in
from .words import JourneyStatus

MOST_IDS = 100


@strawberry.input(description="Which journeys: those to which all of this applies.")
class JourneyFilter:
    ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description=f"One of these, {MOST_IDS} at most."
    )
    status: list[JourneyStatus] | None = strawberry.field(
        default=None, description="In one of these; archived ones are there, too."
    )
    category: list[str] | None = strawberry.field(
        default=None, description="In exactly one of these categories; an empty text is those without one."
    )
    text: str | None = strawberry.field(
        default=None, description="A part of the title or the category, in capitals or not."
    )


def to_wanted(filter: JourneyFilter) -> Wanted:
    """Raises BadInput for too many ids, and for ids of something else."""
    if filter.ids is not None and len(filter.ids) > MOST_IDS:
        raise BadInput(f"`ids` has at most {MOST_IDS} journeys.")
    return Wanted(
        ids=None if filter.ids is None else tuple(key_in(id, "Journey")[0] for id in filter.ids),
        statuses=tuple(status.value for status in filter.status or ()),
        categories=tuple(filter.category or ()),
        text=filter.text,
    )
