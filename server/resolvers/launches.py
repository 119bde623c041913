"""Launches of a journey."""

from typing import Any

from server.context import Context
from server.store import launches

MOST = 20


async def latest(context: Context, journey_id: int) -> list[Any]:
    """The launches of a journey that are due last, those to come included; the last due first."""
    async with context.db.read() as session:
        return await launches.latest(session, context.shards, journey_id, MOST)
