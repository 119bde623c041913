"""Reads YAML or JSON: plain data as JSON knows it, and the place of everything in it.

It reads what YAML 1.2 calls the JSON schema, more forgivingly: numbers as JSON writes them, `true`, `false`
and `null` (also `~`, or nothing), and everything else as text. So `yes`, `on`, `2024-01-01` and
`010-1234-5678` are texts. Anchors, aliases and tags are refused: what is read is what is written.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
import yaml

from .problems import CannotRead, FileProblem, Place

Data = Any
Path = tuple[str | int, ...]

DEEPEST = 100
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_TEXT = "tag:yaml.org,2002:str"
_MOST_PROBLEMS = 20


@dataclass(slots=True)
class Sheet:
    """What a file says, and where it says it."""

    data: Data
    places: dict[Path, Place] = field(default_factory=dict)

    def place_of(self, path: Path) -> Place | None:
        """Where this stands, or else what it would stand in."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.places:
                return self.places[path[:length]]
        return None


def read_text(text: str) -> Sheet:
    """Raises CannotRead with everything that is wrong."""
    text = text.removeprefix("\ufeff")
    if text.lstrip().startswith("{") and (found := _as_json(text)) is not None:
        return found
    return _as_yaml(text)


def _as_json(text: str) -> Sheet | None:
    """The data is what a reader of JSON makes of it; YAML, of which JSON is a part, tells the places."""
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None  # Perhaps it is YAML in braces; if not, that will be said of it.
    try:
        # A tab stands in JSON between words only, and YAML wants none there.
        return Sheet(data, _as_yaml(text.replace("\t", " ")).places)
    except CannotRead as error:
        told_twice = [problem for problem in error.problems if "twice" in problem.message]
        if told_twice:
            raise CannotRead(told_twice) from error
        return Sheet(data)


def _as_yaml(text: str) -> Sheet:
    walk = _Walk(_events(text))
    data = walk.document()
    if walk.problems:
        raise CannotRead(walk.problems)
    return Sheet(data, walk.places)


def _events(text: str) -> Iterator[Any]:
    try:
        yield from yaml.parse(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        why = ", ".join(part for part in (error.context, error.problem) if part)
        raise CannotRead([FileProblem(f"This is no YAML: {why}.", _place(mark) if mark else None)]) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        problem = FileProblem(
            f"The character U+{ord(text[error.position]):04X} cannot stand here.", Place(line)
        )
        raise CannotRead([problem]) from error


def _place(mark: Any) -> Place:
    return Place(mark.line + 1, mark.column + 1)


@dataclass(slots=True)
class _Walk:
    """One pass over what the parser finds. It builds nothing that it was not handed."""

    events: Iterator[Any]
    places: dict[Path, Place] = field(default_factory=dict)
    problems: list[FileProblem] = field(default_factory=list)

    def document(self) -> Data:
        next(self.events)  # The stream begins.
        first = next(self.events)
        if isinstance(first, yaml.StreamEndEvent):
            return None
        data = self._value(next(self.events), ())
        next(self.events)
        more = next(self.events)
        if not isinstance(more, yaml.StreamEndEvent):
            self._refuse("A file holds one document; here begins another.", more)
        return data

    def _value(self, event: Any, path: Path) -> Data:
        self.places.setdefault(path, _place(event.start_mark))
        if len(path) > DEEPEST:
            raise CannotRead([FileProblem(f"This is more than {DEEPEST} deep.", _place(event.start_mark))])
        if isinstance(event, yaml.AliasEvent):
            return self._refuse(f"*{event.anchor}: write it out; aliases are not taken.", event)
        if event.tag not in (None, "!", _TEXT):
            self._refuse(f"The tag {event.tag} is not taken.", event)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path)
        return self._scalar(event)

    def _mapping(self, path: Path) -> Data:
        found: dict[str, Data] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise CannotRead([FileProblem("A name has to be a text.", _place(event.start_mark))])
            name = event.value
            if name in found:
                self._refuse(f"`{name}` is here twice.", event)
            self.places[(*path, name)] = _place(event.start_mark)
            found[name] = self._value(next(self.events), (*path, name))
        return found

    def _sequence(self, path: Path) -> Data:
        found: list[Data] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            found.append(self._value(event, (*path, len(found))))
        return found

    def _scalar(self, event: Any) -> Data:
        text: str = event.value
        if event.style is not None or event.tag is not None:
            return text
        if text in _WORDS:
            return _WORDS[text]
        if NUMBER.fullmatch(text):
            return self._number(text, event)
        return text

    def _number(self, text: str, event: Any) -> Data:
        try:
            found = orjson.loads(text)
        except orjson.JSONDecodeError:
            found = None  # More than any number is.
        if found is None or (isinstance(found, float) and text.lstrip("-").isdigit()):
            return self._refuse(f"{text[:40]} is too large; write it in quotes if it is a text.", event)
        return found

    def _refuse(self, message: str, event: Any) -> None:
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(FileProblem(message, _place(event.start_mark)))
