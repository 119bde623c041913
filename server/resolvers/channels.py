"""What can be connected, and what the channels of a project can tell."""

from channels.contract import ReceiptKind
from server.context import Context

SEEN_BY_OUR_LINKS = frozenset({ReceiptKind.OPENED, ReceiptKind.CLICKED, ReceiptKind.UNSUBSCRIBED})
"""In e-mails, our own links tell this, whatever the provider does."""


async def observes(context: Context) -> dict[str, frozenset[ReceiptKind]]:
    """By channel: the kinds of receipts that any of the project's connections can bring."""
    found = {"email": SEEN_BY_OUR_LINKS}
    for row in await context.loaders.connections_by_project.load(context.project_id):
        adapter = context.host.channels.get(row.adapter) if context.host else None
        if adapter is not None:
            found[row.channel] = found.get(row.channel, frozenset()) | adapter.capabilities.observes
    return found
