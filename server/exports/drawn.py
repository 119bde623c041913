"""The journey that an export is about: its title, and what people call its steps."""

from collections.abc import Iterable

import orjson

from server.errors import BadInput, NotFound
from server.store import journeys, versions
from server.store.sessions import ReadSession
from server.store.tables import Journey

from .sheets import Asked


class Titles:
    """Titles of steps, read once for each version that turns up."""

    def __init__(self, project_id: int, journey_id: int) -> None:
        self._project_id, self._journey_id = project_id, journey_id
        self._by_version: dict[int, dict[str, str]] = {}

    async def learn(self, session: ReadSession, numbers: Iterable[int]) -> None:
        wanted = sorted(set(numbers) - set(self._by_version))
        if not wanted:
            return
        keys = [(self._journey_id, number) for number in wanted]
        found = await versions.by_keys(session, self._project_id, keys)
        for (_, number), version in found.items():
            self._by_version[number] = _titles(version.graph)

    def of(self, version: int, step_key: str) -> str:
        """A step without a title goes by its key."""
        return self._by_version.get(version, {}).get(step_key) or step_key


async def journey(session: ReadSession, asked: Asked, journey_id: int) -> Journey:
    found = (await journeys.by_ids(session, asked.project_id, [journey_id])).get(journey_id)
    if found is None:
        raise NotFound("There is no such journey in this project.")
    return found


async def step_title(session: ReadSession, asked: Asked, journey_id: int, step_key: str) -> str:
    """What the newest version that has the step calls it. Raises BadInput if none ever had it."""
    found = await versions.by_journeys(session, asked.project_id, [journey_id])
    for version in found.get(journey_id, ()):
        titles = _titles(version.graph)
        if step_key in titles:
            return titles[step_key] or step_key
    raise BadInput(f"No version of this journey has a step {step_key!r}.")


def _titles(graph: str) -> dict[str, str]:
    return {one["key"]: one.get("title") or "" for one in orjson.loads(graph)["steps"]}
