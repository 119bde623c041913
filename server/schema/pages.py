"""Connections: lists in pages, forwards and backwards, with cursors that survive inserts."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated, Any, TypeAlias

import orjson
import strawberry

from server.errors import BadInput
from server.store.paging import Page, Slice, check_size

First: TypeAlias = Annotated[
    int | None, strawberry.argument(description="How many from the beginning, or after `after`: 1 to 100.")
]
After: TypeAlias = Annotated[
    str | None, strawberry.argument(description="A cursor; the page begins behind it.")
]
Last: TypeAlias = Annotated[
    int | None, strawberry.argument(description="How many from the end, or before `before`: 1 to 100.")
]
Before: TypeAlias = Annotated[
    str | None, strawberry.argument(description="A cursor; the page ends before it.")
]


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether more follows this page.")
    has_previous_page: bool = strawberry.field(description="Whether something comes before this page.")
    start_cursor: str | None = strawberry.field(description="The first item's place; null in an empty page.")
    end_cursor: str | None = strawberry.field(description="The last item's place; null in an empty page.")


def page_of(
    order: str,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
) -> Page:
    """The page that these arguments ask for. `order` names the list's order; its cursors fit no other."""
    limit, backward = check_size(first, last)
    if (after is not None and backward) or (before is not None and not backward):
        raise BadInput("`after` goes with `first`, and `before` with `last`.")
    cursor = before if backward else after
    return Page(limit, backward, None if cursor is None else _read(cursor, order))


def cursor_of(order: str, *keys: Any) -> str:
    return urlsafe_b64encode(orjson.dumps([order, *keys])).decode().rstrip("=")


def page_info(found: Slice, cursors: list[str]) -> PageInfo:
    return PageInfo(
        has_next_page=found.has_next,
        has_previous_page=found.has_previous,
        start_cursor=cursors[0] if cursors else None,
        end_cursor=cursors[-1] if cursors else None,
    )


def _read(cursor: str, order: str) -> tuple[Any, ...]:
    try:
        named, *keys = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, TypeError) as error:
        raise BadInput("This is not a cursor of this API.") from error
    if named != order or not all(isinstance(key, int | str) for key in keys):
        raise BadInput("This cursor belongs to a list in another order; begin anew without it.")
    return tuple(keys)
