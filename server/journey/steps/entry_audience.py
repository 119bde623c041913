"""Entry by audience: lets in everybody who belongs to a segment or a list, or simply everybody, at its times.

`server.journey.launching` says when, and for whom the time has come.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from ..audience.coupons import HasCoupon, read_entry_coupon
from ..conditions import LONGEST_NAME
from ..reading import Reader
from ..schedule import Schedule, read_schedule
from .base import StepBase, read_common


class LaunchZone(StrEnum):
    """In which zone the clock shows the time."""

    PROJECT = "project"
    PERSON = "person"


class IfPassed(StrEnum):
    """What becomes of a person whose time of that day has passed when the journey starts."""

    AT_ONCE = "at_once"
    NEXT_DAY = "next_day"
    SKIP = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryAudience(StepBase):
    kind: ClassVar[str] = "entry_audience"
    is_entry: ClassVar[bool] = True

    segment: str = ""
    list: str = ""
    """The name of a segment or of a list; neither is everybody."""
    coupon: HasCoupon | None = None
    """Only who has such a coupon, and each time with one that has not brought them in before."""
    members: bool = False
    """Only who has a user id."""
    when: Schedule = Schedule()
    zone: LaunchZone = LaunchZone.PROJECT
    if_passed: IfPassed = IfPassed.AT_ONCE
    relaunches: bool = False
    """Whether a new version, or the end of a pause, lets those in again who have been let in."""

    @classmethod
    def read(cls, reader: Reader) -> "EntryAudience":
        common: dict[str, Any] = read_common(reader)
        segment = reader.text("segment", required=False, longest=LONGEST_NAME)
        listed = reader.text("list", required=False, longest=LONGEST_NAME)
        if segment and listed:
            reader.refuse("list", "Either a segment or a list can be let in, found both")
        return cls(
            **common,
            segment=segment,
            list=listed,
            coupon=read_entry_coupon(reader.inside("coupon")) if _is_there(reader, "coupon") else None,
            members=reader.flag("members"),
            when=read_schedule(reader.inside("when")) if _is_there(reader, "when") else Schedule(),
            zone=LaunchZone(_choice(reader, "zone", LaunchZone)),
            if_passed=IfPassed(_choice(reader, "if_passed", IfPassed)),
            relaunches=reader.flag("relaunches"),
        )


def _is_there(reader: Reader, key: str) -> bool:
    return reader.value(key, required=False) is not None


def _choice(reader: Reader, key: str, choices: type[StrEnum]) -> str:
    """One of these words; the first of them where nothing is said."""
    words = tuple(word.value for word in choices)
    return reader.choice(key, words) if _is_there(reader, key) else words[0]
