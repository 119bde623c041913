"""What a field is handed beside its arguments."""

from collections.abc import Iterator
from typing import Any, TypeAlias

import strawberry
from strawberry.types.nodes import FragmentSpread, InlineFragment, SelectedField

from server.context import Context

Info: TypeAlias = strawberry.Info[Context, None]


def fields_below(info: Info) -> Iterator[SelectedField]:
    """Every field that is asked for anywhere below the present one."""
    for field in info.selected_fields:
        yield from _below(field.selections)


def _below(selections: list[Any]) -> Iterator[SelectedField]:
    for selection in selections:
        if isinstance(selection, SelectedField):
            yield selection
        yield from _below(selection.selections)


def asks_for(info: Info, *names: str) -> bool:
    """Whether one of these fields is asked for directly below the present one."""
    return any(_names_any(field.selections, names) for field in info.selected_fields)


def _names_any(selections: list[Any], names: tuple[str, ...]) -> bool:
    return any(
        _names_any(selection.selections, names)
        if isinstance(selection, FragmentSpread | InlineFragment)
        else selection.name in names
        for selection in selections
    )
