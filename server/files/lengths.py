"""Lengths of time as people write them, `1h 30m`, and in seconds. Nothing is lost in either direction."""

import re

_UNITS = {"w": 604_800, "d": 86_400, "h": 3600, "m": 60, "s": 1}
_PART = re.compile(r"(\d{1,12})\s*([wdhms])\s*")


def to_seconds(text: str) -> int | None:
    """None if it is no length of time: each unit once, the longest first."""
    seconds, at, before = 0, 0, 10**9
    text = text.strip().lower()
    while at < len(text):
        part = _PART.match(text, at)
        if part is None or _UNITS[part[2]] >= before:
            return None
        before, at = _UNITS[part[2]], part.end()
        seconds += int(part[1]) * before
    return seconds if text else None


def to_words(seconds: int) -> str:
    """In days, hours, minutes and seconds: weeks are not what people count delays in."""
    parts = []
    for unit in "dhms":
        count, seconds = divmod(seconds, _UNITS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts) or "0s"
