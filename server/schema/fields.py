"""Fields and mutations that are methods: typed, described, and with the size that their lists have, and with
what they cost if that is more than usual."""

from collections.abc import Callable
from typing import Any, TypeVar

import strawberry

F = TypeVar("F", bound=Callable[..., Any])
Input = strawberry.argument(description="All of it in one object.")
"""The one argument of a mutation."""
ONCE = "The same key and input again gives the first answer again, and does nothing. 1 to 200 characters."
"""What an idempotency key does."""
IS_SHARED = "is_shared"
IS_NO_NEWS = "is_no_news"
"""In the metadata of what a shared subscription tells: that nothing but this field has changed is no news."""


def field(description: str, *, list_size: int | None = None, cost: int | None = None) -> Callable[[F], F]:
    """A method as a field. `list_size` is what the limits take a list without pages to hold; `cost` what they
    take the field itself for, where it is more work than reading a value."""
    told = {"list_size": list_size, "cost": cost}
    metadata = {name: number for name, number in told.items() if number is not None}
    decorate: Callable[[F], F] = strawberry.field(description=description, metadata=metadata)
    return decorate


def mutation(description: str) -> Callable[[F], F]:
    decorate: Callable[[F], F] = strawberry.mutation(description=description)
    return decorate


def subscription(description: str, *, is_shared: bool = False) -> Callable[[F], F]:
    """`is_shared` says that everybody with the same rights who asks the same is told the same: then it runs
    once for all of them."""
    metadata = {IS_SHARED: is_shared}
    decorate: Callable[[F], F] = strawberry.subscription(description=description, metadata=metadata)
    return decorate
