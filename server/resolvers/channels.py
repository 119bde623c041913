"""What can be connected, and what the channels of a project can tell."""

from channels.contract import ReceiptKind
from server.context import Context
from server.store import adapters as plugged_in
from server.store.adapters import Adapter

SEEN_BY_OUR_LINKS = frozenset({ReceiptKind.OPENED, ReceiptKind.CLICKED, ReceiptKind.UNSUBSCRIBED})
"""In e-mails, our own links tell this, whatever the provider does."""

CLICKS_FOLLOWED = ("push", "sms", "whatsapp", "in_app")
"""Channels without HTML whose links lead through us, too."""

BY_OUR_LINKS = {
    "email": SEEN_BY_OUR_LINKS,
    **dict.fromkeys(CLICKS_FOLLOWED, frozenset({ReceiptKind.CLICKED})),
}
"""By channel: what our own links tell."""


async def adapters(context: Context) -> list[Adapter]:
    """Everything that is plugged in, in order of key."""
    return plugged_in.listed(context.plugged_in)


async def observes(context: Context) -> dict[str, frozenset[ReceiptKind]]:
    """By channel: the kinds of receipts that any of the project's connections can bring."""
    found = dict(BY_OUR_LINKS)
    for channel, kinds in await context.observed.load(context.project_id):
        found[channel] = found.get(channel, frozenset()) | kinds
    return found


__all__ = ["BY_OUR_LINKS", "CLICKS_FOLLOWED", "SEEN_BY_OUR_LINKS", "Adapter", "adapters", "observes"]
