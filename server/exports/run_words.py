"""How a run stands, as people read it in a file: the three meanings of 이탈 told apart."""

from server.journey.moment import EndReason

from .sheets import Language
from .words import Word

INSIDE, LEFT, DROPPED_OFF = "inside", "left", "dropped_off"
STATES = {
    INSIDE: Word("진행 중", "In progress"),
    LEFT: Word("이탈", "Left"),
    DROPPED_OFF: Word("이탈됨", "Dropped off"),
}
_CANCELLED = Word("취소 이벤트로 이탈: {}", "Left by cancel event: {}")
_ERRORS = (EndReason.INTERNAL_ERROR, EndReason.SEND_ERROR)


def state_of(end_reason: str | None) -> str:
    """Who left is told apart from whom an error threw out."""
    if end_reason is None:
        return INSIDE
    return DROPPED_OFF if end_reason in _ERRORS else LEFT


def cancelled_by(event: str, language: Language) -> str:
    return _CANCELLED.in_(language).format(event)
