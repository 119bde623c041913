"""A/B/n split: by chance, in given shares, always the same way for a person. The first is the control."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from ..draws import draw
from ..experiments import Draw, Standing, Verdict, weights
from ..moment import Decision, Leave, Moment, Outputs
from ..reading import Reader
from .base import StepBase, read_common

GOAL, OPENED, CLICKED = "goal", "opened", "clicked"
MOST_BRANCHES = 10
LEAST_PEOPLE = 100
"""Of each branch, before anything is decided, if a step does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A branch, and how many of a hundred people get it."""

    output: str
    percent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Decides:
    """By what, and how surely, the split chooses a branch itself."""

    by: str
    """What people do: reach a goal, open or click a message that was sent to them after the split."""
    goal: str = ""
    confidence_percent: int = 95
    least_people: int = LEAST_PEOPLE
    explore_percent: int = 0

    @property
    def alpha(self) -> float:
        return 1 - self.confidence_percent / 100


@dataclass(frozen=True, kw_only=True)
class AbSplit(StepBase):
    kind: ClassVar[str] = "ab_split"

    branches: tuple[Variant, ...]
    keeps: bool = True
    """Whether who comes again gets the branch of the first time, whatever was changed or decided since."""
    decides: Decides | None = None
    """None: people choose."""

    @classmethod
    def read(cls, reader: Reader) -> "AbSplit":
        common: dict[str, Any] = read_common(reader)
        branches = read_variants(reader)
        if branches and branches[0].percent == 0 and any(branch.percent for branch in branches):
            message = "The first branch is what the others are compared with: somebody has to get it"
            Reader({}, (*reader.path, "branches", 0), reader.problems).refuse(
                "percent", message, "out_of_range"
            )
        return cls(
            **common,
            branches=branches,
            keeps=reader.flag("keeps", default=True),
            decides=_read_decides(reader),
        )

    def outputs(self) -> Outputs:
        return tuple(branch.output for branch in self.branches)

    @cached_property
    def percents(self) -> Mapping[str, int]:
        return {branch.output: branch.percent for branch in self.branches}

    @property
    def control(self) -> str:
        return self.branches[0].output

    def arrive(self, moment: Moment) -> Decision:
        standing = moment.standing(self.key)
        found = self._kept(standing) or self._drawn(standing, moment)
        saw = {"version": found.version, "round": found.round}
        return Leave(found.output, saw=saw, sticks=True)

    def _kept(self, standing: Standing) -> Draw | None:
        kept = standing.own or (standing.earlier if self.keeps else None)
        return kept if kept is not None and kept.output in self.percents else None

    def _drawn(self, standing: Standing, moment: Moment) -> Draw:
        output = draw(self.weights(standing.verdict), moment.seed, str(moment.journey_id), self.key)
        return Draw(output, standing.version, standing.round)

    def weights(self, verdict: Verdict) -> dict[str, float]:
        return weights(self.percents, verdict)

    def asks_for_user(self) -> bool:
        # The draw is the person's: whoever was not loaded would be somebody else.
        return True


def read_variants(reader: Reader) -> tuple[Variant, ...]:
    """The branches of a split by chance: each once, and a hundred of a hundred together."""
    found: list[Variant] = []
    before = len(reader.problems)
    for item in reader.items("branches", least=2, most=MOST_BRANCHES):
        branch = Variant(output=_read_output(item), percent=item.number("percent", least=0, most=100))
        if branch.output and any(other.output == branch.output for other in found):
            message = f"Two branches have the output {branch.output!r}; each needs its own"
            item.refuse("output", message, "duplicate")
        found.append(branch)
    whole = sum(branch.percent for branch in found)
    if len(reader.problems) == before and whole != 100:
        reader.refuse("branches", f"The percentages must make 100 together, found {whole}", "not_100")
    return tuple(found)


def _read_output(reader: Reader) -> str:
    output = reader.text("output", longest=64)
    if output and not output.replace("_", "").replace("-", "").isalnum():
        reader.refuse("output", f"`output` may hold letters, digits, - and _, found {output!r}")
    return output


def _read_decides(reader: Reader) -> Decides | None:
    inside = reader.within("decides")
    if inside is None:
        return None
    by = inside.choice("by", (GOAL, OPENED, CLICKED))
    return Decides(
        by=by,
        goal=inside.text("goal", required=by == GOAL, longest=64),
        confidence_percent=inside.number("confidence_percent", least=80, most=99, required=False, default=95),
        least_people=inside.number(
            "least_people", least=1, most=10_000_000, required=False, default=LEAST_PEOPLE
        ),
        explore_percent=inside.number("explore_percent", least=0, most=50, required=False),
    )
