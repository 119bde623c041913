"""Journeys as files, for the command line: read, checked with their lines, taken."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from server.files.problems import FileProblem
    from server.schema.file_form import FiledJourney

Data = dict[str, Any]

PROBLEM = "__typename ... on Problem { message path }"
"""What of every mutation's answer is asked for, to tell its problem."""
PROBLEMS = PROBLEM + " ... on GraphProblems { problems { message path } }"
"""The same of those that look at a drawing."""


def tell_problems(file: Path, problems: "Sequence[FileProblem]") -> None:
    """Each as `file:line:column: what`, the form that editors and CI systems make a link of."""
    for problem in problems:
        click.secho(f"{file}:{problem}" if problem.place else f"{file}: {problem}", fg="red", err=True)


def read_file(file: Path) -> "FiledJourney | None":
    """The journey in a file; none after everything that is wrong with it has been told."""
    from server.files.problems import CannotRead, FileProblem
    from server.schema.file_form import read_journey

    try:
        filed = read_journey(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        tell_problems(file, [FileProblem(f"This is no text in UTF-8: byte {error.start}.")])
        return None
    except CannotRead as error:
        tell_problems(file, error.problems)
        return None
    problems = shape_problems(filed)
    tell_problems(file, problems)
    return None if problems else filed


def shape_problems(filed: "FiledJourney") -> "list[FileProblem]":
    """Everything in which the file has another shape than `CreateJourneyInput`."""
    from graphql import GraphQLError
    from graphql.utilities import validate_input_value

    from server.files.problems import FileProblem
    from server.schema.root import SCHEMA

    found: list[FileProblem] = []

    def note(error: GraphQLError, path: list[str | int]) -> None:
        here = tuple(map(str, path))
        # What has no business there is named in the message only, before what was found instead.
        words = re.findall(r"['\"](\w+)['\"]", error.message.partition(", found")[0])
        named = ((*here, word) for word in words)
        place = next((filed.place_of(one) for one in named if filed.says(one)), filed.place_of(here))
        found.append(FileProblem(error.message, place))

    wanted: Any = SCHEMA._schema.type_map["CreateJourneyInput"]
    validate_input_value(filed.variables, wanted, note)
    return found


def tell_answer(file: Path, filed: "FiledJourney", answer: Data) -> bool:
    """Tells the problems of a mutation's answer with their lines. Returns whether there are any."""
    from server.files.problems import FileProblem

    if "message" not in answer:
        return False
    problems = answer.get("problems") or [answer]
    told = [
        FileProblem(one["message"], filed.place_of(tuple((one.get("path") or ["input"])[1:])))
        for one in problems
    ]
    tell_problems(file, sorted(told, key=lambda one: one.place.line if one.place else 0))
    return True
