"""Reading what a relay answered without believing in its shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx


def said_in(answer: httpx.Response) -> dict[str, Any]:
    """The JSON object in an answer; an empty one if there is none."""
    try:
        return an_object(answer.json())
    except (ValueError, RecursionError):
        return {}


def an_object(value: object) -> dict[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def objects(value: object) -> list[dict[str, Any]]:
    """The objects in a list; none if it is no list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
