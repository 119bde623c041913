"""Condition split: the first branch whose conditions hold, else `otherwise`."""

from dataclasses import dataclass
from typing import Any, ClassVar

from ..conditions import Condition, InSegment, read_condition
from ..moment import Decision, Did, Leave, Moment, Outputs
from ..reading import Reader
from .base import StepBase, read_common

OTHERWISE = "otherwise"
MOST_SEEN = 5
"""Questions of a branch whose answers are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    output: str
    match: str
    """`all` or `any` of the conditions."""
    conditions: tuple[Condition, ...]

    def holds(self, moment: Moment) -> bool:
        answers = (condition.holds(moment) for condition in self.conditions)
        return all(answers) if self.match == "all" else any(answers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Split(StepBase):
    kind: ClassVar[str] = "split"

    branches: tuple[Branch, ...]

    @classmethod
    def read(cls, reader: Reader) -> "Split":
        common: dict[str, Any] = read_common(reader)
        branches: list[Branch] = []
        for item in reader.items("branches", least=1, most=10):
            branch = _read_branch(item)
            if branch.output in (OTHERWISE, *(other.output for other in branches if other.output)):
                message = f"Two branches have the output {branch.output!r}; each needs its own"
                item.refuse("output", message, "duplicate")
            branches.append(branch)
        return cls(**common, branches=tuple(branches))

    def outputs(self) -> Outputs:
        return (*(branch.output for branch in self.branches), OTHERWISE)

    def arrive(self, moment: Moment) -> Decision:
        taken = next((branch.output for branch in self.branches if branch.holds(moment)), OTHERWISE)
        return Leave(taken, saw=self._saw(moment))

    def _saw(self, moment: Moment) -> dict[str, Any]:
        return dict(
            condition.saw(moment) for branch in self.branches for condition in branch.conditions[:MOST_SEEN]
        )

    def asks_for_user(self) -> bool:
        return any(
            condition.about in ("attribute", "segment")
            for branch in self.branches
            for condition in branch.conditions
        )

    def asks_segments(self) -> frozenset[str]:
        asked = (condition.asks for branch in self.branches for condition in branch.conditions)
        return frozenset(question.segment for question in asked if isinstance(question, InSegment))

    def asks_past(self) -> tuple[Did, ...]:
        asked = (condition.asks for branch in self.branches for condition in branch.conditions)
        return tuple(question for question in asked if isinstance(question, Did))


def _read_branch(reader: Reader) -> Branch:
    output = reader.text("output", longest=64)
    return Branch(
        output=output,
        match=reader.choice("match", ("all", "any")) if reader.value("match", required=False) else "all",
        conditions=tuple(read_condition(item) for item in reader.items("conditions", least=1, most=20)),
    )
