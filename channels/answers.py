"""Reading what a provider says, in an answer or a callback, without believing in its shape."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx


def said_in(answer: httpx.Response) -> dict[str, Any]:
    """The JSON object in an answer; an empty one if there is none."""
    return an_object(read_json(answer.content))


def read_json(text: str | bytes) -> Any:
    """The JSON value in a text; None for what is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def an_object(value: object) -> dict[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def a_list(value: object) -> list[Any]:
    """The value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def objects(value: object) -> list[dict[str, Any]]:
    """The objects in a list; none if it is no list."""
    return [one for one in a_list(value) if isinstance(one, dict)]


def words(value: object) -> str:
    """A text as it is, a number or the like in its own words, nothing for null."""
    if isinstance(value, str):
        return value
    return "" if value is None else str(value)
