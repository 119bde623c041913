"""How a run stands, in one word: what lists and canvases mark it with. Derived from its end reason."""

from collections.abc import Iterable
from enum import StrEnum

from .moment import EndReason


class Mark(StrEnum):
    """In progress, or which way it ended."""

    IN_PROGRESS = "in_progress"
    FINISHED = "finished"
    """It came to an end of the journey, or on to another one."""
    LEFT_EARLY = "left_early"
    """By what the person did."""
    TAKEN_OUT = "taken_out"
    """By what somebody decided, or because the person belongs to those who get nothing."""
    DROPPED_OFF = "dropped_off"
    """By an error."""


_BY_REASON = {
    EndReason.COMPLETED: Mark.FINISHED,
    EndReason.MOVED_ON: Mark.FINISHED,
    EndReason.GOAL: Mark.LEFT_EARLY,
    EndReason.CANCEL_EVENT: Mark.LEFT_EARLY,
    EndReason.HELD_OUT: Mark.TAKEN_OUT,
    EndReason.OVERDUE: Mark.TAKEN_OUT,
    EndReason.EDITED: Mark.TAKEN_OUT,
    EndReason.REMOVED: Mark.TAKEN_OUT,
    EndReason.ERASED: Mark.TAKEN_OUT,
    EndReason.STOPPED: Mark.TAKEN_OUT,
    EndReason.MERGED: Mark.TAKEN_OUT,
    EndReason.INTERNAL_ERROR: Mark.DROPPED_OFF,
    EndReason.SEND_ERROR: Mark.DROPPED_OFF,
}


def mark_of(end_reason: str | None) -> Mark:
    return Mark.IN_PROGRESS if end_reason is None else _BY_REASON[EndReason(end_reason)]


def reasons_of(marks: Iterable[Mark]) -> frozenset[str | None]:
    """The end reasons behind these marks; None stands for runs that are in progress."""
    wanted = set(marks)
    found: set[str | None] = {reason.value for reason, mark in _BY_REASON.items() if mark in wanted}
    return frozenset(found | ({None} if Mark.IN_PROGRESS in wanted else set()))
