"""Whether a message fits the template that NHN Cloud keeps, in NHN's codes and KakaoTalk's."""

import re
from collections.abc import Iterator
from typing import Any

from channels.testing.providers.nhn_template_rules import VARIABLE

_FIRST_TIME = 14
"""How much longer than its placeholder a value of a first-time sender may be."""
_LONGEST_VALUE = 1300


def misfit(
    template: dict[str, Any], recipient: dict[str, Any], *, is_raw: bool, is_first_time: bool
) -> int | str | None:
    """NHN's own code (a number) for what it refuses at once, KakaoTalk's (a text) for what fails later."""
    rules = _raw if is_raw else _substituted
    return next(rules(template, recipient, is_first_time), None)


def _substituted(
    template: dict[str, Any], recipient: dict[str, Any], is_first_time: bool
) -> Iterator[int | str]:
    values = {str(name): str(value) for name, value in (recipient.get("templateParameter") or {}).items()}
    wanted = {name[2:-1] for name in VARIABLE.findall(_all_texts(template))}
    if not wanted <= set(values):
        yield -3049
    if any(len(value) > _LONGEST_VALUE or len(name) > _LONGEST_VALUE for name, value in values.items()):
        yield -3048
    if is_first_time and any(_grows(f"#{{{name}}}", values[name]) for name in wanted):
        yield -1028
    filled = {name: _filled(str(template.get(name) or ""), values) for name in _MEASURED}
    yield from (code for name, (longest, code) in _MEASURED.items() if len(filled[name]) > longest)
    item = template.get("templateItem") or {}
    if any(len(_filled(one["description"], values)) > 23 for one in item.get("list") or []):
        yield "3037"
    if item.get("summary") and len(_filled(item["summary"]["description"], values)) > 14:
        yield "3039"
    yield from _links(template, recipient, names_matter=False)


_MEASURED = {"templateContent": (1300, -2019), "templateTitle": (50, -2032), "templateHeader": (16, -2035)}


def _raw(template: dict[str, Any], recipient: dict[str, Any], is_first_time: bool) -> Iterator[int | str]:
    content = str(recipient.get("content") or "")
    found = _pattern(template["templateContent"]).fullmatch(content)
    if not found:
        yield -3010
    if len(content) > 1300:
        yield -2019
    parts = zip(VARIABLE.findall(template["templateContent"]), found.groups() if found else (), strict=False)
    if is_first_time and any(_grows(name, value) for name, value in parts):
        yield -1028
    if not _same(template.get("templateTitle"), recipient.get("templateTitle")):
        yield "3028"
    if not _same(template.get("templateHeader"), recipient.get("templateHeader")):
        yield -3042
    for name in ("templateItem", "templateItemHighlight"):
        if not _same(template.get(name), recipient.get(name)):
            yield -3043
    if not _same(template.get("templateRepresentLink"), recipient.get("templateRepresentLink")):
        yield -3046
    yield from _links(template, recipient, names_matter=True)


def _links(template: dict[str, Any], recipient: dict[str, Any], *, names_matter: bool) -> Iterator[int | str]:
    for kind in ("buttons", "quickReplies"):
        there = {one["ordering"]: one for one in template.get(kind) or []}
        sent = {one.get("ordering"): one for one in recipient.get(kind) or []}
        if not set(sent) <= set(there):
            yield -3033
        if names_matter and not _are_same(there, sent):
            yield -3011


def _are_same(there: dict[int, dict[str, Any]], sent: dict[Any, dict[str, Any]]) -> bool:
    return set(there) == set(sent) and all(_same_link(one, sent[place]) for place, one in there.items())


def _same_link(registered: dict[str, Any], sent: dict[str, Any]) -> bool:
    names = ("type", "name", "linkMo", "linkPc", "schemeIos", "schemeAndroid")
    return all(_same(registered.get(name), sent.get(name)) for name in names)


def _same(registered: Any, sent: Any) -> bool:
    """Whether what was sent is what was registered, with its variables filled."""
    if isinstance(registered, dict):
        return isinstance(sent, dict) and all(_same(one, sent.get(name)) for name, one in registered.items())
    if isinstance(registered, list):
        pairs = zip(registered, sent or [], strict=False)
        return len(registered) == len(sent or []) and all(_same(one, other) for one, other in pairs)
    return bool(_pattern(str(registered or "")).fullmatch(str(sent or "")))


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile("(.*?)".join(re.escape(part) for part in VARIABLE.split(text)), re.DOTALL)


def _filled(text: str, values: dict[str, str]) -> str:
    return VARIABLE.sub(lambda found: values.get(found[0][2:-1], found[0]), text)


def _grows(placeholder: str, value: str) -> bool:
    return len(value) - len(placeholder) > _FIRST_TIME


def _all_texts(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(_all_texts(one) for one in value.values())
    if isinstance(value, list):
        return "\n".join(_all_texts(one) for one in value)
    return value if isinstance(value, str) else ""
