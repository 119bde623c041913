"""A recipient as NHN Cloud writes one down, for templates that it renders and for texts that we rendered."""

from typing import Any

from channels.kakao.alimtalk import LONGEST_REFERENCE, Alimtalk
from channels.kakao.options import Button, QuickReply


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
        said |= {"templateHeader": one.options.header} if one.options.header else {}
    elif one.variables:
        said["templateParameter"] = dict(one.variables)
    buttons = [_link(button, number, full) for number, button in enumerate(one.options.buttons, 1)]
    replies = [_link(reply, number, full) for number, reply in enumerate(one.options.quick_replies, 1)]
    said |= {"buttons": buttons} if buttons else {}
    said |= {"quickReplies": replies} if replies else {}
    return said


def _link(link: Button | QuickReply, ordering: int, full: bool) -> dict[str, Any]:
    changing = {
        "chatExtra": link.chat_extra,
        "chatEvent": link.chat_event,
        "target": link.target,
        "telNumber": link.phone if isinstance(link, Button) else "",
    }
    registered = {
        "type": link.type,
        "name": link.name,
        "linkMo": link.link_mobile,
        "linkPc": link.link_pc,
        "schemeAndroid": link.scheme_android,
        "schemeIos": link.scheme_ios,
    }
    said = {**registered, **changing} if full else changing
    return {"ordering": ordering, **{name: value for name, value in said.items() if value}}
