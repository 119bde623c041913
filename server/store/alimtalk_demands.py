"""Versions of templates whether they may be sent or not: for trials of what is not approved yet."""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import select

from .among import among_these
from .bulk import table_of
from .sessions import ReadSession
from .tables import AlimtalkTemplate, AlimtalkVersion, SenderProfile

_templates, _versions = table_of(AlimtalkTemplate), table_of(AlimtalkVersion)
_profiles = table_of(SenderProfile)
_OF_PROJECT = select(
    _templates.c.id,
    _templates.c.key,
    _versions.c.number,
    _versions.c.content,
    _versions.c.bindings,
    _versions.c.declaration,
).join(_versions, _versions.c.template_id == _templates.c.id)


class Version(NamedTuple):
    """A version of a template, whether it may be sent or not."""

    template_id: int
    key: str
    number: int
    content: str
    bindings: str
    declaration: str


async def latest(session: ReadSession, project_id: int, keys: Collection[str]) -> dict[str, Version]:
    """By key: the last version of each of these templates of the project."""
    statement = _OF_PROJECT.where(
        _templates.c.project_id == project_id,
        among_these(_templates.c.key, list(keys)),
        _versions.c.number == _templates.c.latest,
    )
    return {row.key: Version(*row) for row in await session.rows(statement)}


async def company(session: ReadSession, connection_id: int) -> tuple[bool | None, str]:
    """Of the profile that a connection speaks for: whether the rule for first-time senders holds, and the
    name of the shop."""
    statement = select(_profiles.c.is_first_time, _profiles.c.company)
    rows = await session.rows(statement.where(_profiles.c.connection_id == connection_id))
    return (rows[0].is_first_time, rows[0].company) if rows else (None, "")


async def numbered(session: ReadSession, project_id: int, key: str, number: int) -> Version | None:
    """The version of this number, if the project has such a template and it such a version."""
    statement = _OF_PROJECT.where(
        _templates.c.project_id == project_id, _templates.c.key == key, _versions.c.number == number
    )
    return next((Version(*row) for row in await session.rows(statement)), None)
