"""Templates, channels and reviews in SOLAPI's words, and the way back. Pure."""

from __future__ import annotations

import json
from hashlib import sha1
from typing import Any

from channels.alimtalk.desk import (
    Category,
    Comment,
    CommentKind,
    Inspection,
    Operation,
    Profile,
    ProfileState,
    Registered,
)
from channels.alimtalk.template import OTHER_CATEGORY, Button, Highlight, Image, Item, Template
from channels.answers import an_object, objects, words
from channels.contract import Instant
from channels.kakao.windows import instant

INSPECTIONS = {
    "PENDING": Inspection.DRAFT,
    "INSPECTING": Inspection.IN_REVIEW,
    "APPROVED": Inspection.APPROVED,
    "REJECTED": Inspection.REJECTED,
}


def in_their_words(template: Template) -> dict[str, Any]:
    """A template as SOLAPI takes it; the channel that it is for goes beside it."""
    said = {
        "name": template.name,
        "content": template.body,
        "categoryCode": template.category,
        "messageType": template.message_type,
        "emphasizeType": template.emphasis,
        "extra": template.extra,
        "emphasizeTitle": template.title,
        "emphasizeSubtitle": template.subtitle,
        "header": template.header,
        "highlight": _highlight(template.highlight),
        "item": _item(template),
        "imageId": template.image.name if template.image else "",
    }
    return {
        **_present(said),
        "securityFlag": template.is_secure,
        # An edit that leaves them out would leave those that were there.
        "buttons": [_button(one, "buttonType", "buttonName") for one in template.buttons],
        "quickReplies": [_button(one, "linkType", "name") for one in template.quick_replies],
    }


def _highlight(one: Highlight | None) -> dict[str, Any]:
    if one is None:
        return {}
    image = one.image.name if one.image else ""
    return _present({"title": one.title, "description": one.description, "imageId": image})


def _item(template: Template) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if template.items:
        said["list"] = [{"title": one.title, "description": one.description} for one in template.items]
    if template.summary:
        summary = template.summary
        said["summary"] = {"title": summary.title, "description": summary.description}
    return said


def _button(one: Button, type_name: str, name_name: str) -> dict[str, Any]:
    said = {
        type_name: one.type,
        name_name: one.name,
        "linkMo": one.link_mobile,
        "linkPc": one.link_pc,
        "linkAnd": one.scheme_android,
        "linkIos": one.scheme_ios,
        "chatExtra": one.chat_extra,
        "targetOut": one.target == "out",
    }
    return {name: value for name, value in said.items() if value}


def untold(template: Template) -> str:
    """The first thing of the template that SOLAPI has no field for, by its name; empty for none."""
    if template.link is not None:
        return "link"
    for name in ("buttons", "quick_replies"):
        for one in getattr(template, name):
            told = (one.chat_event, one.phone, one.form_id, one.plugin_id, one.one_click_id, one.product_id)
            if any(told):
                return name
    return ""


def template_of(row: dict[str, Any]) -> Template:
    """The template that a row describes."""
    item, highlight = an_object(row.get("item")), an_object(row.get("highlight"))
    summary = an_object(item.get("summary"))
    advert = words(row.get("ad"))
    return Template(
        name=words(row.get("name")),
        body=words(row.get("content")),
        message_type=words(row.get("messageType")) or "BA",
        emphasis=words(row.get("emphasizeType")) or "NONE",
        extra=words(row.get("extra")),
        title=words(row.get("emphasizeTitle")),
        subtitle=words(row.get("emphasizeSubtitle")),
        header=words(row.get("header")),
        highlight=_highlight_of(highlight),
        items=tuple(_item_of(one) for one in objects(item.get("list"))),
        summary=_item_of(summary) if any(summary.values()) else None,
        image=_image_of(row.get("imageId")),
        buttons=tuple(_button_of(one, "buttonType", "buttonName") for one in objects(row.get("buttons"))),
        quick_replies=tuple(_button_of(one, "linkType", "name") for one in objects(row.get("quickReplies"))),
        category=words(row.get("categoryCode")) or OTHER_CATEGORY,
        is_secure=row.get("securityFlag") is True,
        more={"ad": advert} if advert else {},
    )


def _item_of(row: dict[str, Any]) -> Item:
    return Item(words(row.get("title")), words(row.get("description")))


def _highlight_of(row: dict[str, Any]) -> Highlight | None:
    if not any(row.values()):
        return None
    return Highlight(words(row.get("title")), words(row.get("description")), _image_of(row.get("imageId")))


def _image_of(name: object) -> Image | None:
    return Image(words(name)) if name else None


def _button_of(row: dict[str, Any], type_name: str, name_name: str) -> Button:
    return Button(
        type=words(row.get(type_name)),
        name=words(row.get(name_name)),
        link_mobile=words(row.get("linkMo")),
        link_pc=words(row.get("linkPc")),
        scheme_android=words(row.get("linkAnd")),
        scheme_ios=words(row.get("linkIos")),
        chat_extra=words(row.get("chatExtra")),
        target="out" if row.get("targetOut") is True else "",
    )


def registered_of(row: dict[str, Any], now: Instant) -> Registered:
    """How a template stands, with what it is. One that was hidden is out of use."""
    return Registered(
        code=words(row.get("templateId")),
        inspection=INSPECTIONS.get(words(row.get("status")), Inspection.IN_REVIEW),
        operation=Operation.STOPPED if row.get("isHidden") is True else Operation.READY,
        is_dormant=row.get("isDormant") is True,
        is_blocked=row.get("isBlocked") is True,
        template=template_of(row) if "content" in row else None,
        comments=tuple(_comment_of(one, now) for one in objects(row.get("comments"))),
        changed_at=changed_at(row),
        kakao_code=words(row.get("code")),
        raw=json.dumps(row, ensure_ascii=False),
    )


def changed_at(row: dict[str, Any]) -> Instant | None:
    return instant(row.get("dateUpdated") or row.get("dateCreated"), 0) or None


def _comment_of(row: dict[str, Any], now: Instant) -> Comment:
    """SOLAPI numbers no comments: who said what and when tells one from another."""
    text, author, at = words(row.get("content")), words(row.get("memberId")), words(row.get("dateCreated"))
    by_reviewer = row.get("isAdmin") is True
    return Comment(
        key=sha1(json.dumps([at, author, by_reviewer, text]).encode()).hexdigest(),
        at=instant(at, now),
        kind=CommentKind.REPLY if by_reviewer else CommentKind.QUESTION,
        text=text,
        author=author,
    )


def profile_of(row: dict[str, Any]) -> Profile:
    """A channel. SOLAPI lists those that are connected, and says little about how KakaoTalk sees them."""
    is_blocked, is_dormant = row.get("isBlocked") is True, row.get("isDormant") is True
    state = ProfileState.DORMANT if is_dormant else ProfileState.ACTIVE
    state = ProfileState.DELETED if row.get("isDeleted") is True else state
    return Profile(
        key=words(row.get("channelId")),
        search_id=words(row.get("searchId")),
        name=words(row.get("channelName")) or words(row.get("searchId")),
        category=words(row.get("categoryCode")),
        state=ProfileState.BLOCKED if is_blocked else state,
        is_blocked=is_blocked,
        is_dormant=is_dormant,
    )


def categories_of(rows: object) -> list[Category]:
    return [Category(words(row.get("code")), words(row.get("name"))) for row in objects(rows)]


def _present(said: dict[str, Any]) -> dict[str, Any]:
    """Without the names that say nothing."""
    return {name: value for name, value in said.items() if value not in ("", None, {}, [])}
