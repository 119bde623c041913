"""What a field is handed beside its arguments."""

from collections.abc import Iterator
from typing import Any, TypeAlias

import strawberry
from strawberry.types.nodes import SelectedField

from server.context import Context

Info: TypeAlias = strawberry.Info[Context, None]


def fields_below(info: Info) -> Iterator[tuple[str, SelectedField]]:
    """Every field that is asked for anywhere below the present one, and the name of the field above it."""
    for field in info.selected_fields:
        yield from _below(info.field_name, field.selections)


def _below(above: str, selections: list[Any]) -> Iterator[tuple[str, SelectedField]]:
    for selection in selections:
        if isinstance(selection, SelectedField):
            yield above, selection
            yield from _below(selection.name, selection.selections)
        else:
            yield from _below(above, selection.selections)
