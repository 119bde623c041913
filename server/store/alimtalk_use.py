"""When templates were sent: what relays count before they let one sleep, kept coarsely."""

from collections.abc import Mapping

from sqlalchemy import BigInteger, ColumnElement, bindparam, case, func, literal_column, or_, update

from channels.alimtalk.desk import Operation
from server.clock import Instant

from .bulk import Bulk, table_of
from .sessions import WriteSession
from .tables import AlimtalkRegistration, SenderProfile

_registrations, _profiles = table_of(AlimtalkRegistration), table_of(SenderProfile)
_AT = bindparam("of_at", type_=BigInteger)
_READY: ColumnElement[str] = literal_column(f"'{Operation.READY.value}'")
_ACTIVE: ColumnElement[str] = literal_column(f"'{Operation.ACTIVE.value}'")

_REGISTRATION = Bulk(
    ("id", "at"),
    {
        "": update(_registrations)
        .where(
            _registrations.c.id == bindparam("of_id"),
            or_(_registrations.c.last_sent_at.is_(None), _registrations.c.last_sent_at < _AT),
        )
        .values(
            first_sent_at=func.coalesce(_registrations.c.first_sent_at, _AT),
            last_sent_at=_AT,
            operation=case((_registrations.c.operation == _READY, _ACTIVE), else_=_registrations.c.operation),
        )
    },
)
_PROFILE = Bulk(
    ("connection_id", "at"),
    {
        "": update(_profiles)
        .where(
            _profiles.c.connection_id == bindparam("of_connection_id"),
            or_(_profiles.c.last_sent_at.is_(None), _profiles.c.last_sent_at < _AT),
        )
        .values(last_sent_at=_AT)
    },
)


async def note(session: WriteSession, used: Mapping[int, int], at: Instant) -> None:
    """That something was sent by these registrations, each through its connection.

    The first time makes one that was ready an active one. In order, so that two workers wait for each other
    and never in a ring.
    """
    await session.bulk(_REGISTRATION, [(one, at) for one in sorted(used)])
    await session.bulk(_PROFILE, [(one, at) for one in sorted({*used.values()})])
