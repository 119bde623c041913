"""NHN Cloud's sender profiles, which prove themselves by a token, and its pictures."""

import json
from collections.abc import Callable
from email import message_from_bytes, policy
from itertools import count
from typing import Any

from channels.contract import Instant
from channels.testing.providers.nhn_words import PROFILE_CATEGORIES, Said, a_profile, clock_time, no, yes
from channels.testing.providers.pictures import size_of


class NhnProfilesOf:
    """The profiles, groups of profiles and pictures of one app."""

    def __init__(self, clock: Callable[[], Instant]) -> None:
        self._clock = clock
        self.profiles: dict[str, dict[str, Any]] = {}
        self.tokens: dict[str, tuple[int, str]] = {}
        """By the name of a channel: what its administrator was sent, and the category that was chosen."""
        self.groups: dict[str, dict[str, Any]] = {}
        self.pictures: dict[str, bytes] = {}
        self._numbers = count(1)

    def about_profiles(self, method: str, parts: list[str], query: dict[str, str], body: bytes) -> Said:
        if parts == ["sender", "categories"]:
            return yes(categories=PROFILE_CATEGORIES)
        if parts == ["sender", "token"]:
            return self._enter_token(json.loads(body))
        if parts[0] == "sender-groups":
            return self._group(method, parts[1], parts[3] if len(parts) > 3 else "")
        if parts == ["senders"]:
            if method == "POST":
                return self._send_token(json.loads(body))
            return yes(senders=page_of(list(self.profiles.values()), query), totalCount=len(self.profiles))
        if parts[1] not in self.profiles:
            return no(-2017, "Not exist plus friend.")
        return yes(sender=self.profiles[parts[1]])

    def _send_token(self, said: dict[str, Any]) -> Said:
        for name in ("plusFriendId", "phoneNo", "categoryCode"):
            if not said.get(name):
                return no(-2001, f"The '{name}' must not be blank.")
        if len(said["categoryCode"]) != 11:
            return no(4, "The 'categoryCode' is no category.")
        self.tokens[said["plusFriendId"]] = 100_000 + next(self._numbers), said["categoryCode"]
        return yes()

    def _enter_token(self, said: dict[str, Any]) -> Said:
        name = said.get("plusFriendId", "")
        token, category = self.tokens.get(name, (None, ""))
        if token is None or said.get("token") != token:
            return no(4, "The 'token' is wrong or too old.")
        del self.tokens[name]
        key = f"{next(self._numbers):040d}"
        self.profiles[key] = a_profile(key, name, category, clock_time(self._clock()))
        return yes(sender={**self.profiles[key]})

    def _group(self, method: str, key: str, member: str) -> Said:
        group = self.groups.get(key)
        if group is None:
            return no(-1010, "Not exist plus friend group.")
        if method == "GET":
            return yes(senderGroup={"senderKey": key, "status": "YSC03", **group})
        if member not in self.profiles:
            return no(-2017, "Not exist plus friend.")
        if self.profiles[member]["initialUserRestriction"]:
            return no(-1029, "Blacklist can't join the group.")
        if any(one["senderKey"] == member for one in group["senders"]):
            return no(-1018, "This is a plusFriend that has already been added.")
        group["senders"].append({"senderKey": member, "plusFriendId": self.profiles[member]["plusFriendId"]})
        return yes()

    def picture(self, is_thumbnail: bool, files: dict[tuple[str, str], bytes]) -> Said:
        found = next(((name, content) for (part, name), content in files.items() if part == "file"), None)
        if found is None:
            return no(-9993, "Required request part is not present.")
        name, content = found
        if len(content) > 500 * 1024:
            return no(-4007, "The file size is less than 500KB.")
        if not name.lower().endswith((".png", ".jpg", ".jpeg")):
            return no(-4009, "Check the file extension.")
        size = size_of(content)
        if size is None or not _has_shape(is_thumbnail, *size[1:]):
            return no(-8001, "The image you upload is invalid.")
        url = f"https://mud-kage.kakao.com/dn/{next(self._numbers)}/{name}"
        self.pictures[url] = content
        return yes(templateImage={"templateImageName": name, "templateImageUrl": url})


def _has_shape(is_thumbnail: bool, width: int, height: int) -> bool:
    return width == height >= 108 if is_thumbnail else width == 2 * height and width >= 500


def page_of(rows: list[dict[str, Any]], query: dict[str, str]) -> list[dict[str, Any]]:
    size, page = int(query.get("pageSize", 15)), int(query.get("pageNum", 1))
    return rows[size * (page - 1) : size * page]


def files_in(kind: str, body: bytes) -> dict[tuple[str, str], bytes]:
    """The parts of a form by their names and the names of their files."""
    form = message_from_bytes(b"content-type: " + kind.encode() + b"\r\n\r\n" + body, policy=policy.HTTP)
    found: dict[tuple[str, str], bytes] = {}
    for part in form.iter_parts():
        name = str(part.get_param("name", header="content-disposition") or "")
        content = part.get_payload(decode=True)
        found[name, part.get_filename() or ""] = content if isinstance(content, bytes) else b""
    return found
