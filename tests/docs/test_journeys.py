"""Every element of a journey has a rehearsal on the page docs/journeys.md, and what it says there happens."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from server.files.lengths import to_words
from server.files.reading import read_text
from server.journey.steps import KINDS
from server.rehearsal.rehearse import Rehearsed
from server.rehearsal.traces import PersonTrace, RunTrace, VisitTrace
from server.testing.journeys import rehearse

PAGE = (Path(__file__).parents[2] / "docs" / "journeys.md").read_text("utf-8")
START = "2024-03-13T20:00:00+09:00"
"""As the page says."""


class Section(NamedTuple):
    title: str
    graph: str
    who: str
    happens: str


def sections() -> Iterator[Section]:
    """A section has a graph, who comes, and what happens, in this order."""
    for part in re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]:
        graph, who, happens = re.findall(r"^```(?:yaml)?\n(.*?)^```$", part, re.DOTALL | re.MULTILINE)
        yield Section(part.partition("\n")[0], graph, who, happens)


SECTIONS = list(sections())


@pytest.mark.parametrize("section", SECTIONS, ids=[one.title for one in SECTIONS])
def test_what_the_page_says_happens(section: Section) -> None:
    who: dict[str, Any] = {"start": START, "zone": "Asia/Seoul", **read_text(section.who).data}
    told = rehearse({"graph": read_graph(section.graph)}, **who)
    assert told.is_complete
    assert told.troubles == []
    assert "\n".join(ways(told)) == section.happens.strip()


def read_graph(text: str) -> Any:
    """As a file would hold it."""
    from server.schema.file_form import read_journey

    indented = "".join(f"  {line}" for line in text.splitlines(keepends=True))
    return read_journey(f"graph:\n{indented}").variables["graph"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_element_is_on_the_page(kind: str) -> None:
    spelled = re.sub(r"_(.)", lambda found: found[1].upper(), kind)
    assert any(f"- {spelled}:" in one.graph for one in SECTIONS), f"docs/journeys.md lacks `{spelled}`"


# How the page writes down what happened


def ways(told: Rehearsed) -> Iterator[str]:
    return (line for person in told.people for line in _ways(person))


def _ways(person: PersonTrace) -> Iterator[str]:
    for run in person.runs:
        yield f"{person.name}: {_way(run)}"
    for one in person.refusals:
        yield f"{person.name}: not let in at {one.entry_key} ({one.reason})"
    if not person.runs and not person.refusals:
        yield f"{person.name}: never came"


def _way(run: RunTrace) -> str:
    way = " → ".join(_stop(visit) for visit in run.visits)
    goals = "".join(f"; goal {hit.goal_key}" for hit in run.reached)
    return f"{way}{goals}"


def _stop(visit: VisitTrace) -> str:
    output = f"/{visit.output}" if visit.output not in ("", "next") else ""
    seconds = round((visit.left_at - visit.arrived_at) / 1000) if visit.left_at is not None else 0
    stay = f" {to_words(seconds)}" if seconds else ""
    end = f" ({visit.end_reason})" if visit.end_reason else "" if visit.output else " (waits)"
    sent = "".join(f" [{message.reason or message.status}]" for message in visit.messages)
    return f"{visit.step_key}{output}{stay}{sent}{end}"
