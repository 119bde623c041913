"""What is wrong with a file, and where."""

from collections.abc import Sequence
from dataclasses import dataclass

from server.errors import BadInput


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Both counted from 1, as editors do."""

    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class FileProblem:
    message: str
    place: Place | None = None

    def __str__(self) -> str:
        """In the form that editors and CI systems make a link of, once a file's name stands before it."""
        return f"{self.place}: {self.message}" if self.place else self.message


class CannotRead(BadInput):
    """Everything that keeps a text from being read as data."""

    def __init__(self, problems: Sequence[FileProblem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = list(problems)
