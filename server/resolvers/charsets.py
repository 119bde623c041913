"""What a channel's networks cannot carry, found in the fixed words of a text before anybody gets it.

What a template fills in is known only when it is sent: the adapter refuses it then.
"""

import re
from collections.abc import Iterator

from channels.contract import ContentField
from server.journey.moment import Path, Problem

_TAGS = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_MOST_NAMED = 10
_SPELT = {"euc-kr": "cp949"}
"""What networks mean: Python's own euc_kr spells rare syllables with eight bytes, which none understands."""


def charset_problems(path: Path, text: str, field: ContentField, title: str) -> Iterator[Problem]:
    """`title` is that of the adapter. Lengths are in bytes of its character set."""
    if not field.charset:
        return
    fixed, charset = _TAGS.sub("", text), _SPELT.get(field.charset, field.charset)
    if strange := _outside(fixed, charset):
        named = ", ".join(f"{one} (U+{ord(one):04X})" for one in strange[:_MOST_NAMED])
        message = f"{title} cannot carry {named}: it knows only the characters of {field.charset.upper()}."
        yield Problem(path, message, "charset")
    elif field.max_length is not None and (n := len(fixed.encode(charset))) > field.max_length:
        message = f"{title} takes {field.max_length} bytes here; the fixed words alone have {n}."
        yield Problem(path, message, "too_long")


def _outside(text: str, charset: str) -> list[str]:
    """The characters that it lacks, each once."""
    return [one for one in dict.fromkeys(text) if not _fits(one, charset)]


def _fits(one: str, charset: str) -> bool:
    try:
        one.encode(charset)
    except UnicodeEncodeError:
        return False
    return True
