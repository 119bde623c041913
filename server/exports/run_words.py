"""How a run stands, as people read it in a file."""

from server.journey.marks import Mark

from .sheets import Language
from .words import Word

MARKS: dict[str, Word] = {
    Mark.IN_PROGRESS: Word("진행 중", "In progress"),
    Mark.FINISHED: Word("완료", "Finished"),
    Mark.LEFT_EARLY: Word("이탈", "Left early"),
    Mark.TAKEN_OUT: Word("제외됨", "Taken out"),
    Mark.DROPPED_OFF: Word("이탈됨", "Dropped off"),
}
_CANCELLED = Word("취소 이벤트로 이탈: {}", "Left by cancel event: {}")


def cancelled_by(event: str, language: Language) -> str:
    return _CANCELLED.in_(language).format(event)
