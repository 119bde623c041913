"""Everything that can be listened to, gathered."""

import strawberry

from .exports import ExportSubscription
from .in_app import InAppSubscription
from .live import LiveSubscription


@strawberry.type(
    description="What can be listened to: over a WebSocket (graphql-transport-ws) or as server-sent events "
    "(graphql-sse)."
)
class Subscription(InAppSubscription, ExportSubscription, LiveSubscription):
    pass
