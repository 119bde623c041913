"""The database's clock: the only one that all processes share. Leases run out by it."""

from sqlalchemy import ColumnElement, literal_column

from .sessions import ReadSession


def database_now(session: ReadSession) -> ColumnElement[int]:
    """The present instant, as part of a statement."""
    if session.get_bind().dialect.name == "sqlite":
        return literal_column("CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)")
    return literal_column("CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)")
