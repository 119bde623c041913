"""Variables of a template, as `#{이름}`, and what a recipient sees once they are filled."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cache
from operator import is_not
from typing import Any, TypeVar

from .template import Template

T = TypeVar("T")
_VARIABLE = re.compile(r"#\{([^{}]*)\}")
_NEVER_FILLED = ("name", "category", "message_type", "emphasis", "more")


def texts_of(template: Template) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every text of the template that may hold variables, with its path, in the order of its fields."""
    for one in fields(template):
        if one.name not in _NEVER_FILLED:
            yield from _texts(getattr(template, one.name), (one.name,))


def variables_of(template: Template) -> tuple[str, ...]:
    """The names between `#{` and `}`, each once, in the order in which they first stand."""
    names = (name for _, text in texts_of(template) for name in variables_in(text))
    return tuple(dict.fromkeys(names))


def variables_in(text: str) -> list[str]:
    return _VARIABLE.findall(text)


def bare(name: str) -> str:
    """The name of a variable without its wrapper: `#{이름}` and `이름` are the same."""
    name = name.strip()
    return name[2:-1].strip() if name.startswith("#{") and name.endswith("}") else name


def fill_text(text: str, values: Mapping[str, str]) -> str:
    """The text with the variables that `values` has filled; others stay as they are."""
    return _VARIABLE.sub(lambda found: values.get(found[1], found[0]), text)


def fill(template: Template, values: Mapping[str, str]) -> Template:
    """What a recipient sees. A variable without a value stays as it is: `variables_of` still finds it."""
    return _filled(template, values, _NEVER_FILLED)


def _texts(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, tuple):
        for index, inner in enumerate(value):
            yield from _texts(inner, (*path, index))
    elif is_dataclass(value):
        for one in fields(value):
            yield from _texts(getattr(value, one.name), (*path, one.name))


def _filled(value: T, values: Mapping[str, str], kept: tuple[str, ...] = ()) -> T:
    """The same with every text in it filled; the very same where there is nothing to fill. It is done for
    every message, so that only what changes is made anew."""
    if isinstance(value, str):
        return fill_text(value, values) if "#{" in value else value  # type: ignore[return-value]  # a str is a str
    if isinstance(value, tuple):
        filled = tuple(_filled(inner, values) for inner in value)
        return filled if any(map(is_not, filled, value)) else value  # type: ignore[return-value]  # of the same kind
    if not is_dataclass(value) or isinstance(value, type):
        return value
    changed = {}
    for name in _names(type(value)):
        before = None if name in kept else getattr(value, name)
        if before and (after := _filled(before, values)) is not before:
            changed[name] = after
    return replace(value, **changed) if changed else value


@cache
def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(one.name for one in fields(kind))
