"""Korean particles that agree with what stands before them: texts are filled with words nobody knows yet."""

import re

_EITHER = re.compile(r"(\w?)([`'\"”’)\]}]*)(이\(가\)|을\(를\)|은\(는\)|과\(와\)|으로\(로\))")
_PAIRS = {
    "이(가)": ("이", "가"),
    "을(를)": ("을", "를"),
    "은(는)": ("은", "는"),
    "과(와)": ("과", "와"),
    "으로(로)": ("으로", "로"),
}
_FINAL_OF_DIGIT = {"0": 21, "1": 8, "3": 16, "6": 1, "7": 8, "8": 8}
"""The final consonant of a digit's name, e.g. of 영 and 일; the others end in vowels."""
_RIEUL = 8


def with_particles(text: str) -> str:
    """The text with one particle wherever it has both, as `이름이(가)`. After a word of another language both
    stay."""
    return _EITHER.sub(_choose, text)


def _choose(found: re.Match[str]) -> str:
    before, closing, both = found.groups()
    final = _final(before)
    if final is None:
        return found[0]
    with_final, without = _PAIRS[both]
    is_open = not final or (both == "으로(로)" and final == _RIEUL)
    return before + closing + (without if is_open else with_final)


def _final(character: str) -> int | None:
    """The number of its final consonant, 0 for none; None where that cannot be known."""
    if "가" <= character <= "힣":
        return (ord(character) - ord("가")) % 28
    return _FINAL_OF_DIGIT.get(character, 0) if character.isdecimal() and character.isascii() else None
