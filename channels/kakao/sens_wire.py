"""An Alimtalk as SENS writes one down: all of it rendered by us. Pure."""

from __future__ import annotations

from typing import Any

from channels.contract import Message, Rejected
from channels.kakao.alimtalk import Alimtalk, read
from channels.kakao.options import Button
from channels.reasons import Reason


def readable(message: Message) -> Alimtalk | Rejected:
    """The message as an Alimtalk that SENS has fields for, or why it is none."""
    found = read(message)
    if isinstance(found, Rejected):
        return found
    for name in ("quick_replies", "link"):
        if getattr(found.options, name):
            text = f"SENS's API has no field for {name}: send such a template through another relay."
            return Rejected(Reason.CONTENT_INVALID, name, text)
    return found


def in_their_words(one: Alimtalk) -> dict[str, Any]:
    """One entry of messages. SENS's own fallback to SMS is switched off, whatever its console says."""
    said: dict[str, Any] = {
        "countryCode": "82",
        "to": one.number,
        "content": one.text,
        "useSmsFailover": False,
    }
    options = one.options
    more = {
        "title": one.title,
        "headerContent": options.header,
        "itemHighlight": _line(options.highlight) if options.highlight else None,
        "item": _item(one),
        "buttons": [_button(button) for button in options.buttons],
    }
    return {**said, **{name: value for name, value in more.items() if value}}


def _item(one: Alimtalk) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if one.options.items:
        said["list"] = [_line(line) for line in one.options.items]
    if one.options.summary:
        said["summary"] = _line(one.options.summary)
    return said


def _line(line: Any) -> dict[str, str]:
    return {"title": line.title, "description": line.description}


def _button(button: Button) -> dict[str, str]:
    said = {
        "type": button.type,
        "name": button.name,
        "linkMobile": button.link_mobile,
        "linkPc": button.link_pc,
        "schemeAndroid": button.scheme_android,
        "schemeIos": button.scheme_ios,
    }
    return {name: value for name, value in said.items() if value}
