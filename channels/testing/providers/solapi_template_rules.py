"""What SOLAPI refuses when a template is registered or sent, in its own codes.

Written from SOLAPI's reference, apart from our own linter: what the two disagree about is a mistake of one.
"""

import re
from collections.abc import Iterator
from typing import Any

VARIABLE = re.compile(r"#\{[^{}]*\}")
_CREATED = "#{"
_BUTTONS = ("WL", "AL", "BK", "MD", "DS", "BC", "BT", "AC")
_REPLIES = ("WL", "AL", "BK", "BC", "BT")
_LENGTHS = {
    "name": 150, "content": 1000, "extra": 500, "emphasizeTitle": 50, "emphasizeSubtitle": 50, "header": 16,
}  # fmt: skip
_MONEY = re.compile(r"[0-9.,\s$€£¥₩원A-Z]*")


def refused(said: dict[str, Any]) -> str:
    """The first thing that is wrong with a template, in SOLAPI's words; empty for a good one."""
    rules = (_fields, _kind, _emphasis, _items, _highlight, _buttons, _replies)
    return next((one for rule in rules for one in rule(said)), "")


def _fields(said: dict[str, Any]) -> Iterator[str]:
    for name in ("name", "content", "categoryCode"):
        if not str(said.get(name) or "").strip():
            yield f"{name} 값은 필수입니다."
    for name, longest in _LENGTHS.items():
        if len(str(said.get(name) or "")) > longest:
            yield f"{name} 값은 {longest}자를 넘을 수 없습니다."
    if any("." in one for one in VARIABLE.findall(str(said))):
        yield "content 변수명에 점(.)을 포함할 수 없습니다."


def _kind(said: dict[str, Any]) -> Iterator[str]:
    kind, extra = said.get("messageType") or "BA", said.get("extra")
    if kind not in ("BA", "EX", "AD", "MI"):
        yield "messageType 값이 올바르지 않습니다."
    if kind in ("EX", "MI") and not extra:
        yield f"{kind} 유형은 extra 값이 필수입니다."
    if kind in ("BA", "AD") and extra:
        yield f"{kind} 유형은 extra 값을 사용할 수 없습니다."
    if _CREATED in (extra or ""):
        yield "extra 값에는 변수를 사용할 수 없습니다."
    adds = [number for number, one in enumerate(_list(said, "buttons")) if one.get("buttonType") == "AC"]
    if (kind in ("AD", "MI")) != bool(adds):
        yield "buttons 채널 추가 버튼은 AD, MI 유형에 하나 있어야 합니다."
    if adds and (adds != [0] or _list(said, "buttons")[0].get("buttonName") != "채널 추가"):
        yield "buttons 채널 추가 버튼은 첫 번째이고 이름은 '채널 추가'입니다."


def _emphasis(said: dict[str, Any]) -> Iterator[str]:
    kind = said.get("emphasizeType") or "NONE"
    title, subtitle = said.get("emphasizeTitle"), said.get("emphasizeSubtitle")
    if kind not in ("NONE", "TEXT", "IMAGE", "ITEM_LIST"):
        yield "emphasizeType 값이 올바르지 않습니다."
    if kind == "TEXT" and not title:
        yield "TEXT 강조는 emphasizeTitle 값이 필수입니다."
    if kind == "TEXT" and not subtitle:
        yield "TEXT 강조는 emphasizeSubtitle 값이 필수입니다."
    if kind == "NONE" and (title or subtitle):
        yield "강조가 없으면 emphasizeTitle 값을 사용할 수 없습니다."
    if _CREATED in (subtitle or ""):
        yield "emphasizeSubtitle 값에는 변수를 사용할 수 없습니다."
    if kind == "IMAGE" and not said.get("imageId"):
        yield "IMAGE 강조는 imageId 값이 필수입니다."


def _items(said: dict[str, Any]) -> Iterator[str]:
    item = said.get("item") or {}
    lines, summary = item.get("list") or [], item.get("summary")
    if said.get("emphasizeType") == "ITEM_LIST":
        if not (lines or said.get("header") or said.get("highlight") or said.get("imageId")):
            yield "item 리스트형은 내용이 필요합니다."
        if said.get("securityFlag"):
            yield "securityFlag 값은 리스트형에 사용할 수 없습니다."
        if len(said["content"]) > 700:
            yield "content 값은 리스트형에서 700자를 넘을 수 없습니다."
    if lines and not 2 <= len(lines) <= 10:
        yield "item 목록은 2~10개입니다."
    if any(_CREATED in one["title"] or not _fits(one, 6, 23) for one in lines):
        yield "item 목록의 제목 또는 설명이 올바르지 않습니다."
    if summary and not lines:
        yield "item 요약은 목록이 있어야 합니다."
    if summary and (_CREATED in summary["title"] or not _fits(summary, 6, 14)):
        yield "item 요약의 제목 또는 설명이 올바르지 않습니다."
    if summary and not _MONEY.fullmatch(_fixed(summary["description"])):
        yield "item 요약의 설명은 금액이어야 합니다."


