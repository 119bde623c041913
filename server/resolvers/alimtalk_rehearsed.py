"""The project's templates as a rehearsal plays them: a draft with what was written last, approved or not."""

from collections.abc import Iterable
from typing import NamedTuple

from server.journey.graph import Graph
from server.rehearsal.plan import PlayedTemplate
from server.store import alimtalk_demands, alimtalk_keyed, alimtalk_sendable
from server.store.alimtalk_demands import Version
from server.store.alimtalk_sendable import Sendable
from server.store.sessions import ReadSession

from .alimtalk_steps import template_keys


class Played(NamedTuple):
    templates: list[PlayedTemplate]
    notes: list[str]
    """What whoever reads the result has to know of them."""


async def played(session: ReadSession, project_id: int, graphs: Iterable[Graph], *, is_draft: bool) -> Played:
    """Those that these graphs name. Of a version that people enter what goes out now is played."""
    drawn = [graph for graph in graphs if template_keys(graph)]
    keys = sorted(await alimtalk_keyed.made_in(session, project_id, drawn)) if drawn else []
    if not keys:
        return Played([], [])
    latest = await alimtalk_demands.latest(session, project_id, keys)
    sendable = await alimtalk_sendable.sendable(session, project_id, list(latest))
    found = Played([], [])
    for key, version in latest.items():
        newest = next(iter(sendable.get(key, ())), None)
        chosen = version if is_draft or newest is None else newest
        found.templates.append(_template(chosen))
        if newest is None or chosen.number != newest.number:
            found.notes.append(_note(version, newest))
    return found


def _template(chosen: Version | Sendable) -> PlayedTemplate:
    return PlayedTemplate(chosen.key, chosen.number, chosen.content, chosen.bindings, chosen.declaration)


def _note(version: Version, newest: Sendable | None) -> str:
    now = "nothing of it may be sent now"
    if newest is not None:
        now = f"what goes out now is version {newest.number}"
    played = f"The template {version.key!r} is played in its version {version.number}"
    return f"{played}, which is not approved; {now}."
