"""The facts of a database, laid out in an SQLite of their own, where plain SQL counts them again."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from server.store.bulk import table_of
from server.store.database import Database
from server.store.tables import Conversion, Message, Receipt, Refusal, Run, Version, Visit

FACTS = (Version, Run, Visit, Conversion, Refusal, Message, Receipt)
RECOUNT = (Path(__file__).parent / "recount.sql").read_text()

Instant = int


@dataclass(frozen=True, slots=True)
class Asked:
    """Which figures: of a journey, between two instants of a clock, of one version or of all."""

    journey_id: int
    since: Instant = 0
    until: Instant = 2**62
    clock: str = "at"
    """`at` is when it happened, `entered_at` when the run came in."""
    version: int | None = None


class Facts:
    """One state of a database, counted again."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.executescript(RECOUNT)

    def close(self) -> None:
        self._connection.close()

    def rows(self, sql: str, **values: Any) -> list[Any]:
        return self._connection.execute(sql, values).fetchall()

    def one(self, sql: str, **values: Any) -> Any:
        ((found,),) = self.rows(sql, **values)
        return found

    def count(self, asked: Asked, metric: str, what: str = "count(*)", **where: str | None) -> int:
        """How often, of what has these values; None is any."""
        where = {name: value for name, value in where.items() if value is not None}
        sql = f"SELECT coalesce({what}, 0) FROM counted WHERE metric = :metric AND {_within(asked, where)}"
        return int(self.one(sql, metric=metric, **_values(asked), **where))

    def amount(self, asked: Asked, metric: str, **where: str) -> int:
        return self.count(asked, metric, "sum(amount)", **where)

    def by(self, asked: Asked, metric: str, column: str, **where: str) -> dict[str, int]:
        """How often by the values of a column."""
        within = _within(asked, where)
        sql = f"SELECT {column}, count(*) FROM counted WHERE metric = :metric AND {within} GROUP BY 1"
        return dict(self.rows(sql, metric=metric, **_values(asked), **where))

    def points(self, asked: Asked, metric: str, where: str) -> list[tuple[Instant, int]]:
        """The instants at which it happened, and the amounts."""
        sql = f"SELECT {asked.clock}, amount FROM counted WHERE metric = :metric AND {where} AND "
        return self.rows(sql + _within(asked, {}), metric=metric, **_values(asked))

    def people(self, asked: Asked, what: str, **where: str) -> int:
        """How many different users were seen."""
        sql = f"SELECT count(DISTINCT person) FROM seen WHERE what = :what AND {_within(asked, where)}"
        return int(self.one(sql, what=what, **_values(asked), **where))

    def waiting(self, asked: Asked, **where: str) -> int:
        """How many runs are inside now, whatever the period."""
        chosen = " AND ".join(["journey_id = :journey", _of_version(asked), *_equal(where)])
        about = {"journey": asked.journey_id, "version": asked.version}
        return int(self.one(f"SELECT count(*) FROM waiting WHERE {chosen}", **about, **where))

    def waiting_by_step(self, asked: Asked) -> dict[str, int]:
        chosen = f"journey_id = :journey AND {_of_version(asked)}"
        about = {"journey": asked.journey_id, "version": asked.version}
        return dict(self.rows(f"SELECT step_key, count(*) FROM waiting WHERE {chosen} GROUP BY 1", **about))

    def leading_to(self, asked: Asked, step_key: str) -> list[str]:
        """The steps from which an edge leads there, in any of the versions."""
        sql = f"""
            SELECT DISTINCT json_extract(edge.value, '$.from')
            FROM (SELECT *, number AS version FROM version) AS v, json_each(v.graph, '$.edges') AS edge
            WHERE journey_id = :journey AND json_extract(edge.value, '$.to') = :step
              AND {_of_version(asked)}
        """
        about = {"journey": asked.journey_id, "version": asked.version}
        return [key for (key,) in self.rows(sql, **about, step=step_key)]


def _within(asked: Asked, where: Iterable[str]) -> str:
    of_period = f"{asked.clock} >= :since AND {asked.clock} < :until"
    return " AND ".join(["journey_id = :journey", of_period, _of_version(asked), *_equal(where)])


def _of_version(asked: Asked) -> str:
    return "(:version IS NULL OR version = :version)"


def _equal(where: Iterable[str]) -> list[str]:
    return [f"{name} = :{name}" for name in where]


def _values(asked: Asked) -> dict[str, Any]:
    about = {"journey": asked.journey_id, "version": asked.version}
    return {**about, "since": asked.since, "until": asked.until}


async def facts_of(db: Database) -> Facts:
    """Copied in one snapshot, from whatever database."""
    connection = sqlite3.connect(":memory:")
    async with db.read() as session:
        for model in FACTS:
            table = table_of(model)
            names = [column.name for column in table.columns]
            connection.execute(f"CREATE TABLE {table.name} ({', '.join(map(_quoted, names))})")
            marks = ", ".join("?" * len(names))
            rows = [tuple(row) for row in await session.rows(select(table))]
            connection.executemany(f"INSERT INTO {table.name} VALUES ({marks})", rows)
    return Facts(connection)


def _quoted(name: str) -> str:
    return f'"{name}"'


def facts_in(path: Path) -> Facts:
    """Of an SQLite file, where they lie."""
    return Facts(sqlite3.connect(f"file:{path}?mode=ro", uri=True))