def _highlight(said: dict[str, Any]) -> Iterator[str]:
    one = said.get("highlight")
    if one and not (_fits(one, 21, 13) if one.get("imageId") else _fits(one, 30, 19)):
        yield "highlight 값이 너무 깁니다."


def _buttons(said: dict[str, Any]) -> Iterator[str]:
    buttons = _list(said, "buttons")
    if len(buttons) > (2 if _list(said, "quickReplies") else 5):
        yield "buttons 개수를 초과했습니다."
    for one in buttons:
        if one.get("buttonType") not in _BUTTONS:
            yield "buttons 값의 buttonType이 올바르지 않습니다."
        yield from _link("buttons", one, one.get("buttonType"), one.get("buttonName"))


def _replies(said: dict[str, Any]) -> Iterator[str]:
    replies = _list(said, "quickReplies")
    if len(replies) > 10:
        yield "quickReplies 개수를 초과했습니다."
    for one in replies:
        if one.get("linkType") not in _REPLIES:
            yield "quickReplies 값의 linkType이 올바르지 않습니다."
        yield from _link("quickReplies", one, one.get("linkType"), one.get("name"))


def _link(where: str, one: dict[str, Any], kind: str | None, name: str | None) -> Iterator[str]:
    if not name or len(name) > 14 or _CREATED in name:
        yield f"{where} 값의 이름이 올바르지 않습니다."
    if kind == "WL" and not one.get("linkMo"):
        yield f"{where} 웹링크는 linkMo 값이 필수입니다."
    if kind == "AL" and [one.get(key) for key in ("linkMo", "linkAnd", "linkIos")].count(None) > 1:
        yield f"{where} 앱링크는 linkAnd, linkIos 값이 필수입니다."
    for key in ("linkMo", "linkPc"):
        if one.get(key) and not str(one[key]).startswith(("http://", "https://", _CREATED)):
            yield f"{where} 값의 {key}는 http:// 또는 https://로 시작해야 합니다."


def misfit(template: dict[str, Any], message: dict[str, Any]) -> str | None:
    """The code of how a message differs from its template; None if it fits."""
    kakao = message.get("kakaoOptions") or {}
    values = {str(name): str(value) for name, value in (kakao.get("variables") or {}).items()}
    if message.get("text") is not None and not values:
        return _misfit_in_text(template, message)
    if not set(VARIABLE.findall(_all_texts(template))) <= set(values):
        return "1043"
    filled = {
        name: VARIABLE.sub(lambda found: values[found[0]], template.get(name) or "") for name in _FILLED
    }
    if any(len(filled[name]) > longest for name, longest in _FILLED.items()):
        return "1031"
    return _misfit_of_buttons(template, kakao) if "buttons" in kakao else None


_SHOWN = ("content", "emphasizeTitle", "header", "highlight", "item", "buttons", "quickReplies")
_FILLED = {"content": 1000, "emphasizeTitle": 50, "header": 16}


def _misfit_in_text(template: dict[str, Any], message: dict[str, Any]) -> str | None:
    kakao = message["kakaoOptions"]
    if len(message["text"]) > _FILLED["content"]:
        return "1031"
    if not _same(template["content"], message["text"]):
        return "1043"
    if not _same(template.get("emphasizeTitle"), kakao.get("title") or template.get("emphasizeTitle")):
        return "1043"
    changing = VARIABLE.findall(_all_texts([template.get(name) for name in ("header", "item", "highlight")]))
    return "1043" if changing else _misfit_of_buttons(template, kakao)


def _misfit_of_buttons(template: dict[str, Any], kakao: dict[str, Any]) -> str | None:
    there, sent = _list(template, "buttons"), kakao.get("buttons") or []
    if not there or not sent:
        return None if bool(there) == bool(sent) else "1046" if there else "1047"
    names = ("buttonType", "buttonName")
    if [[one.get(name) for name in names] for one in there] != [
        [one.get(name) for name in names] for one in sent
    ]:
        return "1052"
    links = ("linkMo", "linkPc", "linkAnd", "linkIos")
    pairs = zip(there, sent, strict=True)
    return None if all(_same(one.get(n), two.get(n)) for one, two in pairs for n in links) else "1045"


def _same(registered: Any, sent: Any) -> bool:
    """Whether a text is what was registered, with its variables filled."""
    pattern = "(.*?)".join(re.escape(part) for part in VARIABLE.split(str(registered or "")))
    return bool(re.fullmatch(pattern, str(sent or ""), re.DOTALL))


def _all_texts(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(_all_texts(one) for one in value.values())
    if isinstance(value, list):
        return "\n".join(_all_texts(one) for one in value)
    return value if isinstance(value, str) else ""


def _list(said: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = said.get(name) or []
    return found


def _fixed(text: str) -> str:
    return VARIABLE.sub("", text)


def _fits(one: dict[str, Any], title: int, description: int) -> bool:
    texts = one.get("title") or "", one.get("description") or ""
    return (
        all(text.strip() for text in texts)
        and len(_fixed(texts[0])) <= title
        and len(_fixed(texts[1])) <= description
    )
