"""Pages of a list by keys, in both directions: a cursor names a place, so it survives inserts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, literal, tuple_

from server.errors import BadInput

MOST = 100
USUAL = 20


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list: `limit` rows after a place, or before it when reading `backward`."""

    limit: int
    backward: bool = False
    place: tuple[Any, ...] | None = None
    """The keys of the row to go on from; none is the very beginning, or the very end."""


@dataclass(frozen=True, slots=True)
class Slice:
    """The rows of a page in the order of the list, and whether there are more on either side."""

    rows: Sequence[Any]
    has_previous: bool
    has_next: bool


def check_size(first: int | None, last: int | None) -> tuple[int, bool]:
    """How many rows, and whether from the end. Raises BadInput for both, none of 1 to 100."""
    if first is not None and last is not None:
        raise BadInput("Give `first` or `last`, not both.")
    size = last if last is not None else first if first is not None else USUAL
    if not 1 <= size <= MOST:
        raise BadInput(f"A page has 1 to {MOST} items, found {size}.")
    return size, last is not None


def within(
    statement: Select[Any], keys: Sequence[ColumnElement[Any]], page: Page, *, descending: bool = False
) -> Select[Any]:
    """The statement for one page and one row more. `keys` order the list and are unique together."""
    down = descending is not page.backward
    if page.place is not None:
        if not _fits(page.place, keys):
            raise BadInput("This is not a cursor of this list; begin anew without it.")
        here = tuple_(*keys)
        there = tuple_(*(literal(value, key.type) for value, key in zip(page.place, keys, strict=True)))
        statement = statement.where(here < there if down else here > there)
    ordered = [key.desc() if down else key.asc() for key in keys]
    return statement.order_by(*ordered).limit(page.limit + 1)


def _fits(place: tuple[Any, ...], keys: Sequence[ColumnElement[Any]]) -> bool:
    """A cursor comes from outside: its values must be of the kinds that the keys are of."""
    return len(place) == len(keys) and all(
        type(value) is key.type.python_type
        and ("\0" not in value if isinstance(value, str) else abs(value) < _end(key))
        for value, key in zip(place, keys, strict=True)
    )


def _end(key: ColumnElement[Any]) -> int:
    return 2**63 if isinstance(key.type, BigInteger) else 2**31


def sliced(rows: Sequence[Any], page: Page) -> Slice:
    """What `within` found, put into order."""
    more, rows = len(rows) > page.limit, list(rows[: page.limit])
    if page.backward:
        return Slice(rows[::-1], has_previous=more, has_next=page.place is not None)
    return Slice(rows, has_previous=page.place is not None, has_next=more)
