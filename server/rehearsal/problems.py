"""Why a rehearsal does not begin."""

from collections.abc import Sequence

from server.errors import BadInput
from server.journey.moment import Problem


class CannotRehearse(BadInput):
    """Everything that is wrong, each with its path."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        lines = [f"{'.'.join(map(str, one.path)) or 'input'}: {one.message}" for one in problems]
        super().__init__("\n".join(lines))
        self.problems = list(problems)
