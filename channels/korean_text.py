"""How long a text message is within Korea: in bytes of EUC-KR, which decide what kind of message it is."""

from __future__ import annotations

SMS_BYTES = 90
LONG_BYTES = 2000
TITLE_BYTES = 40
_MISFIT_BYTES = 2
_EUC_KR = "cp949"
# Python's own euc_kr spells rare syllables with eight bytes, which no network understands.


def euc_kr_bytes(text: str) -> int:
    """The bytes of a text in EUC-KR. What it does not have is counted as two."""
    misfits = set(outside_euc_kr(text))
    if not misfits:
        return len(text.encode(_EUC_KR))
    known = "".join(character for character in text if character not in misfits)
    return len(known.encode(_EUC_KR)) + _MISFIT_BYTES * (len(text) - len(known))


def outside_euc_kr(text: str) -> tuple[str, ...]:
    """The characters that cannot be sent within Korea, each once, in the order in which they come."""
    if _is_euc_kr(text):
        return ()
    return tuple(dict.fromkeys(character for character in text if not _is_euc_kr(character)))


def _is_euc_kr(text: str) -> bool:
    try:
        text.encode(_EUC_KR)
    except UnicodeEncodeError:
        return False
    return True
