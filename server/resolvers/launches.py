"""Launches of a journey."""

from typing import Any

from server.context import Context


async def latest(context: Context, journey_id: int) -> list[Any]:
    """The launches of a journey that are due last, those to come included; the last due first."""
    return await context.loaders.launches_by_journey.load(journey_id) or []
