"""Writes plain data as YAML that people like to read and change, or as JSON."""

import re
from typing import Any

import orjson
import yaml

from .reading import NUMBER

_SHORT = 88
"""An object that fits into so many characters stands on one line."""
_WIDE = 2**31
"""Long texts are not broken: a line that was broken anew is a change in every diff."""

_OTHER_BREAKS = "\r\x85\u2028\u2029"


class _Writer(yaml.SafeDumper):
    """Quotes whatever any reader of YAML might take for something other than the text that it is."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)


def _text(writer: _Writer, text: str) -> Any:
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style=_style_of(text))


def _style_of(text: str) -> str | None:
    if any(char in text for char in _OTHER_BREAKS):
        return '"'  # Else readers make a line's end, or a space, of them.
    lines = text.split("\n")
    # What a block cannot show the writer puts into quotes by itself.
    return "|" if len(lines) > 1 and all(line == line.rstrip() for line in lines) else None


def _object(writer: _Writer, value: dict[str, Any]) -> Any:
    return writer.represent_mapping("tag:yaml.org,2002:map", value, flow_style=_is_short(value))


def _is_short(value: dict[str, Any]) -> bool:
    flat = all(not isinstance(one, dict | list) or not one for one in value.values())
    return flat and "\n" not in str(value) and sum(map(len, map(str, (*value, *value.values())))) < _SHORT


class _Whole(dict[str, Any]):
    """A file's own object, which is never put on one line."""


def _whole(writer: _Writer, value: _Whole) -> Any:
    return writer.represent_mapping("tag:yaml.org,2002:map", dict(value), flow_style=False)


_Writer.add_representer(str, _text)
_Writer.add_representer(dict, _object)
_Writer.add_representer(_Whole, _whole)
_Writer.add_implicit_resolver("!number", re.compile(rf"(?:{NUMBER.pattern})\Z"), list("-0123456789"))


def to_yaml(data: dict[str, Any]) -> str:
    text: str = yaml.dump(
        _Whole(data),
        Dumper=_Writer,
        allow_unicode=True,
        sort_keys=False,
        width=_WIDE,
        default_flow_style=False,
    )
    return text


def to_json(data: dict[str, Any]) -> str:
    return orjson.dumps(data, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()
