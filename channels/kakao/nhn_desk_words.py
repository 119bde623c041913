"""Templates, profiles and reviews in NHN Cloud's words, and the way back. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from channels.alimtalk.desk import (
    Category,
    Comment,
    CommentKind,
    Inspection,
    Profile,
    ProfileState,
    Registered,
)
from channels.alimtalk.template import OTHER_CATEGORY, Button, Highlight, Image, Item, Link, Template
from channels.answers import an_object, objects, read_json, words
from channels.contract import Instant
from channels.kakao.nhn_results import tells_of_a_template
from channels.kakao.nhn_wire import number_of, present
from channels.kakao.windows import instant

INSPECTIONS = {
    "TSC01": Inspection.REQUESTED,
    "TSC02": Inspection.IN_REVIEW,
    "TSC03": Inspection.APPROVED,
    "TSC04": Inspection.REJECTED,
}
_COMMENTS = {
    "INQ": CommentKind.QUESTION,
    "APR": CommentKind.APPROVAL,
    "REJ": CommentKind.REJECTION,
    "REP": CommentKind.REPLY,
    "REQ": CommentKind.REVIEW,
}
_PROFILES = {"B": ProfileState.BLOCKED, "C": ProfileState.CLOSED, "D": ProfileState.DELETED}
_PROFILES["E"] = ProfileState.DELETED
_SANCTIONED = ("영구제한", "활동제한")
"""Levels of spam at which KakaoTalk lets a profile send nothing; below them it only warns."""


def in_their_words(template: Template) -> dict[str, Any]:
    """A template as NHN takes it at its registration; its code goes beside it."""
    item: dict[str, Any] = {"list": [_item(one) for one in template.items]} if template.items else {}
    if template.summary:
        item["summary"] = _item(template.summary)
    said = {
        "templateName": template.name,
        "templateContent": template.body,
        "templateMessageType": template.message_type,
        "templateEmphasizeType": template.emphasis,
        "templateExtra": template.extra,
        "templateTitle": template.title,
        "templateSubtitle": template.subtitle,
        "templateHeader": template.header,
        "templateItem": item,
        "templateItemHighlight": _highlight(template.highlight),
        "templateRepresentLink": _tap(template.link),
        "templateImageName": template.image.name if template.image else "",
        "templateImageUrl": template.image.url if template.image else "",
        "categoryCode": template.category,
        "buttons": [_link(one, place) for place, one in enumerate(template.buttons, 1)],
        "quickReplies": [_link(one, place) for place, one in enumerate(template.quick_replies, 1)],
    }
    return {**present(said), "securityFlag": template.is_secure}


def _item(item: Item) -> dict[str, str]:
    return {"title": item.title, "description": item.description}


def _highlight(one: Highlight | None) -> dict[str, Any]:
    if one is None:
        return {}
    image = one.image.url if one.image else ""
    return present({"title": one.title, "description": one.description, "imageUrl": image})


def _tap(link: Link | None) -> dict[str, Any]:
    if link is None:
        return {}
    said = {"linkMo": link.mobile, "linkPc": link.pc, "schemeIos": link.ios, "schemeAndroid": link.android}
    return present(said)


def _link(button: Button, ordering: int) -> dict[str, Any]:
    said = {
        "type": button.type,
        "name": button.name,
        "linkMo": button.link_mobile,
        "linkPc": button.link_pc,
        "schemeIos": button.scheme_ios,
        "schemeAndroid": button.scheme_android,
        "bizFormId": number_of(button.form_id),
        "pluginId": button.plugin_id,
        "telNumber": button.phone,
    }
    return {"ordering": ordering, **present(said)}


def template_of(row: dict[str, Any]) -> Template:
    """The template that a row describes."""
    item = an_object(row.get("templateItem"))
    summary = an_object(item.get("summary"))
    advert = words(row.get("templateAd"))
    return Template(
        name=words(row.get("templateName")),
        body=words(row.get("templateContent")),
        message_type=words(row.get("templateMessageType")) or "BA",
        emphasis=words(row.get("templateEmphasizeType")) or "NONE",
        extra=words(row.get("templateExtra")),
        title=words(row.get("templateTitle")),
        subtitle=words(row.get("templateSubtitle")),
        header=words(row.get("templateHeader")),
        highlight=_highlight_of(an_object(row.get("templateItemHighlight"))),
        items=tuple(_item_of(one) for one in objects(item.get("list"))),
        summary=_item_of(summary) if summary else None,
        image=_image_of(words(row.get("templateImageName")), words(row.get("templateImageUrl"))),
        link=_tap_of(an_object(row.get("templateRepresentLink"))),
        buttons=tuple(_button_of(one) for one in _in_order(row.get("buttons"))),
        quick_replies=tuple(_button_of(one) for one in _in_order(row.get("quickReplies"))),
        category=words(row.get("categoryCode")) or OTHER_CATEGORY,
        is_secure=row.get("securityFlag") is True,
        more={"templateAd": advert} if advert else {},
    )


def _item_of(row: dict[str, Any]) -> Item:
    return Item(words(row.get("title")), words(row.get("description")))


def _highlight_of(row: dict[str, Any]) -> Highlight | None:
    if not any(row.values()):
        return None
    image = _image_of("", words(row.get("imageUrl")))
    return Highlight(words(row.get("title")), words(row.get("description")), image)


def _image_of(name: str, url: str) -> Image | None:
    return Image(name, url) if name or url else None


def _tap_of(row: dict[str, Any]) -> Link | None:
    if not any(row.values()):
        return None
    names = ("linkMo", "linkPc", "schemeAndroid", "schemeIos")
    return Link(*(words(row.get(name)) for name in names))


def _in_order(rows: object) -> list[dict[str, Any]]:
    return sorted(objects(rows), key=lambda row: words(row.get("ordering")).zfill(3))


def _button_of(row: dict[str, Any]) -> Button:
    return Button(
        type=words(row.get("type")),
        name=words(row.get("name")),
        link_mobile=words(row.get("linkMo")),
        link_pc=words(row.get("linkPc")),
        scheme_android=words(row.get("schemeAndroid")),
        scheme_ios=words(row.get("schemeIos")),
        form_id=words(row.get("bizFormId")),
        plugin_id=words(row.get("pluginId")),
        phone=words(row.get("telNumber")),
    )


def registered_of(row: dict[str, Any], now: Instant, *, is_revision: bool = False) -> Registered:
    """How a template stands, with what it is. NHN does not tell whether it was ever sent."""
    return Registered(
        code=words(row.get("templateCode")),
        inspection=INSPECTIONS.get(words(row.get("status")), Inspection.IN_REVIEW),
        is_blocked=row.get("block") is True,
        is_dormant=row.get("dormant") is True,
        template=template_of(row) if "templateContent" in row else None,
        comments=tuple(_comment_of(one, now) for one in objects(row.get("comments"))),
        changed_at=changed_at(row),
        is_revision=is_revision,
        kakao_code=words(row.get("kakaoTemplateCode")),
        raw=json.dumps(row, ensure_ascii=False),
    )


def changed_at(row: dict[str, Any]) -> Instant | None:
    told = row.get("updateDate") or row.get("createDate")
    return instant(told, 0) or None


def _comment_of(row: dict[str, Any], now: Instant) -> Comment:
    files = objects(row.get("attachment"))
    return Comment(
        key=words(row.get("id")),
        # The reference says createAt where its examples say createdAt.
        at=instant(row.get("createdAt") or row.get("createAt"), now),
        kind=_COMMENTS.get(words(row.get("status")), CommentKind.REPLY),
        text=words(row.get("content")),
        author=words(row.get("userName")),
        attachments=tuple(words(one.get("filePath") or one.get("originalFileName")) for one in files),
    )


def news_in(body: bytes, sender_key: str, now: Instant) -> list[Registered]:
    """What a callback tells of the profile's templates.

    It does not say whether an approved template or an edit of it is meant: `template(code)` of the desk does.
    """
    said = an_object(read_json(body.decode("utf-8", "replace")))
    hooks = [hook for hook in objects(said.get("hooks")) if tells_of_a_template(hook)]
    return [registered_of(hook, now) for hook in hooks if hook.get("senderKey") == sender_key]


def profile_of(row: dict[str, Any]) -> Profile:
    """A sender profile. Its state is spread over six fields, the worst of which counts."""
    alimtalk = an_object(row.get("alimtalk"))
    levels = [words(row.get(name)) for name in ("profileSpamLevel", "profileMessageSpamLevel")]
    state = _state_of(row)
    is_blocked = state is ProfileState.BLOCKED or any(level in _SANCTIONED for level in levels)
    told = [words(row.get(name)) for name in ("statusName", "kakaoStatusName", "kakaoProfileStatusName")]
    first = row.get("initialUserRestriction")
    return Profile(
        key=words(row.get("senderKey")),
        search_id=words(row.get("plusFriendId")),
        name=words(row.get("plusFriendId")),
        category=words(row.get("categoryCode")),
        state=ProfileState.BLOCKED if is_blocked and state is ProfileState.ACTIVE else state,
        is_blocked=is_blocked,
        is_dormant=row.get("dormant") is True,
        can_send_alimtalk=state is ProfileState.ACTIVE and not is_blocked,
        is_first_time=first if isinstance(first, bool) else None,
        daily_cap=_cap_of(alimtalk.get("dailyMaxCount")),
        code="/".join(filter(None, (words(row.get(name)) for name in _STATES))),
        text=", ".join(dict.fromkeys(filter(None, [*told, *levels]))),
    )


_STATES = ("status", "kakaoStatus", "kakaoProfileStatus")


def _state_of(row: dict[str, Any]) -> ProfileState:
    if row.get("status") == "YSC02":
        return ProfileState.WAITING
    if found := _PROFILES.get(words(row.get("kakaoProfileStatus"))):
        return found
    if row.get("block") is True or row.get("kakaoStatus") == "S":
        return ProfileState.BLOCKED
    if row.get("dormant") is True:
        return ProfileState.DORMANT
    return ProfileState.ACTIVE if row.get("status") == "YSC03" else ProfileState.UNKNOWN


def _cap_of(value: object) -> int | None:
    """0 is no cap."""
    return value if isinstance(value, int) and value > 0 else None


def categories_of(rows: object, above: str = "") -> Iterator[Category]:
    """The categories that can be chosen, each named with those above it."""
    for row in objects(rows):
        name = " > ".join(filter(None, (above, words(row.get("name")))))
        if inner := objects(row.get("subCategories")):
            yield from categories_of(inner, name)
        elif row.get("code"):
            yield Category(words(row["code"]), name)
