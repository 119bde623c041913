"""Ready Alimtalks: taken over into a project, each with its template and its journey."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from server.context import Context

from . import alimtalk, drafts, handles
from .alimtalk import Draft
from .once import Answer, repeatable

CATEGORY = "order"
"""Of the journeys."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A ready Alimtalk: the template, and the journey that sends it."""

    template: Draft
    title: str
    """Of the journey."""
    graph: dict[str, Any]
    """As it is stored."""


async def take(context: Context, wanted: Sequence[Ready], key: str | None) -> Answer:
    """The ids of what was taken, in order. What the project has by that name stays as it is.

    Raises Invalid, IdempotencyConflict.
    """

    async def work() -> Answer:
        return {"taken": [await _take(context, one) for one in wanted]}

    names = [(one.template.key, one.title) for one in wanted]
    return await repeatable(context, key, ("takeReadyAlimtalks", names), work)


async def _take(context: Context, one: Ready) -> dict[str, Any]:
    name = one.template.key
    template = await alimtalk.by_key(context, name)
    journey = await handles.by_handle(context, name)
    if template is None:
        template_id = (await alimtalk.save(context, one.template, None))["template_id"]
    else:
        template_id = template.id
    if journey is None:
        about = (one.title, CATEGORY, one.graph, None)
        journey_id = (await drafts.create(context, *about, handle=name))["journey_id"]
    else:
        journey_id = journey.id
    return {"name": name, "template_id": template_id, "journey_id": journey_id}
