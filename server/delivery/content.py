"""What a message says: its step's templates, rendered for one person, with the links that we follow."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from channels.contract import Message
from server.clock import Instant
from server.delivery.links import Tracking
from server.journey.graph import Graph, read_graph
from server.journey.steps import MessageStep
from server.journey.steps.sending import texts_in
from server.store import messages
from server.store.database import Database
from server.templates.render import TemplateProblem, render

from .claims import Claimed
from .hearing import write_reference

EMAIL = "email"
HTML = "html"
_BODIES = (HTML, "text")
_MOST_GRAPHS = 500


@dataclass(slots=True)
class Writer:
    """Writes messages. Published graphs never change, so those in use are kept."""

    db: Database
    tracking: Tracking
    _graphs: dict[tuple[int, int], Graph] = field(default_factory=dict)

    async def write(self, claimed: Claimed, fields: Mapping[str, Any]) -> Message:
        """`fields` are those that the channel has. Raises `TemplateProblem`."""
        row = claimed.row
        graph = await self._graph(row.journey_id, row.version)
        step = graph.steps.get(row.step_key)
        templates = step.templates() if isinstance(step, Email) else {}
        whose = (str(row.project_id), claimed.shard, str(row.id))
        variables = self._variables(row, self.tracking.unsubscribe_url(*whose))
        content = {
            name: _rendered(name, source, variables, claimed.attempted_at)
            for name, source in templates.items()
            if name in fields
        }
        headers = {}
        if row.channel == EMAIL:
            content = self._tracked(content, claimed)
            headers = self.tracking.one_click_headers(*whose)
        reference = write_reference(row.project_id, claimed.shard, row.id)
        return Message(reference, row.address, content, claimed.attempted_at, headers)

    def _variables(self, row: Any, unsubscribe_url: str) -> dict[str, object]:
        event = orjson.loads(row.event)
        properties = event["properties"]
        return {
            "user": {**orjson.loads(row.attributes or "{}"), "id": row.user_id},
            "event": {**properties, "name": event["name"], "properties": properties},
            "journey": {"id": row.journey_id, "title": row.title},
            "project": {"name": row.project_name, "timezone": row.time_zone},
            "message": {"id": row.id},
            "unsubscribe_url": unsubscribe_url,
        }

    def _tracked(self, content: dict[str, str], claimed: Claimed) -> dict[str, str]:
        if not content.get(HTML):
            return content
        tracked = self.tracking.track_html(
            content[HTML],
            project_id=str(claimed.row.project_id),
            shard=claimed.shard,
            message_id=str(claimed.row.id),
            sent_at=claimed.attempted_at,
        )
        return {**content, HTML: tracked.text}

    async def _graph(self, journey_id: int, version: int) -> Graph:
        key = (journey_id, version)
        if key not in self._graphs:
            async with self.db.read() as session:
                text = await messages.graph_text(session, journey_id, version)
            if len(self._graphs) >= _MOST_GRAPHS:
                del self._graphs[next(iter(self._graphs))]
            self._graphs[key] = read_graph(orjson.loads(text))[0]
        return self._graphs[key]


def _rendered(name: str, source: str, variables: Mapping[str, object], now: Instant) -> str:
    try:
        text = render(source, variables, escape=name == HTML, now=now)
    except TemplateProblem as problem:
        raise TemplateProblem(f"{name}: {problem.message}", problem.line) from problem
    # A line break in a name must not keep a letter from leaving: only bodies have lines.
    return text if name in _BODIES else " ".join(text.split())
