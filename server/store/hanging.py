"""Ends what a hung process holds on PostgreSQL: its locks would stay, and with them its shards.

A process can hang between two statements, or in the middle of one that it has begun to hand over. In the
second case its session counts as active, and only the limit of a whole transaction ends it. PostgreSQL
knows that one from version 17 on.
"""

from typing import Any

from sqlalchemy import event, text
from sqlalchemy.engine import Engine

from .sessions import WriteSession

TRANSACTION = 4
"""A transaction may last this many times as long as the silence between two of its statements."""
_KNOWS_IT = "current_setting('server_version_num')::int >= 170000"
_LIMIT = f"SELECT set_config('transaction_timeout', $1, false) WHERE {_KNOWS_IT}"
LIFTS = (
    text("SET LOCAL idle_in_transaction_session_timeout = 0"),
    text(f"SELECT set_config('transaction_timeout', '0', true) WHERE {_KNOWS_IT}"),
)
"""For a transaction that takes its time: statements that free it, and no other, from both limits."""


async def lift(session: WriteSession) -> None:
    """Frees the session's transaction, where there are limits."""
    if session.get_bind().dialect.name == "postgresql":
        for statement in LIFTS:
            await session.run(statement)


def settings(silence_ms: int | None) -> dict[str, str]:
    """What a connection asks for when it is made."""
    return {} if silence_ms is None else {"idle_in_transaction_session_timeout": str(silence_ms)}


def limit_transactions(engine: Engine, silence_ms: int) -> None:
    """Limits every transaction of this engine, where PostgreSQL can."""

    @event.listens_for(engine, "connect")
    def limit(connection: Any, record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(_LIMIT, (str(TRANSACTION * silence_ms),))
        cursor.close()
        connection.commit()
