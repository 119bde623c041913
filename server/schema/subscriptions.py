"""Everything that can be listened to, gathered."""

import strawberry

from .exports import ExportSubscription
from .in_app import InAppSubscription


@strawberry.type(description="What can be listened to, over a WebSocket (graphql-transport-ws).")
class Subscription(InAppSubscription, ExportSubscription):
    pass
