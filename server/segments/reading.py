"""From stored conditions to a question that can be asked of a project's people."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from server.journey.audience import Question, read_question
from server.journey.moment import Problem
from server.journey.reading import Reader
from server.store import user_lists
from server.store.sessions import ReadSession


class Askable(NamedTuple):
    """A question, and what asking it in a project takes."""

    question: Question
    lists: Mapping[str, int]
    """The project's lists: ids by name."""


async def read(
    session: ReadSession, project_id: int, conditions: Mapping[str, Any]
) -> tuple[Askable, list[Problem]]:
    """Ask it only if there are no problems."""
    reader = Reader(conditions)
    question = read_question(reader)
    lists = await user_lists.names(session, project_id)
    problems = list(reader.problems)
    unknown = sorted(question.wants().lists - lists.keys()) if not problems else []
    problems += (Problem((), f"There is no list {name!r}.", "unknown_list") for name in unknown)
    return Askable(question, lists), problems
