"""Ready Alimtalks: taken over into a project, each with its template and its journey."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from server.context import Context
from server.library.alimtalk import ReadyAlimtalk

from . import alimtalk, drafts, handles
from .alimtalk import Draft
from .once import Answer, repeatable


@dataclass(frozen=True, slots=True)
class Ready:
    """A ready Alimtalk, with the graph of its journey as it is stored."""

    ready: ReadyAlimtalk
    graph: dict[str, Any]


async def take(context: Context, wanted: Sequence[Ready], key: str | None) -> Answer:
    """The ids of what was taken, in order. What the project has by that name stays as it is.

    Raises Invalid, IdempotencyConflict.
    """

    async def work() -> Answer:
        return {"taken": [await _take(context, one) for one in wanted]}

    names = [(one.ready.name, one.ready.title) for one in wanted]
    return await repeatable(context, key, ("takeReadyAlimtalks", names), work)


async def _take(context: Context, one: Ready) -> dict[str, Any]:
    ready = one.ready
    template = await alimtalk.by_key(context, ready.name)
    journey = await handles.by_handle(context, ready.name)
    if template is None:
        draft = Draft(ready.name, ready.template, ready.template.name, ready.bindings)
        template_id = (await alimtalk.save(context, draft, None))["template_id"]
    else:
        template_id = template.id
    if journey is None:
        about = (ready.title, "order", one.graph, None)
        journey_id = (await drafts.create(context, *about, handle=ready.name))["journey_id"]
    else:
        journey_id = journey.id
    return {"name": ready.name, "template_id": template_id, "journey_id": journey_id}
