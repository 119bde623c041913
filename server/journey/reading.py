"""Reads a graph from plain data and notes everything that is wrong, with its path, instead of stopping."""

from collections.abc import Iterator, Mapping
from typing import Any

from .moment import Path, Problem

MISSING = object()


class Reader:
    """A cursor on one object of the data. All cursors of one reading share one list of problems."""

    def __init__(self, data: Any, path: Path = (), problems: list[Problem] | None = None) -> None:
        self.path = path
        self.problems: list[Problem] = [] if problems is None else problems
        self._data: Mapping[str, Any] = data if isinstance(data, Mapping) else {}
        if not isinstance(data, Mapping):
            self.problems.append(Problem(path, f"An object was wanted, found {_name(data)}."))

    def refuse(self, key: str | int | None, message: str, code: str = "invalid") -> None:
        path = self.path if key is None else (*self.path, key)
        self.problems.append(Problem(path, message if message.endswith(".") else message + ".", code))

    def names(self) -> list[str]:
        """Of everything that is there, known or not."""
        return [str(name) for name in self._data]

    def value(self, key: str, *, required: bool = True, default: Any = None) -> Any:
        found = self._data.get(key, MISSING)
        if found is MISSING or found is None:
            if required:
                self.refuse(key, f"`{key}` is missing", "missing")
            return default
        return found

    def text(self, key: str, *, required: bool = True, longest: int = 10_000, default: str = "") -> str:
        found = self.value(key, required=required)
        if found is None:
            return default
        if not isinstance(found, str):
            self.refuse(key, f"`{key}` must be a text, found {_name(found)}")
            return default
        if required and not found.strip():
            self.refuse(key, f"`{key}` must not be empty", "missing")
        if len(found) > longest:
            self.refuse(key, f"`{key}` may be {longest} characters long, found {len(found)}", "too_long")
        return found

    def number(self, key: str, *, least: int, most: int, required: bool = True, default: int = 0) -> int:
        found = self.value(key, required=required, default=MISSING)
        if found is MISSING:
            return default
        if not isinstance(found, int) or isinstance(found, bool):
            self.refuse(key, f"`{key}` must be a whole number, found {_name(found)}")
            return default
        if not least <= found <= most:
            self.refuse(key, f"`{key}` must lie between {least} and {most}, found {found}", "out_of_range")
            return default
        return found

    def duration(self, key: str, *, least: int, most: int, required: bool = True, default: int = 0) -> int:
        """Milliseconds. People are told seconds, which is what they give."""
        found = self.value(key, required=required, default=MISSING)
        if isinstance(found, int) and not isinstance(found, bool) and not least <= found <= most:
            wanted = f"between {least / 1000:.0f} and {most / 1000:.0f} seconds"
            self.refuse(key, f"It must be {wanted}, found {found / 1000:.0f}", "out_of_range")
            return default
        return self.number(key, least=least, most=most, required=False, default=default)

    def flag(self, key: str, *, default: bool = False) -> bool:
        found = self.value(key, required=False, default=default)
        if not isinstance(found, bool):
            self.refuse(key, f"`{key}` must be true or false, found {_name(found)}")
            return default
        return found

    def choice(self, key: str, choices: tuple[str, ...]) -> str:
        """One of the choices; the first of them, having noted the problem, if it is none."""
        found = self.value(key)
        if found in choices:
            return str(found)
        if found is not None:
            self.refuse(key, f"`{key}` must be one of {', '.join(choices)}, found {_name(found)}")
        return choices[0]

    def within(self, key: str) -> "Reader | None":
        """A cursor on the object of that name, if there is one."""
        found = self.value(key, required=False)
        return None if found is None else Reader(found, (*self.path, key), self.problems)

    def inside(self, key: str) -> "Reader":
        """A cursor on the object under this key."""
        return Reader(self.value(key), (*self.path, key), self.problems)

    def items(self, key: str, *, most: int, least: int = 0) -> Iterator["Reader"]:
        found = self.value(key, required=least > 0)
        if found is None:
            return
        if not isinstance(found, list):
            self.refuse(key, f"`{key}` must be a list, found {_name(found)}")
            return
        if not least <= len(found) <= most:
            self.refuse(key, f"`{key}` may hold {least} to {most} items, found {len(found)}", "out_of_range")
        for index, item in enumerate(found[:most]):
            yield Reader(item, (*self.path, key, index), self.problems)


def _name(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    return repr(value)[:80]
