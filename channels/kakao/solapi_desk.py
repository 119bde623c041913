"""SOLAPI's desk: channels, templates and their reviews (kakao/v2).

A template is a draft until its review is asked for, and SOLAPI gives it its id. One that is approved is
edited by nobody: a new one is registered in its place. Out of use means hidden there. Attachments and groups
are for SOLAPI's console alone.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote

from channels.alimtalk.desk import (
    Attachment,
    Balance,
    Category,
    DeskCan,
    DeskError,
    Does,
    Profile,
    Registered,
)
from channels.alimtalk.limits import SOLAPI
from channels.alimtalk.template import Image, Template
from channels.answers import an_object, objects, words
from channels.contract import Instant, Tools
from channels.kakao.solapi_desk_errors import demand, not_offered
from channels.kakao.solapi_desk_words import (
    categories_of,
    changed_at,
    in_their_words,
    profile_of,
    registered_of,
    untold,
)
from channels.kakao.solapi_relay import SolapiAccount
from channels.reasons import Reason

PAGE = 100
TEMPLATES, CHANNELS = "/kakao/v2/templates", "/kakao/v2/channels"
NO_PROFILE = (
    "The connection has no channel yet: register one at its desk, or enter the id (KA01PF…) of one that "
    "SOLAPI knows already."
)
CONSOLE = "do it in SOLAPI's console (Kakao / Naver > templates)"
SOLAPI_DESK_CAN = DeskCan(
    does=frozenset(
        {
            *(Does.DRAFT, Does.UPDATE, Does.REQUEST, Does.CANCEL, Does.COMMENT, Does.STOP, Does.REUSE),
            *(Does.RELEASE, Does.DELETE, Does.UPLOAD, Does.REGISTER_PROFILE, Does.CATEGORIES, Does.BALANCE),
        }
    ),
    limits=SOLAPI,
    chooses_code=True,
    review_days=(1, 3),
    more={
        "profile_setting": "pf_id",
        "comment_in": ["in_review", "rejected"],
        "console": "https://console.solapi.com/kakao/templates",
        "attachments": f"SOLAPI's API takes no files: {CONSOLE}.",
    },
)


class SolapiDesk:
    """One account's desk, for the templates of one channel."""

    def __init__(self, account: SolapiAccount, tools: Tools, pf_id: str) -> None:
        self._account = account
        self._tools = tools
        self._pf_id = pf_id

    # Profiles

    async def profiles(self) -> list[Profile]:
        return [profile_of(row) async for row in self._rows(CHANNELS, "channelList", {"isMine": "true"})]

    async def ask_token(self, search_id: str, phone: str, category: str = "") -> None:
        wanted = {"searchId": search_id, "phoneNumber": phone}
        said = an_object(await self._demand("POST", f"{CHANNELS}/token", json=wanted))
        if said.get("success") is False:
            raise DeskError(Reason.REQUEST_INVALID, text="SOLAPI sent no token.", path="search_id")

    async def register_profile(self, search_id: str, phone: str, token: str, category: str) -> Profile:
        wanted = {"searchId": search_id, "phoneNumber": phone, "token": token, "categoryCode": category}
        return profile_of(an_object(await self._demand("POST", CHANNELS, json=wanted)))

    async def profile_categories(self) -> list[Category]:
        return categories_of(await self._demand("GET", f"{CHANNELS}/categories"))

    async def template_categories(self) -> list[Category]:
        return categories_of(await self._demand("GET", f"{TEMPLATES}/categories"))

    async def groups(self) -> dict[str, tuple[str, ...]]:
        raise not_offered("tell groups of channels: its console does")

    async def join_group(self, group: str, profile_key: str) -> None:
        raise not_offered("put a channel into a group: its console does")

    # Templates

    async def templates(self, changed_since: Instant | None = None) -> list[Registered]:
        """SOLAPI finds by the day of registration only, so what has not changed is left out here."""
        asked = {"channelId": self._channel()}
        rows = [row async for row in self._rows(TEMPLATES, "templateList", asked) if not _is_gone(row)]
        since = changed_since or 0
        return [self._read(row) for row in rows if (changed_at(row) or since) >= since]

    async def template(self, code: str) -> Registered | None:
        row = await self._demand("GET", _path(code), may_lack=True)
        return None if row is None or _is_gone(an_object(row)) else self._read(an_object(row))

    async def create(self, code: str, template: Template) -> Registered:
        """The code is SOLAPI's."""
        _check(template)
        said = {"channelId": self._channel(), **in_their_words(template)}
        return self._read(an_object(await self._demand("POST", TEMPLATES, json=said)))

    async def update(self, code: str, template: Template) -> Registered:
        _check(template)
        return await self._put(_path(code), in_their_words(template))

    async def request_review(
        self, code: str, comment: str = "", attachments: Sequence[Attachment] = ()
    ) -> Registered:
        _refuse(attachments)
        return await self._put(_path(code, "/inspection"), {"comment": comment} if comment else {})

    async def cancel_request(self, code: str) -> Registered:
        return await self._put(_path(code, "/inspection/cancel"), {})

    async def comment(self, code: str, text: str, attachments: Sequence[Attachment] = ()) -> Registered:
        _refuse(attachments)
        said = await self._demand("POST", _path(code, "/comment"), json={"comment": text})
        return self._read(an_object(said))

    async def stop(self, code: str) -> Registered:
        return await self._put(_path(code, "/hide"), {"isHidden": True})

    async def reuse(self, code: str) -> Registered:
        return await self._put(_path(code, "/hide"), {"isHidden": False})

    async def cancel_approval(self, code: str) -> Registered:
        raise not_offered("give an approval back: register the template anew, and hide this one")

    async def release(self, code: str) -> Registered:
        # Spelt so by SOLAPI.
        return self._read(an_object(await self._demand("POST", _path(code, "/relese-dormant"))))

    async def delete(self, code: str) -> None:
        await self._demand("DELETE", _path(code))

    async def upload_image(self, kind: str, picture: Attachment) -> Image:
        if kind not in ("image", "thumbnail"):
            text = f"There is no kind of picture {kind!r}."
            raise DeskError(Reason.CONTENT_INVALID, text=text, path="kind")
        said = {"file": b64encode(picture.content).decode(), "name": picture.name, "type": "KAKAO"}
        told = an_object(await self._demand("POST", "/storage/v1/files", json=said))
        if not told.get("fileId"):
            raise DeskError(Reason.PROVIDER_ERROR, text="SOLAPI names no file.", path="image")
        size, kind_of = len(picture.content), picture.media_type
        return Image(words(told["fileId"]), words(told.get("link")), size=size, media_type=kind_of)

    async def balance(self) -> Balance:
        said = an_object(await self._demand("GET", "/cash/v1/balance"))
        try:
            amount, points = (Decimal(words(said.get(name)) or "0") for name in ("balance", "point"))
        except InvalidOperation as error:
            raise DeskError(Reason.PROVIDER_ERROR, text="SOLAPI's balance is no number.") from error
        return Balance(amount, "KRW", points)

    async def aclose(self) -> None:
        pass

    # Asking

    def _channel(self) -> str:
        if not self._pf_id:
            raise DeskError(Reason.SENDER_INVALID, text=NO_PROFILE, path="pf_id")
        return self._pf_id

    async def _rows(self, path: str, inside: str, asked: dict[str, str]) -> AsyncIterator[dict[str, Any]]:
        """Every row of a list, page after page."""
        query = {**asked, "limit": str(PAGE)}
        for _ in range(1000):
            said = an_object(await self._demand("GET", path, params=query))
            if not isinstance(said.get(inside), list):
                raise DeskError(Reason.PROVIDER_ERROR, text=f"SOLAPI's answer has no {inside}.")
            for row in objects(said[inside]):
                yield row
            if not said.get("nextKey") or said["nextKey"] == query.get("startKey"):
                return
            query["startKey"] = words(said["nextKey"])

    async def _put(self, path: str, said: dict[str, Any]) -> Registered:
        return self._read(an_object(await self._demand("PUT", path, json=said)))

    def _read(self, row: dict[str, Any]) -> Registered:
        if not row.get("templateId"):
            raise DeskError(Reason.PROVIDER_ERROR, text="SOLAPI's answer is no template.")
        return registered_of(row, self._tools.clock())

    async def _demand(self, method: str, path: str, **request: Any) -> Any:
        return await demand(self._account, self._tools, method, path, **request)


def _check(template: Template) -> None:
    if name := untold(template):
        text = f"SOLAPI's API has no field for {name}: leave it out, or {CONSOLE}."
        raise DeskError(Reason.CONTENT_INVALID, text=text, path=name)


def _refuse(attachments: Sequence[Attachment]) -> None:
    if attachments:
        text = f"SOLAPI's API takes no attachments: {CONSOLE}."
        raise DeskError(Reason.NOT_PERMITTED, text=text, path="attachments")


def _is_gone(row: dict[str, Any]) -> bool:
    return row.get("isDeleted") is True


def _path(code: str, below: str = "") -> str:
    return f"{TEMPLATES}/{quote(code, safe='')}{below}"
