"""How the inputs of a graph are spelled as the plain data that is stored: one walk over types, each way.

The types say nearly everything. A field `…_seconds` is stored in milliseconds under `…_ms`; a list of names
and values as an object; what holds one of several members as that member with its name beside it, under
`kind` or what `told_by` of the type says. A field that is stored under another name says so in its metadata.
"""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass
from enum import Enum
from functools import cache
from typing import Any

import strawberry
from strawberry.schema.name_converter import NameConverter
from strawberry.types.base import StrawberryList, StrawberryOptional
from strawberry.types.enum import StrawberryEnumDefinition

from server.journey.moment import Path

from .named_texts import NamedTextInput

Data = dict[str, Any]

_SECONDS, _MS = "_seconds", "_ms"
_names = NameConverter()


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an input: its name in Python, in GraphQL, and in what is stored."""

    name: str
    spelled: str
    stored: str
    type: Any
    default: Any = MISSING

    @property
    def has_default(self) -> bool:
        return self.default is not MISSING

    @property
    def is_length(self) -> bool:
        """Whether it says for how long, in seconds."""
        return self.name.endswith(_SECONDS)


@cache
def fields_of(kind: Any) -> tuple[Field, ...]:
    return tuple(_field(one) for one in kind.__strawberry_definition__.fields)


def _field(one: Any) -> Field:
    name = one.python_name
    stored = one.metadata.get("stored") or one.graphql_name or name
    if name.endswith(_SECONDS):
        stored = name.removesuffix(_SECONDS) + _MS
    return Field(name, _names.get_graphql_name(one), stored, _bare(one.type), one.default)


def _bare(kind: Any) -> Any:
    return _bare(kind.of_type) if isinstance(kind, StrawberryOptional) else kind


def item_of(kind: Any) -> Any:
    """What a list of this type holds; None if it is no list."""
    return _bare(kind.of_type) if isinstance(kind, StrawberryList) else None


def is_input(kind: Any) -> bool:
    return hasattr(kind, "__strawberry_definition__")


def is_one_of(kind: Any) -> bool:
    return is_input(kind) and bool(kind.__strawberry_definition__.is_one_of)


def told_by(kind: Any) -> str:
    """Under which name it is stored which member was given."""
    return str(getattr(kind, "told_by", "kind"))


def to_stored(given: Any, kind: Any) -> Any:
    """Plain data of what came in; what was not given is left out."""
    item = item_of(kind)
    if item is NamedTextInput:
        return {one.name: one.value for one in given}
    if item is not None:
        return [to_stored(one, item) for one in given]
    if is_one_of(kind):
        field, value = _member(given, kind)
        return {told_by(kind): field.name, **to_stored(value, field.type)}
    if is_input(kind):
        values = ((field, getattr(given, field.name)) for field in fields_of(kind))
        return {field.stored: _put(value, field) for field, value in values if value is not None}
    return given.value if isinstance(given, Enum) else given


def _member(given: Any, kind: Any) -> tuple[Field, Any]:
    """The one member that is given."""
    values = ((field, getattr(given, field.name)) for field in fields_of(kind))
    return next((field, value) for field, value in values if value is not strawberry.UNSET)


def _put(value: Any, field: Field) -> Any:
    return value * 1000 if field.is_length else to_stored(value, field.type)


def to_spelled(stored: Any, kind: Any) -> Any:
    """What would have to come in for this to be stored, as JSON, without what defaults say anyway.

    Raises ValueError where the type has no place for what is stored, so that nothing is lost in silence.
    """
    item = item_of(kind)
    if item is NamedTextInput:
        return [{"name": name, "value": value} for name, value in stored.items()]
    if item is not None:
        return [to_spelled(one, item) for one in stored]
    if is_one_of(kind):
        field, rest = _stored_member(stored, kind)
        return {field.spelled: to_spelled(rest, field.type)}
    if is_input(kind):
        return _spelled_fields(stored, kind)
    return kind.wrapped_cls(stored).name if isinstance(kind, StrawberryEnumDefinition) else stored


def _stored_member(stored: Data, kind: Any) -> tuple[Field, Data]:
    rest = dict(stored)
    name = rest.pop(told_by(kind))
    for field in fields_of(kind):
        if field.name == name:
            return field, rest
    raise ValueError(f"{_title(kind)} has no place for {name!r}")


def _spelled_fields(stored: Data, kind: Any) -> Data:
    fields = {field.stored: field for field in fields_of(kind)}
    if lost := stored.keys() - fields.keys():
        raise ValueError(f"{_title(kind)} has no place for {', '.join(sorted(lost))}")
    spelled: Data = {}
    for name, field in fields.items():
        value = stored.get(name)
        if value is not None and value != _stored_default(field):
            spelled[field.spelled] = value // 1000 if field.is_length else to_spelled(value, field.type)
    return spelled


def _stored_default(field: Field) -> Any:
    return field.default.value if isinstance(field.default, Enum) else field.default


def _title(kind: Any) -> str:
    return str(kind.__strawberry_definition__.name)


def from_spelled(spelled: Any, kind: Any) -> Any:
    """The input that this JSON makes. It checks nothing itself: GraphQL has to have taken it, or would."""
    if spelled is None:
        return None
    item = item_of(kind)
    if item is not None:
        return [from_spelled(one, item) for one in spelled]
    if is_input(kind):
        given = {
            f.name: from_spelled(spelled[f.spelled], f.type) for f in fields_of(kind) if f.spelled in spelled
        }
        return kind(**given)
    if isinstance(kind, StrawberryEnumDefinition):
        return kind.wrapped_cls[spelled]
    return spelled


def to_spelled_path(path: Path, stored: Any, kind: Any) -> list[str]:
    """Where in the input a problem lies that was found in what is stored."""
    found: list[str] = []
    for depth, part in enumerate(path):
        item = item_of(kind)
        if item is NamedTextInput:
            return [*found, *_in_named_texts(stored, path[depth:])]
        if item is not None:
            found.append(str(part))
            stored, kind = _inside(stored, part), item
            if is_one_of(kind) and isinstance(stored, Mapping):
                kind = _go_to_member(found, stored, kind)
            continue
        field = next((one for one in fields_of(kind) if one.stored == part), None) if is_input(kind) else None
        if field is None:
            # What is inside a plain value has its own names.
            return [*found, *map(str, path[depth:])]
        found.append(field.spelled)
        stored, kind = _inside(stored, part), field.type
    return found


def _go_to_member(found: list[str], stored: Mapping[str, Any], kind: Any) -> Any:
    """Adds the member that is stored here, and says of which type it is."""
    for field in fields_of(kind):
        if field.name == stored.get(told_by(kind)):
            found.append(field.spelled)
            return field.type
    return None


def _in_named_texts(stored: Any, path: Path) -> list[str]:
    # They came as a list of names and values.
    name = path[0]
    if isinstance(stored, Mapping) and name in stored:
        return [str(list(stored).index(name)), "value"]
    return [str(name)]


def _inside(stored: Any, part: str | int) -> Any:
    if isinstance(part, int):
        return stored[part] if isinstance(stored, list) and part < len(stored) else None
    return stored.get(part) if isinstance(stored, Mapping) else None
