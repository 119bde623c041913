"""A diff of two drawings, as lines for people: + what is new, - what is gone, ~ what is otherwise."""

import difflib
from collections.abc import Iterator
from typing import Any

import orjson

from server.files.lengths import to_words
from server.journey.diff import EdgeChange, GraphDiff, ItemChange

Data = dict[str, Any]

_MARKS = {"ADDED": "+", "REMOVED": "-", "CHANGED": "~"}
_LONG = 60
_SECONDS = "Seconds"

SELECTION = """isEmpty
    steps { change key kind title fields { path old new } }
    edges { change from output oldTo newTo }
    goals { change key title fields { path old new } }
    settings { path old new }"""
"""What of a `JourneyDiff` is told."""


def as_told(found: GraphDiff) -> Data:
    """A diff that was made here, in the shape in which GraphQL tells one."""
    return {
        "isEmpty": found.is_empty,
        "steps": [{**_item(one), "kind": one.item["kind"]} for one in found.steps],
        "edges": [_edge(one) for one in found.edges],
        "goals": [_item(one) for one in found.goals],
        "settings": [_field(one) for one in found.settings],
    }


def _item(one: ItemChange) -> Data:
    title = one.item.get("title") or one.key
    fields = [_field(field) for field in one.fields]
    return {"change": one.change.name, "key": one.key, "title": title, "fields": fields}


def _edge(one: EdgeChange) -> Data:
    led = {"oldTo": one.old_target, "newTo": one.new_target}
    return {"change": one.change.name, "from": one.source, "output": one.output, **led}


def _field(one: Any) -> Data:
    return {"path": list(one.path), "old": one.old, "new": one.new}


def lines_of(diff: Data) -> Iterator[str]:
    for step in diff["steps"]:
        yield _titled(step, f"step {step['key']} ({step['kind']})")
        yield from _fields(step["fields"], "    ")
    for edge in diff["edges"]:
        yield f"{_MARKS[edge['change']]} edge {edge['from']}.{edge['output']}: {_led(edge)}"
    for goal in diff["goals"]:
        yield _titled(goal, f"goal {goal['key']}")
        yield from _fields(goal["fields"], "    ")
    yield from _fields(diff["settings"], "~ ")


def _titled(item: Data, what: str) -> str:
    title = f" {item['title']}" if item["title"] != item["key"] else ""
    return f"{_MARKS[item['change']]} {what}{title}"


def _led(edge: Data) -> str:
    return " → ".join(one for one in (edge["oldTo"], edge["newTo"]) if one)


def _fields(fields: list[Data], indent: str) -> Iterator[str]:
    for field in fields:
        name, old, new = ".".join(field["path"]), field["old"], field["new"]
        if _has_lines(old) and _has_lines(new):
            yield f"{indent}{name}:"
            yield from _text_lines(old, new, indent)
        else:
            said = name.removesuffix(_SECONDS)
            yield f"{indent}{said}: {_shown(name, old)} → {_shown(name, new)}"


def _has_lines(value: Any) -> bool:
    return isinstance(value, str) and "\n" in value


def _text_lines(old: str, new: str, indent: str) -> Iterator[str]:
    told = list(difflib.unified_diff(old.splitlines(), new.splitlines(), n=1, lineterm=""))
    yield from (f"{indent}  {line}" for line in told[2:])


def _shown(name: str, value: Any) -> str:
    if value is None:
        return "–"
    if name.endswith(_SECONDS) and isinstance(value, int):
        return to_words(value)
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    text = text.replace("\n", "⏎")
    return text if len(text) <= _LONG else text[: _LONG - 1] + "…"
