"""A recipient as NHN Cloud writes one down, for templates that it renders and for texts that we rendered."""

from collections.abc import Mapping
from typing import Any

from channels.kakao.alimtalk import LONGEST_REFERENCE, Alimtalk
from channels.kakao.options import AlimtalkOptions, Button, Line, QuickReply, TapLink


def renders_it_itself(one: Alimtalk) -> bool:
    """Whether NHN fills the template. Preferred: our own text has to match it to the last space."""
    return bool(one.variables) or not one.text


def recipient(one: Alimtalk) -> dict[str, Any]:
    """One entry of recipientList. NHN's own fallback to SMS is switched off, whatever its console says."""
    said: dict[str, Any] = {"recipientNo": one.number, "resendParameter": {"isResend": False}}
    if len(one.reference) <= LONGEST_REFERENCE:
        said["recipientGroupingKey"] = one.reference
    full = not renders_it_itself(one)
    if full:
        said |= {"content": one.text}
        said |= {"templateTitle": one.title} if one.title else {}
        said |= _whole(one.options)
    elif one.variables:
        said["templateParameter"] = dict(one.variables)
    buttons = [_link(button, number, full) for number, button in enumerate(one.options.buttons, 1)]
    replies = [_link(reply, number, full) for number, reply in enumerate(one.options.quick_replies, 1)]
    said |= {"buttons": _telling(buttons)} if _telling(buttons) else {}
    said |= {"quickReplies": _telling(replies)} if _telling(replies) else {}
    return said


def _telling(links: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of which more is said than their place: NHN knows the rest from the template."""
    return [one for one in links if len(one) > 1]


def _whole(options: AlimtalkOptions) -> dict[str, Any]:
    """Everything beside the text that a template shows, as it was filled."""
    item: dict[str, Any] = {"list": [_line(one) for one in options.items]} if options.items else {}
    if options.summary:
        item["summary"] = _line(options.summary)
    highlight: dict[str, Any] = {}
    if options.highlight:
        highlight = {**_line(options.highlight), "imageUrl": options.highlight.image_url}
    said = {
        "templateHeader": options.header,
        "templateItem": item,
        "templateItemHighlight": present(highlight),
        "templateRepresentLink": tap_link(options.link) if options.link else {},
    }
    return present(said)


def tap_link(link: TapLink) -> dict[str, str]:
    said = {
        "linkMo": link.mobile,
        "linkPc": link.pc,
        "schemeIos": link.ios,
        "schemeAndroid": link.android,
    }
    return present(said)


def _line(line: Line) -> dict[str, Any]:
    return {"title": line.title, "description": line.description}


def _link(link: Button | QuickReply, ordering: int, full: bool) -> dict[str, Any]:
    changing = {
        "chatExtra": link.chat_extra,
        "chatEvent": link.chat_event,
        "target": link.target,
        "telNumber": link.phone if isinstance(link, Button) else "",
        "oneClickId": link.one_click_id if isinstance(link, Button) else "",
        "productId": link.product_id if isinstance(link, Button) else "",
    }
    registered = {
        "type": link.type,
        "name": link.name,
        "linkMo": link.link_mobile,
        "linkPc": link.link_pc,
        "schemeAndroid": link.scheme_android,
        "schemeIos": link.scheme_ios,
        "bizFormId": number_of(link.form_id),
        "pluginId": link.plugin_id if isinstance(link, Button) else "",
    }
    said = {**registered, **changing} if full else changing
    return {"ordering": ordering, **present(said)}


def number_of(text: str) -> int | str:
    """NHN counts forms; what is no number is left for it to refuse."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else text


def present(said: Mapping[str, Any]) -> dict[str, Any]:
    """Without the names that say nothing."""
    return {name: value for name, value in said.items() if value not in ("", None, {}, [])}
