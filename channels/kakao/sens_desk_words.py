"""Channels and templates as SENS tells them. Pure."""

from __future__ import annotations

import json
from typing import Any

from channels.alimtalk.desk import (
    Comment,
    CommentKind,
    Inspection,
    Operation,
    Profile,
    ProfileState,
    Registered,
)
from channels.alimtalk.template import OTHER_CATEGORY, Button, Highlight, Image, Item, Link, Template
from channels.answers import an_object, objects, words
from channels.contract import Instant
from channels.kakao.windows import instant

INSPECTIONS = {
    "REGISTER": Inspection.DRAFT,
    "ACCEPT": Inspection.REQUESTED,
    "REQUEST": Inspection.REQUESTED,
    "INSPECT": Inspection.IN_REVIEW,
    "COMPLETE": Inspection.APPROVED,
    "REJECT": Inspection.REJECTED,
}
OPERATIONS = {"ACTIVE": Operation.ACTIVE, "STOP": Operation.STOPPED, "STOPPED": Operation.STOPPED}
_COMMENTS = {
    "INQUIRY": CommentKind.QUESTION, "INQ": CommentKind.QUESTION, "APPROVE": CommentKind.APPROVAL,
    "APR": CommentKind.APPROVAL, "COMPLETE": CommentKind.APPROVAL, "REJECT": CommentKind.REJECTION,
    "REJ": CommentKind.REJECTION, "REQUEST": CommentKind.REVIEW, "REQ": CommentKind.REVIEW,
}  # fmt: skip
_PROFILES = {
    "ACTIVE": ProfileState.ACTIVE,
    "BLOCKED": ProfileState.BLOCKED,
    "DELETED": ProfileState.DELETED,
    # Spelt so by SENS.
    "DELETING_PERMANETLY": ProfileState.DELETED,
    "PERMANENTLY_DELETED": ProfileState.DELETED,
    "PENDING_DELETE": ProfileState.CLOSED,
}


def profile_of(row: dict[str, Any]) -> Profile:
    told = words(row.get("channelStatus"))
    state = _PROFILES.get(told, ProfileState.UNKNOWN)
    is_blocked = row.get("isBlock") is True or state is ProfileState.BLOCKED
    is_dormant = row.get("isDormant") is True
    if state is ProfileState.ACTIVE and (is_blocked or is_dormant):
        state = ProfileState.BLOCKED if is_blocked else ProfileState.DORMANT
    return Profile(
        key=words(row.get("channelId")),
        search_id=words(row.get("channelId")),
        name=words(row.get("channelName")),
        state=state,
        is_blocked=is_blocked,
        is_dormant=is_dormant,
        can_send_alimtalk=state is ProfileState.ACTIVE,
        code=told,
    )


def registered_of(row: dict[str, Any], now: Instant) -> Registered:
    """How a template stands, with what it is."""
    return Registered(
        code=words(row.get("templateCode")),
        inspection=INSPECTIONS.get(words(row.get("templateInspectionStatus")), Inspection.IN_REVIEW),
        operation=OPERATIONS.get(words(row.get("templateStatus")), Operation.READY),
        is_blocked=row.get("isBlock") is True,
        is_dormant=row.get("isDormant") is True,
        template=template_of(row) if "content" in row else None,
        comments=tuple(_comment_of(one, now) for one in objects(row.get("comments"))),
        changed_at=changed_at(row),
        raw=json.dumps(row, ensure_ascii=False),
    )


def changed_at(row: dict[str, Any]) -> Instant | None:
    return instant(row.get("updateTime") or row.get("createTime"), 0) or None


def template_of(row: dict[str, Any]) -> Template:
    """The template that a row describes. Without the emphasis that older rows do not tell it is NONE."""
    item, advert = an_object(row.get("item")), _first(row, "adContent", "ad")
    summary, highlight = an_object(item.get("summary")), an_object(row.get("itemHighlight"))
    return Template(
        name=words(row.get("templateName")),
        body=words(row.get("content")),
        message_type=words(row.get("messageType")) or "BA",
        emphasis=words(row.get("emphasizeType")) or "NONE",
        extra=_first(row, "extraContent", "extra"),
        title=_first(row, "emphasizeTitle", "title"),
        subtitle=_first(row, "emphasizeSubtitle", "emphasizeSubTitle", "subtitle"),
        header=_first(row, "headerContent", "header"),
        highlight=_highlight_of(highlight) if any(highlight.values()) else None,
        items=tuple(_item_of(one) for one in objects(item.get("list"))),
        summary=_item_of(summary) if any(summary.values()) else None,
        image=_image_of(_first(row, "imageName"), _first(row, "imageUrl")),
        link=_link_of(an_object(row.get("representLink"))),
        buttons=tuple(_button_of(one) for one in _in_order(row.get("buttons"))),
        quick_replies=tuple(_button_of(one) for one in _in_order(row.get("quickReplies"))),
        category=words(row.get("categoryCode")) or OTHER_CATEGORY,
        is_secure=row.get("securityFlag") is True,
        more={"adContent": advert} if advert else {},
    )


def _first(row: dict[str, Any], *names: str) -> str:
    return next((words(row[name]) for name in names if row.get(name)), "")


def _highlight_of(row: dict[str, Any]) -> Highlight:
    image = _image_of("", _first(row, "imageUrl"))
    return Highlight(words(row.get("title")), words(row.get("description")), image)


def _item_of(row: dict[str, Any]) -> Item:
    return Item(words(row.get("title")), words(row.get("description")))


def _image_of(name: str, url: str) -> Image | None:
    return Image(name, url) if name or url else None


def _link_of(row: dict[str, Any]) -> Link | None:
    names = ("linkMobile", "linkPc", "schemeAndroid", "schemeIos")
    return Link(*(words(row.get(name)) for name in names)) if any(row.values()) else None


def _in_order(rows: object) -> list[dict[str, Any]]:
    return sorted(objects(rows), key=lambda row: words(row.get("order")).zfill(3))


def _button_of(row: dict[str, Any]) -> Button:
    return Button(
        type=words(row.get("type")),
        name=words(row.get("name")),
        link_mobile=words(row.get("linkMobile")),
        link_pc=words(row.get("linkPc")),
        scheme_android=words(row.get("schemeAndroid")),
        scheme_ios=words(row.get("schemeIos")),
        phone=words(row.get("tel")),
    )


def _comment_of(row: dict[str, Any], now: Instant) -> Comment:
    at, text = words(row.get("createTime")), words(row.get("content"))
    return Comment(
        key=words(row.get("commentId")) or f"{at}/{text[:60]}",
        at=instant(at, now),
        kind=_COMMENTS.get(words(row.get("status")), CommentKind.REPLY),
        text=text,
        author=words(row.get("userName")),
    )
