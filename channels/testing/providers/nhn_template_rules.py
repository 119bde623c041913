"""What NHN Cloud refuses when a template is registered or edited, in its own codes.

Written from NHN's reference, apart from our own linter: what the two disagree about is a mistake of one.
"""

import re
from collections.abc import Iterator
from typing import Any

Refusal = tuple[int, str]

VARIABLE = re.compile(r"#\{[^{}]*\}")
_NUMBERS = re.compile(r"[0-9.,\s$€£¥₩원A-Z]*")
_CALLS = ("전화 연결", "고객센터 연결", "상담원 연결")
_FORMS = ("톡에서 예약하기", "톡에서 설문하기", "톡에서 응모하기")
_BUTTONS = ("WL", "AL", "DS", "BK", "MD", "BC", "BT", "AC", "BF", "TN", "P1", "P2", "P3")
_LENGTHS = {
    "templateCode": 20, "templateName": 150, "templateContent": 1300, "templateExtra": 500,
    "templateTitle": 50, "templateSubtitle": 50, "templateHeader": 16,
}  # fmt: skip


def refused(said: dict[str, Any]) -> Refusal | None:
    """The first thing that is wrong, as NHN tells it; None for a good template."""
    rules = (_fields, _message_type, _emphasis, _items, _highlight, _buttons, _replies)
    return next((one for rule in rules for one in rule(said)), None)


def _fields(said: dict[str, Any]) -> Iterator[Refusal]:
    for name in ("templateCode", "templateName", "templateContent"):
        if not str(said.get(name) or "").strip():
            yield -2001, f"The '{name}' must not be blank."
    for name, longest in _LENGTHS.items():
        if len(str(said.get(name) or "")) > longest:
            yield -2000, f"The '{name}' must be at less than or equal to {longest}."
    if len(set(VARIABLE.findall(str(said)))) > 40:
        yield 4, "The 'templateContent' has more than 40 variables."
    for name in ("linkMo", "linkPc"):
        if _is_no_address((said.get("templateRepresentLink") or {}).get(name)):
            yield -2036, "TemplateRepresentLink parameter is invalid."
    for name in ("templateTitle",):
        if str(said.get(name) or "").endswith("\\s"):
            yield -3047, "A style of type is for sending only."


def _message_type(said: dict[str, Any]) -> Iterator[Refusal]:
    kind, extra = said.get("templateMessageType") or "BA", said.get("templateExtra")
    if kind not in ("BA", "EX", "AD", "MI"):
        yield 4, "The 'templateMessageType' is none of BA, EX, AD, MI."
    if kind in ("EX", "MI") and not extra:
        yield (-3018 if kind == "EX" else -3020), f"The type '{kind}' must have templateExtra."
    if kind in ("BA", "AD") and extra:
        yield (-3028 if kind == "BA" else -3030), f"The type '{kind}' has no templateExtra."
    if VARIABLE.search(extra or ""):
        yield -3021, "The templateExtra has a variable."
    adds = [number for number, one in enumerate(_list(said, "buttons")) if one.get("type") == "AC"]
    if kind in ("AD", "MI") and not adds:
        yield -3050, "The types AD and MI must have a button of AC."
    if kind in ("BA", "EX") and adds:
        yield -3024, "A button of AC is for the types AD and MI."
    if adds and adds != [0]:
        yield -3025, "The button of AC is alone or the first."
    if adds and _list(said, "buttons")[adds[0]].get("name") != "채널 추가":
        yield -3026, "The button of AC is called 채널 추가."


def _emphasis(said: dict[str, Any]) -> Iterator[Refusal]:
    kind = said.get("templateEmphasizeType") or "NONE"
    title, subtitle = said.get("templateTitle"), said.get("templateSubtitle")
    if kind not in ("NONE", "TEXT", "IMAGE", "ITEM_LIST"):
        yield 4, "The 'templateEmphasizeType' is none of NONE, TEXT, IMAGE, ITEM_LIST."
    if kind == "TEXT" and not (title and subtitle):
        yield -3016, "The emphasis TEXT must have templateTitle and templateSubtitle."
    if kind == "NONE" and (title or subtitle):
        yield -3027, "The emphasis NONE has no templateTitle and no templateSubtitle."
    if VARIABLE.search(subtitle or ""):
        yield -3017, "The templateSubtitle has a variable."
    if kind == "IMAGE" and not (said.get("templateImageName") and said.get("templateImageUrl")):
        yield -3032, "The emphasis IMAGE must have templateImageName and templateImageUrl."
    if _is_no_address(said.get("templateImageUrl")):
        yield -3041, "The imageUrl must include http:// or https://."


