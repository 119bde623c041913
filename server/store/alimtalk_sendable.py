"""Which templates may be sent, and under which code: for whoever sends, and for the checks of publishing."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from channels.alimtalk.desk import Inspection, Operation, ProfileState

from .among import among_these
from .bulk import table_of
from .sessions import ReadSession
from .tables import AlimtalkRegistration, AlimtalkTemplate, AlimtalkVersion, Connection, SenderProfile

_templates, _versions = table_of(AlimtalkTemplate), table_of(AlimtalkVersion)
_registrations, _profiles = table_of(AlimtalkRegistration), table_of(SenderProfile)
_connections = table_of(Connection)
_IN_USE = (Operation.READY.value, Operation.ACTIVE.value)
_OUT_OF_USE = tuple(
    one.value
    for one in (ProfileState.BLOCKED, ProfileState.DORMANT, ProfileState.CLOSED, ProfileState.DELETED)
)


@dataclass(frozen=True, slots=True)
class Sendable:
    """A version of a template that may be sent through a connection."""

    template_id: int
    key: str
    number: int
    connection_id: int
    code: str
    content: str
    bindings: str
    declaration: str
    registration_id: int
    is_first_time: bool | None
    company: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How a version stands at a connection."""

    registration_id: int
    connection_id: int
    number: int
    code: str
    inspection: str
    operation: str
    is_blocked: bool
    is_dormant: bool
    is_replaced: bool
    is_sendable: bool


@dataclass(frozen=True, slots=True)
class Known:
    """A template of the project, with its standings, the newest version first."""

    template_id: int
    key: str
    latest: int
    is_archived: bool
    content: str
    """Of the version that would be sent; of the latest where none may be."""
    bindings: str
    declaration: str
    standings: tuple[Standing, ...] = ()

    @property
    def is_sendable(self) -> bool:
        return not self.is_archived and any(one.is_sendable for one in self.standings)


async def sendable(session: ReadSession, project_id: int, keys: Collection[str]) -> dict[str, list[Sendable]]:
    """By key: what may be sent now, the newest version first. A key without any is not there."""
    statement = _sendable().where(_templates.c.project_id == project_id).where(_may_be_sent())
    rows = await session.rows(statement.where(among_these(_templates.c.key, list(keys))))
    found: defaultdict[str, list[Sendable]] = defaultdict(list)
    for row in rows:
        found[row.key].append(Sendable(**row._mapping))
    return dict(found)


async def known(session: ReadSession, project_id: int, keys: Collection[str]) -> dict[str, Known]:
    """By key: the project's templates, sendable or not. A key that is not there is no template of it."""
    templates = await session.rows(
        select(_templates).where(
            _templates.c.project_id == project_id, among_these(_templates.c.key, list(keys))
        )
    )
    ids = [row.id for row in templates]
    standings = await standings_of(session, project_id, ids)
    versions = await session.rows(select(_versions).where(among_these(_versions.c.template_id, ids)))
    texts = {(row.template_id, row.number): row for row in versions}
    return {row.key: _known(row, standings.get(row.id, []), texts) for row in templates}


async def standings_of(
    session: ReadSession, project_id: int, template_ids: Collection[int]
) -> dict[int, list[Standing]]:
    """By template: how its versions stand, the newest first, and by connection."""
    statement = (
        select(_registrations, _may_be_sent().label("is_sendable"))
        .select_from(_joined())
        .where(_registrations.c.project_id == project_id)
        .where(among_these(_registrations.c.template_id, list(template_ids)))
        .order_by(_registrations.c.number.desc(), _registrations.c.connection_id)
    )
    found: defaultdict[int, list[Standing]] = defaultdict(list)
    for row in await session.rows(statement):
        found[row.template_id].append(_standing(row))
    return dict(found)


def _known(row: Any, standings: list[Standing], texts: dict[tuple[int, int], Any]) -> Known:
    number = next((one.number for one in standings if one.is_sendable), row.latest)
    version = texts[(row.id, number)]
    return Known(
        template_id=row.id,
        key=row.key,
        latest=row.latest,
        is_archived=row.archived_at is not None,
        content=version.content,
        bindings=version.bindings,
        declaration=version.declaration,
        standings=tuple(standings),
    )


def _standing(row: Any) -> Standing:
    return Standing(
        registration_id=row.id,
        connection_id=row.connection_id,
        number=row.number,
        code=row.code,
        inspection=row.inspection,
        operation=row.operation,
        is_blocked=row.is_blocked,
        is_dormant=row.is_dormant,
        is_replaced=row.is_replaced,
        is_sendable=bool(row.is_sendable),
    )


def _joined() -> Any:
    profile = _profiles.c.connection_id == _registrations.c.connection_id
    template = _templates.c.id == _registrations.c.template_id
    return _registrations.join(_templates, template).outerjoin(_profiles, profile)


def _sendable() -> Select[Any]:
    version = and_(
        _versions.c.template_id == _registrations.c.template_id,
        _versions.c.number == _registrations.c.number,
    )
    connection = _connections.c.id == _registrations.c.connection_id
    return (
        select(
            _templates.c.id.label("template_id"),
            _templates.c.key,
            _registrations.c.number,
            _registrations.c.connection_id,
            _registrations.c.code,
            _versions.c.content,
            _versions.c.bindings,
            _versions.c.declaration,
            _registrations.c.id.label("registration_id"),
            _profiles.c.is_first_time,
            func.coalesce(_profiles.c.company, "").label("company"),
        )
        .select_from(_joined().join(_versions, version).join(_connections, connection))
        .order_by(_registrations.c.number.desc(), _registrations.c.connection_id)
    )


def _may_be_sent() -> ColumnElement[bool]:
    """Approved and in use, and so is the profile that it would be sent as. One that is not known yet may."""
    of_profile = and_(~_profiles.c.is_blocked, ~_profiles.c.is_dormant, _profiles.c.state.not_in(_OUT_OF_USE))
    return and_(
        _templates.c.archived_at.is_(None),
        _registrations.c.code != "",
        _registrations.c.inspection == Inspection.APPROVED.value,
        _registrations.c.operation.in_(_IN_USE),
        ~_registrations.c.is_blocked,
        ~_registrations.c.is_dormant,
        ~_registrations.c.is_replaced,
        or_(_profiles.c.id.is_(None), of_profile),
    )


async def name_of_sender(session: ReadSession, project_id: int, connection_id: int) -> str:
    """As its channel is called: by its own name, else by the shop's, else by `@name`; empty if unknown."""
    statement = select(_profiles.c.name, _profiles.c.company, _profiles.c.search_id)
    statement = statement.where(
        _profiles.c.project_id == project_id, _profiles.c.connection_id == connection_id
    )
    for row in await session.rows(statement):
        return str(row.name or row.company or row.search_id)
    return ""
