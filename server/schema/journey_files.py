"""What of a journey is for files: its handle, and all of it as one text."""

import asyncio
from enum import Enum
from typing import Annotated, Any

import orjson
import strawberry

from server.resolvers import journeys as resolve
from server.resolvers import records

from .diffs import JourneyDiff, between
from .fields import field
from .file_form import to_text
from .info import Info
from .named_journeys import with_handles
from .to_data import to_variables
from .words import value

WRITING, COMPARING = 200, 40
"""What these cost, so that nobody asks for a hundred large journeys at once."""


@strawberry.enum(description="How a journey is written down.")
class FileFormat(Enum):
    YAML = value("yaml", description="For people: lengths of time as `1h 30m`, one line an edge.")
    JSON = value("json", description="Exactly a `CreateJourneyInput`, to be handed in as a variable.")


@strawberry.type(description="What of a journey is for files.")
class JourneyFiles:
    record: strawberry.Private[records.Journey]

    @field("What files call it; null if it has no handle. The same in every environment.")
    def handle(self) -> str | None:
        return self.record.handle

    @field(
        "All of it as a file, as `sojourn journey apply` takes it; null if there is no such version.",
        cost=WRITING,
    )
    async def file(
        self,
        info: Info,
        format: Annotated[
            FileFormat, strawberry.argument(description="How it is written.")
        ] = FileFormat.YAML,
        version: Annotated[
            int | None,
            strawberry.argument(
                description="The number of a version; by default what is drawn last, the draft or else the "
                "version that people enter now."
            ),
        ] = None,
    ) -> str | None:
        graph = await graph_of(info, self.record, version)
        if graph is None:
            return None
        graph = await with_handles(info.context, graph)
        told = _variables(self.record, graph)
        # A large journey takes a second, in which nobody else has to wait.
        return await asyncio.to_thread(to_text, told, as_json=format is FileFormat.JSON)

    @field("What makes one drawing of it another; null without one of these versions.", cost=COMPARING)
    async def diff(
        self,
        info: Info,
        older: Annotated[
            int | None,
            strawberry.argument(
                name="from", description="The number of a version; the one that people enter now by default."
            ),
        ] = None,
        newer: Annotated[
            int | None,
            strawberry.argument(
                name="to", description="The number of a version; what is drawn last by default."
            ),
        ] = None,
    ) -> JourneyDiff | None:
        number = older if older is not None else self.record.version
        old = {} if number is None else await graph_of(info, self.record, number)
        new = await graph_of(info, self.record, newer)
        return None if old is None or new is None else JourneyDiff.of(between(old, new))


async def graph_of(info: Info, record: records.Journey, version: int | None) -> dict[str, Any] | None:
    """The graph of a version, or else what is drawn last; empty if nothing is. None without the version."""
    if version is None and record.draft is not None:
        return dict(orjson.loads(record.draft))
    number = version if version is not None else record.version
    if number is None:
        return {}
    assert record.id is not None
    found = await resolve.version(info.context, record.id, number)
    return dict(orjson.loads(found.graph)) if found else None


def _variables(record: records.Journey, graph: dict[str, Any]) -> dict[str, Any]:
    """The journey as `createJourney` would take it."""
    about = {"handle": record.handle, "title": record.title, "category": record.category}
    variables: dict[str, Any] = {name: value for name, value in about.items() if value}
    return {**variables, "graph": to_variables(graph)} if graph else variables