def _items(said: dict[str, Any]) -> Iterator[Refusal]:
    item = said.get("templateItem") or {}
    lines, summary = item.get("list") or [], item.get("summary")
    if said.get("templateEmphasizeType") == "ITEM_LIST":
        shown = ("templateHeader", "templateItemHighlight", "templateImageUrl")
        if not lines and not any(said.get(name) for name in shown):
            yield -3035, "The emphasis ITEM_LIST lists nothing."
        if said.get("securityFlag"):
            yield -3036, "The emphasis ITEM_LIST cannot be secure."
        if len(said["templateContent"]) > 700:
            yield -2037, "The 'content' is too long beside an item list."
    if lines and not 2 <= len(lines) <= 10:
        yield -2033, "TemplateItem parameter is invalid: 2 to 10 items."
    for one in lines:
        if VARIABLE.search(one.get("title") or ""):
            yield -3037, "The templateItem's title has a variable."
        if not _fits(one, 6, 23):
            yield -2033, "TemplateItem parameter is invalid: too long."
    if summary and not lines:
        yield -3039, "The templateItem's summary has no list above it."
    if summary and VARIABLE.search(summary.get("title") or ""):
        yield -3038, "The templateItem's summary title has a variable."
    if summary and not (_fits(summary, 6, 14) and _NUMBERS.fullmatch(_fixed(summary["description"]))):
        yield -2033, "TemplateItem parameter is invalid: summary."


def _highlight(said: dict[str, Any]) -> Iterator[Refusal]:
    one = said.get("templateItemHighlight")
    if not one:
        return
    if _is_no_address(one.get("imageUrl")):
        yield -3041, "The imageUrl must include http:// or https://."
    if one.get("imageUrl") and not _fits(one, 21, 13):
        yield -3040, "The itemHighlight beside a thumbnail is too long."
    if not _fits(one, 30, 19):
        yield -2034, "TemplateItemHighlight parameter is invalid."


def _buttons(said: dict[str, Any]) -> Iterator[Refusal]:
    buttons = _list(said, "buttons")
    if len(buttons) > 5:
        yield -2018, "Button parameter is invalid: more than 5."
    if len(buttons) > 2 and _list(said, "quickReplies"):
        yield -2505, "The 'buttons' is too many beside 'quickReplies'."
    for place, one in enumerate(buttons):
        name = one.get("name") or ""
        if one.get("type") not in _BUTTONS:
            yield -2018, "Button parameter is invalid: an unknown type."
        if not name:
            yield -3009, "Not exist button name."
        if VARIABLE.search(name):
            yield -3008, "The button name has a variable."
        if len(name) > 14:
            yield -2000, "The 'buttons[].name' must be at less than or equal to 14."
        yield from _link(one)
        if one.get("type") == "BF" and name not in _FORMS:
            yield -3045, "The name of a BF button is one of three."
        if one.get("type") == "BF" and place > 0:
            yield -3044, "A BF button is alone or the first."
        if one.get("type") == "TN":
            yield from _call(one)


def _replies(said: dict[str, Any]) -> Iterator[Refusal]:
    replies = _list(said, "quickReplies")
    if len(replies) > 10:
        yield -2504, "The quickReplies parameter is invalid: more than 10."
    for one in replies:
        if not one.get("name"):
            yield -3101, "Not exist quickReply name."
        if VARIABLE.search(one.get("name") or ""):
            yield -3102, "The quickReply name has a variable."
        if len(one.get("name") or "") > 14 or one.get("type") not in ("WL", "AL", "BK", "BC", "BT", "BF"):
            yield -2504, "The quickReplies parameter is invalid."
        yield from _link(one)


def _link(one: dict[str, Any]) -> Iterator[Refusal]:
    if one.get("type") == "WL" and not one.get("linkMo"):
        yield -3000, "A WL must have linkMo."
    if any(_is_no_address(one.get(name)) for name in ("linkMo", "linkPc")):
        yield -3006, "The linkMo/linkPc must include http:// or https://."
    given = [name for name in ("linkMo", "schemeAndroid", "schemeIos") if one.get(name)]
    if one.get("type") == "AL" and len(given) < 2:
        yield -3007, "An AL must have two of schemeAndroid, schemeIos and linkMo."


def _call(one: dict[str, Any]) -> Iterator[Refusal]:
    number = str(one.get("telNumber") or "")
    if one.get("name") not in _CALLS:
        yield -3051, "The name of a TN button is one of three."
    if not number:
        yield -3052, "A TN button must have telNumber."
    elif not re.fullmatch(r"[0-9-]{1,14}", number):
        yield -3053, "The telNumber has digits and hyphens, up to 14."


def _list(said: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = said.get(name) or []
    return found


def _fixed(text: str) -> str:
    return VARIABLE.sub("", text)


def _fits(one: dict[str, Any], title: int, description: int) -> bool:
    """Whether a line is short enough, and says something. What a variable will hold nobody knows yet."""
    texts = one.get("title") or "", one.get("description") or ""
    return (
        all(text.strip() for text in texts)
        and len(_fixed(texts[0])) <= title
        and len(_fixed(texts[1])) <= description
    )


def _is_no_address(text: str | None) -> bool:
    return bool(text) and not str(text).startswith(("http://", "https://", "#{"))
