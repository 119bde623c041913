"""Scalars that GraphQL does not bring along."""

from typing import TYPE_CHECKING, NewType, TypeAlias

import strawberry
from strawberry.types.scalar import ScalarDefinition

LARGEST = 2**63 - 1

if TYPE_CHECKING:
    Count: TypeAlias = int
else:
    Count = NewType("Count", int)


def _number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > LARGEST:
        raise ValueError(f"A whole number of at most 64 bits is wanted, found {value!r}.")
    return value


SCALARS: dict[object, ScalarDefinition] = {
    Count: strawberry.scalar(
        name="Count",
        description=(
            "How many: a whole number of up to 64 bits, written as a JSON number. "
            "Whoever reads it into a double, as JavaScript does, has it exactly up to 9,007,199,254,740,991."
        ),
        serialize=_number,
        parse_value=_number,
    )
}
"""By what a field is annotated with."""
