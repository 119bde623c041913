"""A journey as a file: what `createJourney` takes, in a spelling that is nicer to read and to write.

In a file a length of time may stand as `delay: {duration: 1h 30m}` for `durationSeconds: 5400`, and a list of
names and values as an object. Everything else is as it is in the input; so the one can always be made of
the other, and whatever is wrong with the input has a place in the file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from server.files.lengths import to_seconds, to_words
from server.files.problems import CannotRead, FileProblem, Place
from server.files.reading import Path, Sheet, read_text
from server.files.writing import to_json, to_yaml

from .graph_inputs import GraphInput
from .named_texts import NamedTextInput
from .spelling import Field, fields_of, is_input, item_of

Data = dict[str, Any]
Spelled = tuple[str, ...]
"""A path in the input, as GraphQL tells it."""

_SECONDS = "Seconds"


def short(field: Field) -> str:
    """What a file calls a length of time."""
    return field.spelled.removesuffix(_SECONDS)


def to_text(variables: Data, *, as_json: bool) -> str:
    """The file of an input. As JSON it is the input itself, to be handed in as it is."""
    if as_json:
        return to_json(variables)
    graph = variables.get("graph")
    return to_yaml({**variables, "graph": _friendly(graph, GraphInput)} if graph else variables)


def _friendly(value: Any, kind: Any) -> Any:
    item = item_of(kind)
    if item is NamedTextInput:
        return {one["name"]: one["value"] for one in value}
    if item is not None:
        return [_friendly(one, item) for one in value]
    if is_input(kind):
        fields = ((one, value[one.spelled]) for one in fields_of(kind) if one.spelled in value)
        return dict(_friendly_field(one, inner) for one, inner in fields)
    return int(value) if kind is float and float(value).is_integer() else value


def _friendly_field(field: Field, value: Any) -> tuple[str, Any]:
    if field.is_length:
        return short(field), to_words(value)
    return field.spelled, _friendly(value, field.type)


@dataclass(slots=True)
class FiledJourney:
    """The input that a file says, with where each part of it stands."""

    variables: Data
    _sheet: Sheet
    _origins: dict[Spelled, Path] = field(default_factory=dict)

    def says(self, spelled: Spelled) -> bool:
        """Whether the file says anything under this name."""
        return spelled in self._origins

    def place_of(self, spelled: Spelled) -> Place | None:
        """Where in the file this part of the input stands, or what it would stand in."""
        for length in range(len(spelled), -1, -1):
            if (origin := self._origins.get(spelled[:length])) is not None:
                # What is inside a plain value is called in the file as it is in the input.
                rest = tuple(int(part) if part.isdigit() else part for part in spelled[length:])
                return self._sheet.place_of((*origin, *rest))
        return self._sheet.place_of(())


def read_journey(text: str) -> FiledJourney:
    """Raises CannotRead for what is no YAML or JSON, or no length of time. GraphQL checks the rest."""
    sheet = read_text(text)
    if not isinstance(sheet.data, dict):
        raise CannotRead([FileProblem("A journey is an object with `title` and `graph`.", Place(1))])
    walk = _Walk(sheet)
    variables = {name: walk.top(name, value) for name, value in sheet.data.items()}
    if walk.problems:
        raise CannotRead(walk.problems)
    return FiledJourney(variables, sheet, walk.origins)


@dataclass(slots=True)
class _Walk:
    sheet: Sheet
    origins: dict[Spelled, Path] = field(default_factory=dict)
    problems: list[FileProblem] = field(default_factory=list)

    def top(self, name: str, value: Any) -> Any:
        if name == "graph":
            return self.value(value, GraphInput, (name,), (name,))
        self.origins[(name,)] = (name,)
        return value

    def value(self, value: Any, kind: Any, here: Path, there: Spelled) -> Any:
        """What the input says for this. Whatever has another shape stays as it is: it will be refused."""
        self.origins[there] = here
        item = item_of(kind)
        if item is NamedTextInput and isinstance(value, Mapping):
            return [
                self._named(*pair, (*here, pair[0]), (*there, str(n))) for n, pair in enumerate(value.items())
            ]
        if item is not None and isinstance(value, list):
            return [self.value(one, item, (*here, n), (*there, str(n))) for n, one in enumerate(value)]
        if is_input(kind) and isinstance(value, Mapping):
            return dict(self._field(kind, name, inner, here, there) for name, inner in value.items())
        return value

    def _named(self, name: str, value: Any, here: Path, there: Spelled) -> Data:
        self.origins[there] = here
        return {"name": name, "value": value}

    def _field(self, kind: Any, name: str, value: Any, here: Path, there: Spelled) -> tuple[str, Any]:
        for one in fields_of(kind):
            if one.spelled == name:
                return name, self.value(value, one.type, (*here, name), (*there, name))
            if one.is_length and short(one) == name:
                self.origins[(*there, one.spelled)] = (*here, name)
                return one.spelled, self._seconds(name, value, (*here, name))
        self.origins[(*there, name)] = (*here, name)
        return name, value

    def _seconds(self, name: str, value: Any, here: Path) -> int | None:
        found = to_seconds(value) if isinstance(value, str) else None
        if found is None and value is not None:
            message = f"`{name}` is written like `1h 30m`, in w, d, h, m and s; found {str(value)[:60]!r}."
            self.problems.append(FileProblem(message, self.sheet.place_of(here)))
        return found
