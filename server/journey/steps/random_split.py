"""Random split: by chance, in given shares, drawn afresh on every passage."""

from dataclasses import dataclass
from typing import Any, ClassVar

from ..draws import draw
from ..moment import Decision, Leave, Moment, Outputs
from ..reading import Reader
from .ab_split import Variant, read_variants
from .base import StepBase, read_common


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomSplit(StepBase):
    kind: ClassVar[str] = "random_split"

    branches: tuple[Variant, ...]

    @classmethod
    def read(cls, reader: Reader) -> "RandomSplit":
        common: dict[str, Any] = read_common(reader)
        return cls(**common, branches=read_variants(reader))

    def outputs(self) -> Outputs:
        return tuple(branch.output for branch in self.branches)

    def arrive(self, moment: Moment) -> Decision:
        weights = {branch.output: float(branch.percent) for branch in self.branches}
        # A run comes by once at an instant, so a batch that is decided again draws the same.
        return Leave(draw(weights, str(moment.run_id), self.key, str(moment.at)))
