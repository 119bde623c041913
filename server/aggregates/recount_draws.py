"""What the visits say of draws, for a recount: which run drew which branch, when, and under what."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from server.journey.graph import Graph
from server.journey.holdout import HOLDOUT, JOURNEY
from server.journey.moment import EndReason
from server.journey.steps import AbSplit

from .experiments import Stratum


class Taken(NamedTuple):
    """One draw of a run."""

    seq: int
    step_key: str
    output: str
    stratum: Stratum
    at: int


@dataclass(slots=True)
class Draws:
    """All draws that visits tell of."""

    by_run: defaultdict[int, list[Taken]] = field(default_factory=lambda: defaultdict(list))
    held_out: set[int] = field(default_factory=set)
    """Runs of people who got nothing."""

    def variant(self, run_id: int) -> str:
        return HOLDOUT if run_id in self.held_out else ""

    def note(self, visit: Any, graph: Graph) -> Taken | None:
        """Takes a visit in. Returns the draw of the holdout, if it was made here."""
        step = graph.steps[visit.step_key]
        if visit.end_reason == EndReason.HELD_OUT:
            self.held_out.add(visit.run_id)
        if isinstance(step, AbSplit) and visit.output in step.percents:
            saw = orjson.loads(visit.saw)
            stratum = Stratum(saw["version"], saw["round"])
            taken = Taken(visit.seq, step.key, visit.output, stratum, visit.left_at)
            self.by_run[visit.run_id].append(taken)
        if not step.is_entry or "drawn" not in (saw := orjson.loads(visit.saw)):
            return None
        taken = Taken(visit.seq, JOURNEY, saw["drawn"], Stratum(visit.version, 0), visit.arrived_at)
        self.by_run[visit.run_id].append(taken)
        return taken

    def before(self, run_id: int, at: int, window_ms: int) -> list[Taken]:
        """The draws of a run for which a hit at that instant counts: the last of each step by then."""
        found: dict[str, Taken] = {}
        for one in sorted(self.by_run.get(run_id, ())):
            known = found.get(one.step_key)
            is_same = known is not None and known.output == one.output
            if one.at <= at and not is_same:
                found[one.step_key] = one
        journey = found.get(JOURNEY)
        if journey is not None and not journey.at < at <= journey.at + window_ms:
            del found[JOURNEY]
        return list(found.values())
