"""What can be connected, and what the channels of a project can tell."""

from channels.contract import ReceiptKind
from server.context import Context
from server.store import adapters as plugged_in
from server.store.adapters import Adapter
from server.store.open_connections import BY_OUR_LINKS, CLICKS_FOLLOWED, heard


async def adapters(context: Context) -> list[Adapter]:
    """Everything that is plugged in, in order of key."""
    return plugged_in.listed(context.plugged_in)


async def observes(context: Context) -> dict[str, frozenset[ReceiptKind]]:
    """By channel: the kinds of receipts that any of the project's connections can bring."""
    return heard(await context.observed.load(context.project_id))


__all__ = ["BY_OUR_LINKS", "CLICKS_FOLLOWED", "Adapter", "adapters", "observes"]
