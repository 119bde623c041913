"""Which values of a limited dimension have sets of their own: the first that came up, and no more.

The list only grows, and once it is full it stays as it is. So whoever has seen it full knows it for good, and
whoever adds to it does so alone: two shards that added at once would count one value in two places.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import func, select

from server.clock import Instant
from server.store.among import among
from server.store.bulk import inserting, table_of
from server.store.sessions import ReadSession, WriteSession
from server.store.tables import DeedValue

from .deeds import LIMITED, MOST_VALUES, Deed, others_of, property_of

_values = table_of(DeedValue)
_ADD = inserting(DeedValue, once=True)
_LISTED = select(_values.c.dimension, _values.c.value).where(among(_values.c.dimension, "dimensions"))
_LOCK = 0x5EED
"""Of PostgreSQL's advisory locks: beside the project's id."""


class Value(NamedTuple):
    project_id: int
    dimension: str
    value: str

    @property
    def group(self) -> "Value":
        """What has room for so many: a dimension, or one property."""
        if self.dimension != Deed.PROPERTY:
            return self._replace(value="")
        return self._replace(value=property_of(self.value))

    @property
    def is_limited(self) -> bool:
        return self.dimension in LIMITED and self.value != others_of(self.dimension, self.value)


@dataclass(slots=True)
class Values:
    """The lists, as far as they are known. After a transaction that failed they have to be forgotten."""

    _listed: defaultdict[Value, set[str]] = field(default_factory=lambda: defaultdict(set))
    """By group."""

    def forget(self) -> None:
        self._listed.clear()

    def _is_settled(self, one: Value) -> bool:
        listed = self._listed.get(one.group, ())
        return one.value in listed or len(listed) >= MOST_VALUES

    def has_own(self, one: Value) -> bool:
        return not one.is_limited or one.value in self._listed.get(one.group, ())

    async def admit(self, session: WriteSession, wanted: Iterable[Value], now: Instant) -> None:
        """Puts values on their lists while there is room. Nobody else does so until this commits."""
        new = sorted({one for one in wanted if one.is_limited and not self._is_settled(one)})
        if not new:
            return
        for project_id in sorted({one.project_id for one in new}):
            await _alone(session, project_id)
            await self.read(
                session, project_id, {one.dimension for one in new if one.project_id == project_id}
            )
        added = []
        for one in new:
            if not self._is_settled(one):
                self._listed[one.group].add(one.value)
                added.append((*one, now))
        await session.bulk(_ADD, added)

    async def read(self, session: ReadSession, project_id: int, dimensions: Collection[str]) -> None:
        statement = _LISTED.where(_values.c.project_id == project_id)
        for row in await session.rows(statement, {"dimensions": sorted(dimensions)}):
            self._listed[Value(project_id, row.dimension, row.value).group].add(row.value)

    def shown(self, one: Value) -> str:
        """The value under which it is counted."""
        return one.value if self.has_own(one) else others_of(one.dimension, one.value)


async def _alone(session: WriteSession, project_id: int) -> None:
    """On SQLite whoever writes is alone already."""
    if session.get_bind().dialect.name == "postgresql":
        await session.rows(select(func.pg_advisory_xact_lock(_LOCK, project_id)))
