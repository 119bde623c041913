"""The words of cells in both languages. What is a name of ours (`end_reason`) stays one word everywhere."""

from server.journey.moment import EndReason

from .sheets import Language

Words = dict[Language, str]

IN_PROGRESS: Words = {Language.KO: "진행 중", Language.EN: "In progress"}
LEFT: Words = {Language.KO: "이탈", Language.EN: "Left"}
DROPPED_OFF: Words = {Language.KO: "이탈됨", Language.EN: "Dropped off"}
BY_CANCEL_EVENT: Words = {Language.KO: "취소 이벤트로 이탈: {}", Language.EN: "Left by cancel event: {}"}

_ERRORS = (EndReason.INTERNAL_ERROR, EndReason.SEND_ERROR)


def state_of(end_reason: str | None, language: Language) -> str:
    """The Korean 이탈 stands for two things here: who left, and whom an error threw out."""
    if end_reason is None:
        return IN_PROGRESS[language]
    return (DROPPED_OFF if end_reason in _ERRORS else LEFT)[language]


def cancelled_by(event: str, language: Language) -> str:
    return BY_CANCEL_EVENT[language].format(event)
