"""A template as its reader would see it: filled for nobody, by hand, or for somebody."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

from channels.alimtalk.filling import fill
from channels.alimtalk.reading import read_template
from channels.alimtalk.template import Template
from server.context import Context
from server.store import alimtalk_demands, alimtalk_sendable

from .alimtalk_values import Reader, values_of
from .refusals import Missing


@dataclass(frozen=True, slots=True)
class Draft:
    """What is previewed, and by which Liquid text each of its variables is filled."""

    template: Template
    bindings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Filled:
    template: Template
    problems: Mapping[str, str]
    """By variable: why its binding cannot be written."""


async def draft_of(context: Context, key: str, number: int | None) -> Draft:
    """A version of a project's template: the latest, if none is named. Raises Missing."""
    async with context.db.read() as session:
        if number is None:
            known = await alimtalk_demands.latest(session, context.project_id, [key])
            found = known.get(key)
        else:
            found = await alimtalk_demands.numbered(session, context.project_id, key, number)
    if found is None:
        wanted = f"{key!r}" if number is None else f"{key!r} with a version {number}"
        raise Missing(f"There is no template {wanted} in this project.", ("key",))
    template, _ = read_template(orjson.loads(found.content))
    if template is None:
        raise Missing(f"Version {found.number} of {key!r} cannot be read any more.", ("version",))
    return Draft(template, orjson.loads(found.bindings))


async def filled(context: Context, draft: Draft, reader: Reader) -> Filled:
    """Of a variable that nothing is known of the name stays where it is. Raises Missing for the reader."""
    bindings = draft.bindings if _is_for_somebody(reader) else {}
    values = await values_of(context, bindings, reader)
    said = {name: text for name, text in values.said.items() if text}
    return Filled(fill(draft.template, said), values.problems)


async def sender_of(context: Context, connection_id: int) -> str:
    """The name of the channel that a connection speaks for; empty if it is not known."""
    async with context.db.read() as session:
        return await alimtalk_sendable.name_of_sender(session, context.project_id, connection_id)


def _is_for_somebody(reader: Reader) -> bool:
    return reader.user is not None or bool(reader.properties)
