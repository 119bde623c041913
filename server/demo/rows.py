"""What people ask of the statistics of a journey: each question, the query that answers it, and the answer.

`rows.graphql` has them. They are asked of a copy of the sample, through the whole application.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from server.runtime import Runtime

from .api import Api

ROWS = Path(__file__).with_name("rows.graphql")
FILE = "startExport"
"""Stands for a file that is written in the background: what is in it is the answer."""
DOWNLOAD = """
query ($id: ID!) {
  export(id: $id) { state problem fileName rows downloadUrl }
}"""
MOST_LINES = 4
"""Of a file that are shown."""
_ROW = re.compile(r"# (?P<number>\d+) (?P<title>.+)")
_VARIABLE = re.compile(r"\$(\w+):")

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """One operation, and where in its answer to look: `*` is all of it."""

    text: str
    path: str

    @property
    def variables(self) -> list[str]:
        return _VARIABLE.findall(self.text)


@dataclass(slots=True)
class Row:
    number: int
    title: str
    questions: list[Question] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered, and whether it is one: nothing, nought and a problem are none."""

    told: Any
    is_one: bool


def rows() -> list[Row]:
    found: list[Row] = []
    for head, text in _parts(ROWS.read_text(encoding="utf-8")):
        *titles, path = head
        for title in titles:
            if match := _ROW.fullmatch(title):
                found.append(Row(int(match["number"]), match["title"]))
        found[-1].questions.append(Question(text, path.removeprefix("# ")))
    return found


def _parts(text: str) -> Iterator[tuple[list[str], str]]:
    """The comments before each operation, line by line, and the operation."""
    head: list[str] = []
    body: list[str] = []
    # What stands before the first blank line is about all of them.
    for line in text.partition("\n\n")[2].splitlines():
        if line.startswith("# ") and body:
            yield head, "\n".join(body).strip()
            head, body = [], []
        if line.startswith("# "):
            head.append(line)
        else:
            body += [line] if head else []
    yield head, "\n".join(body).strip()


@dataclass(slots=True)
class Asker:
    """Asks, with what the questions are about: journeys, people, days."""

    api: Api
    runtime: Runtime
    about: Mapping[str, Any]

    async def answer(self, question: Question) -> Answer:
        variables = {name: self.about[name] for name in question.variables}
        found = await self.api.ask(question.text, **variables)
        if question.path == FILE:
            return await self._file(found[FILE])
        return Answer(found, _tells(_at(found, question.path)) and not _problems(found))

    async def _file(self, begun: Json) -> Answer:
        if "export" not in begun:
            return Answer(begun, False)
        while await self.runtime.exporter.work_once():
            """Another job may have been before it."""
        made: Json = (await self.api.ask(DOWNLOAD, id=begun["export"]["id"]))["export"]
        if made["downloadUrl"] is None:
            return Answer(made, False)
        content = await self.api.client.get(made.pop("downloadUrl"))
        lines = _lines(content.raise_for_status().content)
        return Answer({**made, "size": len(content.content), "begins": lines}, made["rows"] > 0)


def _lines(content: bytes) -> list[str]:
    """How a file begins; of a workbook nothing, which is no text."""
    if content.startswith(b"PK"):
        return []
    return content.decode("utf-8-sig").splitlines()[:MOST_LINES]


def _at(found: Any, path: str) -> Any:
    """What is there; of a list, of all that it holds."""
    for name in [] if path == "*" else path.split("."):
        if isinstance(found, list):
            found = [_at(one, name) for one in found]
        else:
            found = (found or {}).get(name)
    return found


def _tells(value: Any) -> bool:
    if isinstance(value, dict):
        return bool(value) and any(map(_tells, value.values()))
    return any(map(_tells, value)) if isinstance(value, list) else bool(value)


def _problems(found: Json) -> bool:
    """Whether a mutation has refused."""
    return any(isinstance(one, dict) and "message" in one for one in found.values())


def printed(answer: Answer, most: int | None) -> str:
    """As JSON, as many lines as are wanted."""
    lines = orjson.dumps(answer.told, option=orjson.OPT_INDENT_2).decode().splitlines()
    if most is None or len(lines) <= most:
        return "\n".join(lines)
    return "\n".join([*lines[:most], f"… and {len(lines) - most} lines more"])
