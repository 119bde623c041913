"""What becomes of waits that fell due while their journey was paused."""

from enum import StrEnum


class ResumePolicy(StrEnum):
    """What happens when time goes on."""

    SHIFT = "shift"
    """Every wait goes on with what was left of it when the pause began."""
    CATCH_UP = "catch_up"
    """What fell due in the pause goes on at once; everything else keeps its time."""
    SKIP = "skip"
    """Runs whose wait fell due in the pause end; everything else keeps its time."""
