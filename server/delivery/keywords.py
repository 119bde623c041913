"""What somebody who wrote back wants: no more, again, or something that a person has to read.

Only a whole message counts, never a part of one: "stop by tomorrow" and "please don't cancel" ask for
neither. `YES` is not among the words, though some carriers take it for one: it answers too many questions.
"""

import unicodedata

STOP, START = "stop", "start"

_WORDS = {
    STOP: """
        stop, stopall, stop all, unsubscribe, cancel, end, quit, optout, opt out, opt-out, revoke,
        arret, arrêt,
        수신거부, 수신 거부, 수신거절, 수신 거절, 수신중단, 수신 중단, 거부, 거절, 해지, 중단, 그만""",
    START: """
        start, unstop, optin, opt in, opt-in, subscribe, resume,
        수신동의, 수신 동의, 수신허용, 수신 허용, 동의""",
}
_MEANINGS = {word.strip(): meaning for meaning, words in _WORDS.items() for word in words.split(",")}
_AROUND = " \t\r\n.!?\"'()[]<>«»“”‘’。"


def meaning_of(text: str) -> str:
    """`stop`, `start`, or nothing for any other message.

    Width, case, blanks and the punctuation around it do not matter.
    """
    plain = unicodedata.normalize("NFKC", text).casefold().strip(_AROUND)
    return _MEANINGS.get(" ".join(plain.split()), "")
