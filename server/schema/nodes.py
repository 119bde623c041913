"""What has a global id."""

import strawberry


@strawberry.interface(description="Something with an id of its own, by which it can be asked for again.")
class Node:
    id: strawberry.ID = strawberry.field(description="Opaque, and unique over all kinds of things.")
