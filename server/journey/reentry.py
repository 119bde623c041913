"""Who may come in again: never, always, after a time, so often in a period, or once a value.

A rule looks at the runs that a person has had in the journey. Nobody is inside twice at once, unless a
property of what lets them in tells their runs apart: then it is one run a value.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from .conditions import look_up
from .moment import Instant
from .reading import Reader

DAY = 86_400_000
LONGEST = 366 * DAY
MOST_OPEN = 25
"""Runs of one person that are open at once, where a value tells them apart."""
LONGEST_VALUE = 200


class Again(StrEnum):
    """Whether somebody who has left may come in again."""

    AFTER_LEAVING = "after_leaving"
    NEVER = "never"


class Since(StrEnum):
    """From when on the time until the next entry counts."""

    ENTRY = "entry"
    LEAVING = "leaving"


class Barred(StrEnum):
    """Why somebody may not come in, by these rules."""

    ALREADY_INSIDE = "already_inside"
    ENTERED_BEFORE = "entered_before"
    TOO_SOON = "too_soon"
    TOO_OFTEN = "too_often"


class Earlier(NamedTuple):
    """A run that the person has had in the journey, or has still."""

    entered_at: Instant
    ended_at: Instant | None
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reentry:
    again: Again = Again.AFTER_LEAVING
    after_ms: int = 0
    """So much time has to pass first; 0 for none."""
    since: Since = Since.LEAVING
    most: int = 0
    """So many entries within the period; 0 for any number."""
    within_ms: int = 0
    one_per: str = ""
    """The property of what lets people in that tells their runs apart; empty for one run at a time."""

    @property
    def looks_back(self) -> bool:
        """Whether it asks for runs that are over, too."""
        return self.again is Again.NEVER or bool(self.after_ms or self.most)

    def value_of(self, properties: Mapping[str, Any]) -> str:
        """What tells this run from others of the same person; empty without such a property."""
        found = look_up(properties, self.one_per) if self.one_per else None
        return "" if found is None or isinstance(found, dict | list) else str(found)[:LONGEST_VALUE]

    def bars(self, runs: Sequence[Earlier], value: str, at: Instant) -> Barred | None:
        """Why somebody with these runs may not come in at that instant; none if they may."""
        alike = [run for run in runs if run.value == value] if self.one_per else runs
        if any(run.ended_at is None for run in alike):
            return Barred.ALREADY_INSIDE
        if alike and self.again is Again.NEVER:
            return Barred.ENTERED_BEFORE
        if self.after_ms and any(at < self._free_at(run) for run in alike):
            return Barred.TOO_SOON
        if self.most and sum(run.entered_at > at - self.within_ms for run in runs) >= self.most:
            return Barred.TOO_OFTEN
        if self.one_per and sum(run.ended_at is None for run in runs) >= MOST_OPEN:
            return Barred.TOO_OFTEN
        return None

    def _free_at(self, run: Earlier) -> Instant:
        """When this run keeps nobody out any more; it is over."""
        begun = run.entered_at if self.since is Since.ENTRY or run.ended_at is None else run.ended_at
        return begun + self.after_ms


ANY_TIME = Reentry()


def read_reentry(reader: Reader) -> Reentry:
    """`reentry`, a word, and `reentry_rules`, which say more of those who may come again."""
    again = Again.AFTER_LEAVING
    if reader.value("reentry", required=False) is not None:
        again = Again(reader.choice("reentry", tuple(Again)))
    if reader.value("reentry_rules", required=False) is None:
        return Reentry(again=again)
    return _read_rules(reader.inside("reentry_rules"), again)


def _read_rules(reader: Reader, again: Again) -> Reentry:
    before = len(reader.problems)
    since = Since.LEAVING
    if reader.value("since", required=False) is not None:
        since = Since(reader.choice("since", tuple(Since)))
    after_ms = reader.duration("after_ms", least=1000, most=LONGEST, required=False)
    if after_ms and again is Again.NEVER:
        reader.refuse("after_ms", "Who may never come again cannot come again after a time")
    most = reader.number("most", least=1, most=1000, required=False)
    within_ms = reader.duration("within_ms", least=1000, most=LONGEST, required=False)
    if bool(most) != bool(within_ms) and len(reader.problems) == before:
        missing = "most" if within_ms else "within_ms"
        reader.refuse(missing, "A number of entries needs its period, and a period its number", "missing")
    one_per = reader.text("one_per", required=False, longest=256)
    rules = {"after_ms": after_ms, "most": most, "within_ms": within_ms}
    return Reentry(again=again, since=since, one_per=one_per, **rules)
