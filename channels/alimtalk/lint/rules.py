"""The rules by their ids, as the TOML files beside this one say them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from channels.alimtalk.findings import Finding, Path, read_rules, read_toml

PACKAGE = "channels.alimtalk.lint"
SUBJECTS = (
    "types",
    "texts",
    "variables",
    "images",
    "items",
    "buttons",
    "links",
    "benefits",
    "advertising",
    "registration",
    "fallback",
    "sending",
)
"""Each a file with its rules, beside the code that follows them."""
RULES = dict(sorted(read_rules(PACKAGE, SUBJECTS, shared="common").items()))
_LABELS: dict[str, list[str]] = read_toml(PACKAGE, "labels")


def find(rule: str, problem: str, *path: str | int, field: str = "", **about: Any) -> Finding:
    """A finding at this place. `field` names what is meant, by its name in labels.toml."""
    if field:
        about["field_en"], about["field_ko"] = _LABELS[field]
    where: Path = path
    return RULES[rule].find(problem, where, **about)


def quoted(names: Iterable[str]) -> str:
    """Names of variables, as they stand in texts."""
    return ", ".join(f"#{{{name}}}" for name in names)
