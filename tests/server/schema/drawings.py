"""Every graph that can be handed in, as JSON: drawn by the types of the inputs, whatever they say."""

from functools import cache
from typing import Any

import strawberry
from hypothesis import strategies as st
from strawberry.scalars import JSON
from strawberry.types.enum import StrawberryEnumDefinition

from server.schema.graph_inputs import GraphInput, StepInput
from server.schema.spelling import Field, fields_of, is_input, is_one_of, item_of

Drawn = st.SearchStrategy[Any]

TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=30)
NUMBERS = st.integers(0, 2**31 - 1)
PLAIN = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
)
VALUES: Drawn = st.recursive(
    PLAIN | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
SCALARS: dict[Any, Drawn] = {
    str: TEXTS,
    strawberry.ID: TEXTS,
    int: NUMBERS,
    float: st.floats(-1e6, 1e6),
    bool: st.booleans(),
    JSON: VALUES,
}


@cache
def drawn(kind: Any) -> Drawn:
    """Anything of this type."""
    if (item := item_of(kind)) is not None:
        return st.lists(st.deferred(lambda: drawn(item)), max_size=3)
    if is_one_of(kind):
        return st.one_of([member(field) for field in fields_of(kind)])
    if is_input(kind):
        must = {field.spelled: later(field) for field in fields_of(kind) if not field.has_default}
        may = {field.spelled: later(field) for field in fields_of(kind) if field.has_default}
        return st.fixed_dictionaries(must, optional=may)
    if isinstance(kind, StrawberryEnumDefinition):
        return st.sampled_from([one.name for one in kind.values])
    return SCALARS[kind]


def later(field: Field) -> Drawn:
    return st.deferred(lambda: drawn(field.type))


def member(field: Field) -> Drawn:
    """What holds one of several, holding this one."""
    return later(field).map(lambda value: {field.spelled: value})


GRAPHS: Drawn = drawn(GraphInput)
STEPS: dict[str, Drawn] = {field.name: member(field) for field in fields_of(StepInput)}
"""By the kind's name."""
