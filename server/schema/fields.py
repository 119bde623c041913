"""Fields and mutations that are methods: typed, described, and with the size that their lists have."""

from collections.abc import Callable
from typing import Any, TypeVar

import strawberry

F = TypeVar("F", bound=Callable[..., Any])
Input = strawberry.argument(description="All of it in one object.")
"""The one argument of a mutation."""
ONCE = "The same key and input again gives the first answer again, and does nothing. 1 to 200 characters."
"""What an idempotency key does."""


def field(description: str, *, list_size: int | None = None) -> Callable[[F], F]:
    """A method as a field. `list_size` is what the limits take a list without pages to hold."""
    metadata = None if list_size is None else {"list_size": list_size}
    decorate: Callable[[F], F] = strawberry.field(description=description, metadata=metadata)
    return decorate


def mutation(description: str) -> Callable[[F], F]:
    decorate: Callable[[F], F] = strawberry.mutation(description=description)
    return decorate


def subscription(description: str) -> Callable[[F], F]:
    decorate: Callable[[F], F] = strawberry.subscription(description=description)
    return decorate
