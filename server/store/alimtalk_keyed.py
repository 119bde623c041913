"""The project's templates by their keys, as steps name them: whether a step is made of one is decided here.

A template that was adopted has a relay's code as its key. Steps that named this code before go on: one that
says its text itself, that goes through another account, or that does not give what the template lacks means
the relay's own code, as it always did.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import and_, case, func, or_, select

from channels.alimtalk.desk import Inspection
from channels.alimtalk.filling import bare, variables_of
from channels.alimtalk.reading import read_template
from server.alimtalk.declaration import read_declaration
from server.journey.graph import Graph, read_graph
from server.journey.steps import Alimtalk, MessageStep

from . import connected
from .among import among_these
from .bulk import table_of
from .sessions import ReadSession
from .tables import AlimtalkRegistration, AlimtalkTemplate, AlimtalkVersion

Sends = Callable[[str, Mapping[str, Any]], bool]
"""Whether a step of a graph is made of the template of a key."""

_templates, _versions = table_of(AlimtalkTemplate), table_of(AlimtalkVersion)
_registrations = table_of(AlimtalkRegistration)
_NEWEST_APPROVED = (
    select(_registrations.c.template_id, func.max(_registrations.c.number).label("number"))
    .where(_registrations.c.inspection == Inspection.APPROVED.value, ~_registrations.c.is_replaced)
    .group_by(_registrations.c.template_id)
    .subquery()
)
_any, _own = _registrations.alias("any"), _registrations.alias("own")
_HAS_CODE = (
    select(_own.c.id).where(_own.c.template_id == _templates.c.id, _own.c.code == _templates.c.key).exists()
)
_LOST_ITS_PLACES = and_(
    ~select(_any.c.id).where(_any.c.template_id == _templates.c.id).exists(),
    _versions.c.submitted_at.is_not(None),
)
"""Its connections were removed: whether its key was a code there nobody knows any more."""
_IS_CODE = or_(_HAS_CODE, _LOST_ITS_PLACES)
_KEYED = (
    select(
        _templates.c.id,
        _templates.c.project_id,
        _templates.c.key,
        _versions.c.declaration,
        _versions.c.bindings,
        _IS_CODE.label("is_code"),
        case((_IS_CODE, _versions.c.content), else_="").label("content"),
    )
    .outerjoin(_NEWEST_APPROVED, _NEWEST_APPROVED.c.template_id == _templates.c.id)
    .join(
        _versions,
        and_(
            _versions.c.template_id == _templates.c.id,
            _versions.c.number == func.coalesce(_NEWEST_APPROVED.c.number, _templates.c.latest),
        ),
    )
)
_CODES = select(_templates.c.id, _registrations.c.template_id, _registrations.c.connection_id).join(
    _registrations,
    and_(_registrations.c.project_id == _templates.c.project_id, _registrations.c.code == _templates.c.key),
)
"""Where the key of a template is a code, its own or another's."""
_PLACES = (
    select(_templates.c.id, _registrations.c.connection_id)
    .join(_registrations, _registrations.c.template_id == _templates.c.id)
    .where(_HAS_CODE)
)
_MOST_READ = 4096


@dataclass(frozen=True, slots=True)
class Keyed:
    """A template of a project, as far as steps that name its key are concerned."""

    demands: str = ""
    """The purpose of the consent that its readers must have given; empty for none. As the newest version says
    that was approved anywhere, or else the latest."""
    is_code: bool = False
    """Whether its key is a relay's code, which steps may have named before it was a template."""
    unbound: frozenset[str] = frozenset()
    """Of such a one: the variables that nothing gives but a step."""
    places: frozenset[int] = frozenset()
    """Of such a one: the connections at which it is registered."""
    elsewhere: frozenset[int] = frozenset()
    """Connections at which another template has its key as the code."""


def is_made_of(step: MessageStep, template: Keyed | None, through: int | None) -> bool:
    """Whether the message of a step is made of the template of its key, going through this connection."""
    if template is None or not isinstance(step, Alimtalk):
        return False
    if not template.is_code:
        return True
    if step.content.get("text") or step.content.get("title") or step.options:
        return False
    is_placed = through is None or not step.connection or through in template.places
    given = {bare(name) for name in step.variables}
    return is_placed and through not in template.elsewhere and template.unbound <= given


async def of_everybody(session: ReadSession) -> dict[tuple[int, str], Keyed]:
    """By project and key."""
    return await _read(session)


async def of_project(session: ReadSession, project_id: int, keys: Collection[str]) -> dict[str, Keyed]:
    mine = (_templates.c.project_id == project_id, among_these(_templates.c.key, list(keys)))
    return {key: one for (_, key), one in (await _read(session, *mine)).items()}


async def sends(session: ReadSession, project_id: int, keys: Collection[str]) -> Sends:
    """For whoever asks which journeys need one of these templates."""
    known = await of_project(session, project_id, keys)
    named = {row.name: row.id for row in await connected.of_project(session, project_id)}

    def does(key: str, graph: Mapping[str, Any]) -> bool:
        if not any(step.get("template") == key for step in graph["steps"]):
            return False
        return key in _made_in(read_graph(graph)[0], known, named)

    return does


async def made_in(session: ReadSession, project_id: int, graphs: Collection[Graph]) -> set[str]:
    """The keys of the project's templates of which some step of these graphs is made."""
    steps = [step for graph in graphs for step in graph.steps.values() if isinstance(step, Alimtalk)]
    keys = {step.content.get("template", "") for step in steps}
    known = await of_project(session, project_id, keys)
    named = {row.name: row.id for row in await connected.of_project(session, project_id)}
    return {key for graph in graphs for key in _made_in(graph, known, named)}


def _made_in(graph: Graph, known: Mapping[str, Keyed], named: Mapping[str, int | None]) -> set[str]:
    talks = [step for step in graph.steps.values() if isinstance(step, Alimtalk)]
    keys = [(step, step.content.get("template", "")) for step in talks]
    return {key for step, key in keys if is_made_of(step, known.get(key), named.get(step.connection))}


async def _read(session: ReadSession, *mine: Any) -> dict[tuple[int, str], Keyed]:
    places, elsewhere = defaultdict[int, set[int]](set), defaultdict[int, set[int]](set)
    rows = await session.rows(_KEYED.where(*mine))
    if any(row.is_code for row in rows):
        for place in await session.rows(_PLACES.where(*mine)):
            places[place.id].add(place.connection_id)
        for code in await session.rows(_CODES.where(*mine)):
            if code.template_id != code.id:
                elsewhere[code.id].add(code.connection_id)
    return {
        (row.project_id, row.key): Keyed(
            read_declaration(orjson.loads(row.declaration)).demands,
            bool(row.is_code),
            _unbound(row.content, row.bindings) if row.is_code else frozenset(),
            frozenset(places[row.id]),
            frozenset(elsewhere[row.id]),
        )
        for row in rows
    }


@lru_cache(maxsize=_MOST_READ)
def _unbound(content: str, bindings: str) -> frozenset[str]:
    template, _ = read_template(orjson.loads(content))
    bound = {name for name, text in orjson.loads(bindings).items() if text.strip()}
    return frozenset(variables_of(template) if template else ()) - bound
