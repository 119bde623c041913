"""Whether a message that SENS was given rendered is as its template was approved, in KakaoTalk's codes."""

import re
from collections.abc import Iterator
from typing import Any

_VARIABLE = re.compile(r"#\{[^{}]*\}")
_LENGTHS = (("content", 1000, "3014"), ("title", 50, "3029"), ("headerContent", 16, "3032"))


def misfit(template: dict[str, Any], message: dict[str, Any]) -> str | None:
    """The first code that fits; None for a message that is its template."""
    return next(_misfits(template, message), None)


def _misfits(template: dict[str, Any], message: dict[str, Any]) -> Iterator[str]:
    for name, longest, code in _LENGTHS:
        if len(str(message.get(name) or "")) > longest:
            yield code
    if not _same(template["content"], message.get("content")):
        yield "3016"
    if not _same(template.get("emphasizeTitle"), message.get("title")):
        yield "3028"
    if not _same(template.get("headerContent"), message.get("headerContent")):
        yield "3031"
    if not _same_line(template.get("itemHighlight"), message.get("itemHighlight")):
        yield "3033"
    yield from _items(template.get("item") or {}, message.get("item") or {})
    if not _same_buttons(template.get("buttons") or [], message.get("buttons") or []):
        yield "3027"
    if template.get("quickReplies") or template.get("representLink"):
        yield "3027"


def _items(there: dict[str, Any], sent: dict[str, Any]) -> Iterator[str]:
    lines, others = there.get("list") or [], sent.get("list") or []
    if len(lines) != len(others) or not all(map(_same_line, lines, others)):
        yield "3036"
    if any(len(one["description"]) > 23 for one in others):
        yield "3037"
    if not _same_line(there.get("summary"), sent.get("summary")):
        yield "3038"


def _same_line(there: dict[str, Any] | None, sent: dict[str, Any] | None) -> bool:
    names = ("title", "description")
    return all(_same((there or {}).get(name), (sent or {}).get(name)) for name in names)


def _same_buttons(there: list[dict[str, Any]], sent: list[dict[str, Any]]) -> bool:
    names = ("type", "name", "linkMobile", "linkPc", "schemeIos", "schemeAndroid")
    pairs = zip(there, sent, strict=False)
    return len(there) == len(sent) and all(
        _same(one.get(name), other.get(name)) for one, other in pairs for name in names
    )


def _same(registered: Any, sent: Any) -> bool:
    """Whether a text is what was registered, with its variables filled."""
    pattern = "(.*?)".join(re.escape(part) for part in _VARIABLE.split(str(registered or "")))
    return bool(re.fullmatch(pattern, str(sent or ""), re.DOTALL))
