"""Messages of users who have turned out to be others since: it is the others who decide about them now."""

from collections.abc import Sequence
from typing import Any

from server.clock import Instant

from . import consents, users
from .consents import BENEFITS_KEPT_UNDER, NIGHT_ADVERTISEMENT
from .sessions import ReadSession


async def with_later_decisions(session: ReadSession, shard: int, rows: Sequence[Any]) -> list[Any]:
    """These messages of a shard, each permitted or not by what its user has last decided, as whoever."""
    return [row if row.merged_into is None else await _decided(session, shard, row) for row in rows]


async def _decided(session: ReadSession, shard: int, row: Any) -> Any:
    keys = {(shard, row.user_number), await users.final(session, row.project_id, (shard, row.user_number))}
    found = await consents.by_users(session, row.project_id, [key for key in keys if key is not None])
    said = [one for theirs in found.values() for one in theirs]
    place = consents.kept_under(row.channel)
    own, demanded, at_night = (
        _last([one for one in said if (one.channel, one.purpose) == wanted])
        for wanted in (
            (place, row.purpose),
            (BENEFITS_KEPT_UNDER, row.demands),
            (place, NIGHT_ADVERTISEMENT),
        )
    )
    return row._replace(
        is_granted=own[0],
        granted_until=own[1],
        is_demand_met=demanded[0],
        demand_met_until=demanded[1],
        is_granted_at_night=at_night[0],
        granted_at_night_until=at_night[1],
    )


def _last(said: Sequence[Any]) -> tuple[bool | None, Instant | None]:
    """Of two at one instant the refusal holds."""
    last = max(said, key=lambda one: (one.decided_at, not one.granted), default=None)
    return (None, None) if last is None else (bool(last.granted), last.until)
