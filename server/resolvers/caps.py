"""How often at most the project writes to one person on a channel."""

from collections.abc import Sequence

from server.context import Context
from server.journey.steps.sending_rules import LONGEST_WINDOW, MOST_IN_WINDOW, SHORTEST_WINDOW
from server.store import caps
from server.store.caps import Limit
from server.store.same_address import same_channel
from server.store.sessions import WriteSession
from server.store.tables import FrequencyCap

from .once import Answer, once
from .refusals import Invalid

MOST_CAPS = 50
"""Of one project, over all channels."""


async def listed(context: Context) -> list[FrequencyCap]:
    """By channel, the shortest window first."""
    async with context.db.read() as session:
        return await caps.of_project(session, context.project_id)


async def replace(context: Context, wanted: Sequence[tuple[str, Limit]], key: str | None) -> Answer:
    """Puts these in the place of all caps. Raises Invalid, IdempotencyConflict."""
    checked = _checked(wanted)

    async def work(session: WriteSession) -> Answer:
        await caps.replace(session, context.project_id, checked, context.clock.now())
        return {"caps": len(checked)}

    return await once(context, key, ("setFrequencyCaps", [[*one] for one in checked]), work)


def _checked(wanted: Sequence[tuple[str, Limit]]) -> list[tuple[str, Limit]]:
    if len(wanted) > MOST_CAPS:
        raise Invalid(f"A project has at most {MOST_CAPS} caps, found {len(wanted)}.", ("input", "caps"))
    checked: dict[tuple[str, int], tuple[str, Limit]] = {}
    for index, (channel, limit) in enumerate(wanted):
        path = ("input", "caps", index)
        name = same_channel(channel)
        if name is None:
            raise Invalid(f"A channel like email was wanted, found {channel[:40]!r}.", (*path, "channel"))
        if not 1 <= limit.most <= MOST_IN_WINDOW:
            message = f"A number from 1 to {MOST_IN_WINDOW} was wanted, found {limit.most}."
            raise Invalid(message, (*path, "most"))
        if not SHORTEST_WINDOW <= limit.window_ms <= LONGEST_WINDOW:
            message = (
                f"From 60 to {LONGEST_WINDOW // 1000} seconds were wanted, found {limit.window_ms // 1000}."
            )
            raise Invalid(message, (*path, "windowSeconds"))
        if (name, limit.window_ms) in checked:
            raise Invalid(f"There are two caps of {name} for one window.", path)
        checked[name, limit.window_ms] = (name, limit)
    return list(checked.values())
