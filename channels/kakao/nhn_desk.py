"""NHN Cloud's desk: sender profiles, templates and their reviews (API v2.3).

A template that is registered is at review at once: there are no drafts, and no way to take a request back. An
approved one can be edited, and stays live until its edit is approved. NHN cannot stop templates, and wakes
dormant ones only when its support is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any
from urllib.parse import quote

from channels.alimtalk.desk import (
    Attachment,
    Balance,
    Category,
    DeskCan,
    DeskError,
    Does,
    Inspection,
    Profile,
    Registered,
)
from channels.alimtalk.limits import NHN
from channels.alimtalk.template import Image, Template
from channels.answers import an_object, objects, words
from channels.contract import Instant, Tools
from channels.kakao.nhn_account import NO_PROFILE, NhnAccount
from channels.kakao.nhn_desk_errors import demand, not_offered
from channels.kakao.nhn_desk_words import (
    categories_of,
    changed_at,
    in_their_words,
    profile_of,
    registered_of,
)
from channels.reasons import Reason

PAGE = 1000
AT_ONCE = 8
"""Templates that are asked for side by side."""
NO_SUCH_TEMPLATE = "-3003"
NHN_DESK_CAN = DeskCan(
    does=frozenset(
        {
            *(Does.UPDATE, Does.REVISE, Does.REQUEST, Does.COMMENT, Does.ATTACH, Does.DELETE, Does.UPLOAD),
            *(Does.REGISTER_PROFILE, Does.GROUPS, Does.CATEGORIES, Does.NEWS),
        }
    ),
    limits=NHN,
    review_days=(2, 2),
    more={
        "profile_setting": "sender_key",
        "attachment_types": ["png", "jpg", "jpeg", "gif", "pdf", "hwp", "doc", "docx"],
        "comment_in": ["in_review", "rejected"],
        "token_wants_category": True,
        "news_may_be_of_an_edit": True,
        # They go with messages alone.
        "not_told": ["chat_extra", "chat_event", "target", "one_click_id", "product_id"],
        "release": "NHN Cloud's support wakes dormant templates: ask it with the template's KakaoTalk code.",
    },
)
_IMAGES = {"image": "/template-image", "thumbnail": "/template-image/item-highlight"}


class NhnDesk:
    """One app's desk, for the templates of one sender profile."""

    def __init__(self, account: NhnAccount, tools: Tools, groups: Sequence[str] = ()) -> None:
        self._account = account
        self._tools = tools
        self._groups = groups

    # Profiles

    async def profiles(self) -> list[Profile]:
        return [profile_of(row) async for row in self._rows("/senders", "senders")]

    async def ask_token(self, search_id: str, phone: str, category: str = "") -> None:
        if not category:
            text = "NHN Cloud wants a category before it sends the token."
            raise DeskError(Reason.CONTENT_INVALID, text=text, path="category")
        wanted = {"plusFriendId": search_id, "phoneNo": phone, "categoryCode": category}
        await self._demand("POST", "/senders", json=wanted)

    async def register_profile(self, search_id: str, phone: str, token: str, category: str) -> Profile:
        if not (token.isascii() and token.isdecimal()):
            raise DeskError(Reason.CONTENT_INVALID, text="The token is a number of six digits.", path="token")
        wanted = {"plusFriendId": search_id, "token": int(token)}
        said = await self._demand("POST", "/sender/token", json=wanted)
        return profile_of(an_object(said.get("sender")))

    async def profile_categories(self) -> list[Category]:
        said = await self._demand("GET", "/sender/categories")
        return list(categories_of(said.get("categories")))

    async def template_categories(self) -> list[Category]:
        said = await self._demand("GET", "/template/categories")
        return list(categories_of(said.get("categories")))

    async def groups(self) -> dict[str, tuple[str, ...]]:
        """Those that the settings name, by their own keys where they have no name."""
        found = [await self._group(key) for key in self._groups]
        return {
            words(one.get("groupName")) or key: tuple(words(row.get("senderKey")) for row in _members(one))
            for key, one in zip(self._groups, found, strict=True)
        }

    async def join_group(self, group: str, profile_key: str) -> None:
        await self._demand(
            "POST", f"/sender-groups/{_safe(await self._key_of(group))}/senders/{_safe(profile_key)}"
        )

    async def _key_of(self, group: str) -> str:
        for key in self._groups:
            if group in (key, words((await self._group(key)).get("groupName"))):
                return key
        text = "The connection's settings name no such group of profiles."
        raise DeskError(Reason.SENDER_INVALID, text=text, path="group")

    async def _group(self, key: str) -> dict[str, Any]:
        return an_object((await self._demand("GET", f"/sender-groups/{_safe(key)}")).get("senderGroup"))

    # Templates

    async def templates(self, changed_since: Instant | None = None) -> list[Registered]:
        """The live ones, and edits that wait beside them under the same code.

        NHN tells of sanctions, dormancy and edits one by one only: an approved template takes two questions.
        Falling asleep is no change for NHN, so it is told by a full list alone.
        """
        rows = [row async for row in self._rows(self._path(), "templateListResponse", "templates")]
        since = changed_since or 0
        listed = [
            registered_of(row, self._tools.clock()) for row in rows if (changed_at(row) or since) >= since
        ]
        found: list[Registered] = []
        for start in range(0, len(listed), AT_ONCE):
            asked = (self._in_full(one) for one in listed[start : start + AT_ONCE])
            for told in await asyncio.gather(*asked, return_exceptions=True):
                if isinstance(told, BaseException):
                    raise told
                found += told
        return found

    async def _in_full(self, listed: Registered) -> list[Registered]:
        """Nothing of one that was deleted since it was listed."""
        if listed.inspection is not Inspection.APPROVED:
            return [listed]
        try:
            return await self._with_edit(listed.code)
        except DeskError as error:
            if error.code == NO_SUCH_TEMPLATE:
                return []
            raise

    async def template(self, code: str) -> Registered | None:
        """The edit of an approved template as long as it waits or was rejected; else the template itself."""
        try:
            return (await self._with_edit(code))[-1]
        except DeskError as error:
            if error.code == NO_SUCH_TEMPLATE:
                return None
            raise

    async def create(self, code: str, template: Template) -> Registered:
        said = {"templateCode": code, **in_their_words(template)}
        await self._demand("POST", self._path(), json=said)
        return Registered(code, Inspection.REQUESTED, template=template)

    async def update(self, code: str, template: Template) -> Registered:
        before = await self._live(code)
        await self._demand("PUT", self._path(code), json=in_their_words(template))
        is_revision = before.inspection is Inspection.APPROVED
        return Registered(code, Inspection.REQUESTED, template=template, is_revision=is_revision)

    async def request_review(
        self, code: str, comment: str = "", attachments: Sequence[Attachment] = ()
    ) -> Registered:
        """Whatever is registered is at review already; a rejected one goes there again by a comment."""
        now = (await self._with_edit(code))[-1]
        if now.inspection is Inspection.REJECTED:
            return await self.comment(code, comment or "다시 검수를 요청드립니다.", attachments)
        return await self.comment(code, comment, attachments) if comment or attachments else now

    async def comment(self, code: str, text: str, attachments: Sequence[Attachment] = ()) -> Registered:
        if attachments:
            files = [("attachments", (one.name, one.content, one.media_type)) for one in attachments]
            await self._demand(
                "POST", self._path(code, "/comments_file"), data={"comment": text}, files=files
            )
        else:
            await self._demand("POST", self._path(code, "/comments"), json={"comment": text})
        return (await self._with_edit(code))[-1]

    async def delete(self, code: str) -> None:
        await self._demand("DELETE", self._path(code))

    async def upload_image(self, kind: str, picture: Attachment) -> Image:
        if kind not in _IMAGES:
            raise DeskError(
                Reason.CONTENT_INVALID, text=f"There is no kind of picture {kind!r}.", path="kind"
            )
        files = {"file": (picture.name, picture.content, picture.media_type)}
        said = an_object((await self._demand("POST", _IMAGES[kind], files=files)).get("templateImage"))
        name, url = words(said.get("templateImageName")), words(said.get("templateImageUrl"))
        return Image(name or picture.name, url, size=len(picture.content), media_type=picture.media_type)

    # What NHN has no way to do

    async def cancel_request(self, code: str) -> Registered:
        raise not_offered("take a request for review back")

    async def stop(self, code: str) -> Registered:
        raise not_offered("stop a template")

    async def reuse(self, code: str) -> Registered:
        raise not_offered("take a template up again")

    async def cancel_approval(self, code: str) -> Registered:
        raise not_offered("give an approval back")

    async def release(self, code: str) -> Registered:
        raise not_offered("wake a dormant template: its support does, asked with the KakaoTalk code of it")

    async def balance(self) -> Balance:
        raise not_offered("tell a balance: it bills by the month")

    async def aclose(self) -> None:
        pass

    # Asking

    async def _live(self, code: str) -> Registered:
        said = await self._demand("GET", self._path(code))
        return registered_of(an_object(said.get("templates")), self._tools.clock())

    async def _with_edit(self, code: str) -> list[Registered]:
        """The template as it is live, and the edit that waits beside it, if there is one."""
        live = await self._live(code)
        if live.inspection is not Inspection.APPROVED:
            return [live]
        said = await self._demand("GET", self._path(code, "/modifications"))
        rows = objects(an_object(said.get("templateModificationsResponse")).get("templates"))
        newest = max(rows, key=lambda row: words(row.get("createDate")), default={})
        if not newest or newest.get("activated") is True or newest.get("status") == "TSC03":
            return [live]
        return [live, registered_of({"templateCode": code, **newest}, self._tools.clock(), is_revision=True)]

    async def _rows(self, path: str, *inside: str) -> AsyncIterator[dict[str, Any]]:
        """Every row of a list, page after page. The last name of `inside` is the list's."""
        for page in range(1, 1000):
            said = await self._demand("GET", path, params={"pageNum": page, "pageSize": PAGE})
            for name in inside[:-1]:
                said = an_object(said.get(name))
            rows = objects(said.get(inside[-1]))
            for row in rows:
                yield row
            if len(rows) < PAGE:
                return

    def _path(self, code: str = "", below: str = "") -> str:
        if not self._account.sender_key:
            raise DeskError(Reason.SENDER_INVALID, text=NO_PROFILE, path="sender_key")
        there = f"/senders/{_safe(self._account.sender_key)}/templates"
        return f"{there}/{_safe(code)}{below}" if code else there

    async def _demand(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        return await demand(self._account, self._tools, method, path, **request)


def _members(group: dict[str, Any]) -> list[dict[str, Any]]:
    return objects(group.get("senders"))


def _safe(part: str) -> str:
    return quote(part, safe="")
