"""A template from plain data, as YAML, JSON and GraphQL bring it, and plain data of a template.

The names are those of the records' fields. Reading is lenient: what is wrong is told with its place, and the
rest is read, so that whoever made three mistakes hears of three.
"""

from __future__ import annotations

import difflib
import re
import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from .findings import Finding, Path, read_rules
from .template import Template

RULES = read_rules("channels.alimtalk", ["reading"])
_SHAPE = RULES["AT000"]
_WHOLE = re.compile(r"-?[0-9]{1,18}")


def read_template(data: object) -> tuple[Template | None, list[Finding]]:
    """The template that the data describes, and everything that is wrong with its shape. None if it describes
    none at all. Never raises."""
    reading = _Reading()
    return reading.record(Template, data, ()), reading.findings


def to_data(template: Template) -> dict[str, Any]:
    """The way back: `read_template` of this is the same template. What is as by default is left out."""
    found: dict[str, Any] = _plain(template)
    return found


@dataclass
class _Reading:
    findings: list[Finding] = field(default_factory=list)

    def record(self, kind: Any, data: object, path: Path) -> Any:
        if not isinstance(data, Mapping):
            return self._tell("object", path, data, kind=kind.__name__)
        known = _fields(kind)
        for name in data:
            if name not in known:
                self._tell_unknown(kind.__name__, str(name), known, path)
        return kind(**{name: self._field(kind, one, data, path) for name, one in known.items()})

    def _field(self, kind: Any, one: Field[Any], data: Mapping[Any, Any], path: Path) -> Any:
        value, here = data.get(one.name), (*path, one.name)
        if value is not None:
            read = self._value(_hints(kind)[one.name], value, here)
            return _default(one) if read is None else read
        if _is_wanted(one):
            self.findings.append(_SHAPE.find("missing", here, kind=kind.__name__, name=one.name))
        return _default(one)

    def _value(self, hint: Any, value: object, path: Path) -> Any:
        """The value as this kind; None where it is not, which has been told then."""
        if hint is str:
            return self._text(value, path)
        if hint is bool:
            return value if isinstance(value, bool) else self._tell("flag", path, value)
        if hint is int:
            return self._number(value, path)
        if get_origin(hint) is tuple:
            return self._tuple(get_args(hint)[0], value, path)
        if get_origin(hint) in (Union, types.UnionType):
            return self.record(get_args(hint)[0], value, path)
        if isinstance(value, Mapping):
            return dict(value)
        return self._tell("object", path, value, kind="more")

    def _text(self, value: object, path: Path) -> Any:
        # A category or a phone number that somebody forgot to put in quotes; a date or a flag is no text.
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value) if abs(value) < 10**18 else self._tell("text", path, value)
        return value if isinstance(value, str) else self._tell("text", path, value)

    def _number(self, value: object, path: Path) -> Any:
        if isinstance(value, str) and _WHOLE.fullmatch(value):
            return int(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        return self._tell("number", path, value)

    def _tuple(self, kind: Any, value: object, path: Path) -> Any:
        if not isinstance(value, list | tuple):
            return self._tell("list", path, value)
        read = (self.record(kind, one, (*path, index)) for index, one in enumerate(value))
        # What is no record leaves an empty one, so that the others keep their places.
        return tuple(_blank(kind) if one is None else one for one in read)

    def _tell(self, problem: str, path: Path, value: object, **about: str) -> Any:
        """Tells what is wrong with a value. There is none to go on with, so the answer is None."""
        found, found_ko = _kind_of(value)
        self.findings.append(_SHAPE.find(problem, path, found=found, found_ko=found_ko, **about))
        return None

    def _tell_unknown(self, kind: str, name: str, known: Mapping[str, Any], path: Path) -> None:
        near = difflib.get_close_matches(name[:40], known, 1)
        self.findings.append(
            _SHAPE.find(
                "unknown",
                (*path, name),
                kind=kind,
                name=name[:40],
                known=", ".join(known),
                near=f" Did you mean `{near[0]}`?" if near else "",
                near_ko=f" `{near[0]}`을(를) 뜻하셨나요?" if near else "",
            )
        )


@cache
def _fields(kind: Any) -> dict[str, Field[Any]]:
    return {one.name: one for one in fields(kind)}


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _blank(kind: Any) -> Any:
    return kind(**{name: _default(one) for name, one in _fields(kind).items()})


def _is_wanted(one: Field[Any]) -> bool:
    return one.default is MISSING and one.default_factory is MISSING


def _default(one: Field[Any]) -> Any:
    if one.default_factory is not MISSING:
        return one.default_factory()
    # What is wanted is a text in every record.
    return "" if one.default is MISSING else one.default


def _kind_of(value: object) -> tuple[str, str]:
    for kind, names in _KINDS.items():
        if isinstance(value, kind):
            return names
    return "something else", "다른 것"


_KINDS: dict[type[Any], tuple[str, str]] = {
    type(None): ("nothing", "빈 값"),
    bool: ("true or false", "true/false 값"),
    int: ("a number", "숫자"),
    float: ("a number", "숫자"),
    str: ("a text", "글"),
    list: ("a list", "목록"),
    tuple: ("a list", "목록"),
    dict: ("names with values", "이름과 값의 묶음"),
}
"""`bool` stands before `int`, which it is one of."""


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {
            one.name: _plain(getattr(value, one.name))
            for one in fields(value)
            if _is_wanted(one) or getattr(value, one.name) != _default(one)
        }
    return [_plain(one) for one in value] if isinstance(value, tuple) else value
