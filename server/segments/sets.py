"""Everybody who meets a condition, as bitmaps: what previews, launches, cohorts and exports stand on."""

from collections.abc import Mapping

from pyroaring import BitMap

from server.clock import Instant
from server.journey.audience import Question
from server.store.sessions import ReadSession

from . import asking
from .reading import Askable, zone_of


async def members(
    session: ReadSession,
    project_id: int,
    shards: int,
    question: Question,
    lists: Mapping[str, int],
    at: Instant,
) -> dict[int, BitMap]:
    """By shard: the numbers of all who meet the condition as of that instant, exactly, in this snapshot.

    Those who are others now, or erased, are not among them. Nobody may change what is returned.
    """
    askable = Askable(question, lists, await zone_of(session, project_id))
    found: dict[int, BitMap] = {}
    for shard in range(shards):
        met = BitMap()
        async for rows in asking.pages(session, project_id, shard):
            met.update(await asking.meeting(session, project_id, shard, rows, askable, at))
        found[shard] = met
    return found
