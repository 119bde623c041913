"""SOLAPI's review desk: channels that prove themselves by a token, templates and their reviews, files.

Reviews are held by whoever plays the reviewer: by hand (`approve`, `reject`), or by `reviewer` once
`review_after` has passed.
"""

from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from typing import Any
from urllib.parse import unquote

from channels.contract import Instant
from channels.testing.providers.pictures import size_of
from channels.testing.providers.solapi_template_rules import VARIABLE, refused

Said = tuple[int, Any]
Reviewer = Callable[[dict[str, Any]], str]
"""Why a template is rejected; empty if it is approved."""

PENDING, INSPECTING, APPROVED, REJECTED = "PENDING", "INSPECTING", "APPROVED", "REJECTED"
TEMPLATE_CATEGORIES = [
    {"code": "001001", "name": "회원가입"},
    {"code": "002001", "name": "구매완료"},
    {"code": "004001", "name": "배송상태"},
    {"code": "007001", "name": "쿠폰발급"},
    {"code": "999999", "name": "기타"},
]
CHANNEL_CATEGORIES = [{"code": "00100010001", "name": "쇼핑,종합쇼핑,온라인쇼핑몰"}]
_CHANGES = (
    *("name", "content", "categoryCode", "messageType", "emphasizeType", "extra", "emphasizeTitle"),
    *("emphasizeSubtitle", "header", "highlight", "item", "imageId", "securityFlag", "buttons"),
    "quickReplies",
)


class SolapiDeskOf:
    """The desk of one account."""

    def __init__(self, clock: Callable[[], Instant], pf_id: str, search_id: str = "@소전") -> None:
        self._clock = clock
        self._numbers = count(1)
        self.channels: dict[str, dict[str, Any]] = {}
        self.templates: dict[str, dict[str, Any]] = {}
        """By their ids, as SOLAPI shows them."""
        self.tokens: dict[tuple[str, str], str] = {}
        """By channel and phone: what its administrator was sent."""
        self.files: dict[str, bytes] = {}
        self.balance, self.point = 10_000, 0
        self.reviewer: Reviewer = lambda row: ""
        self.review_after: int | None = None
        """How long a review takes, in milliseconds; None: until somebody reviews by hand."""
        self._asked: dict[str, Instant] = {}
        self.add_channel(pf_id, search_id)

    def add_channel(self, channel_id: str, search_id: str, phone: str = "") -> dict[str, Any]:
        now = _text(self._clock())
        row: dict[str, Any] = {
            "channelId": channel_id,
            "searchId": search_id,
            "channelName": search_id.lstrip("@"),
        }
        row |= {"accountId": "12925149", "phoneNumber": phone, "sharedAccountIds": []}
        self.channels[channel_id] = {**row, "dateCreated": now, "dateUpdated": now}
        return self.channels[channel_id]

    def answer(self, method: str, path: str, query: dict[str, str], said: dict[str, Any]) -> Said | None:
        """The answer to a request at the desk, as its status and body; None if it is none of its business."""
        self.review_what_is_due()
        if (method, path) == ("POST", "/storage/v1/files"):
            return self._file(said)
        if (method, path) == ("GET", "/cash/v1/balance"):
            return 200, {"balance": self.balance, "point": self.point, "accountId": "12925149"}
        parts = [unquote(part) for part in path.strip("/").split("/")]
        if parts[:3] == ["kakao", "v2", "channels"]:
            return self._about_channels(method, parts[3:], said)
        if parts[:3] == ["kakao", "v2", "templates"]:
            return self._about_templates(method, parts[3:], query, said)
        return None

    # Channels and files

    def _about_channels(self, method: str, parts: list[str], said: dict[str, Any]) -> Said:
        if parts == ["categories"]:
            return 200, CHANNEL_CATEGORIES
        if parts == ["token"]:
            return self._send_token(said)
        if parts and parts[0] in self.channels:
            return 200, self.channels[parts[0]]
        if parts:
            return _no(404, "ResourceNotFound", "존재하지 않는 채널입니다.")
        if method == "POST":
            return self._enter_token(said)
        rows = list(self.channels.values())
        return 200, {"limit": 100, "startKey": None, "nextKey": None, "channelList": rows}

    def _send_token(self, said: dict[str, Any]) -> Said:
        for name in ("searchId", "phoneNumber"):
            if not said.get(name):
                return _no(400, "ValidationError", f"{name} 값은 필수입니다.")
        self.tokens[said["searchId"], said["phoneNumber"]] = str(100_000 + next(self._numbers))
        return 200, {"success": True}

    def _enter_token(self, said: dict[str, Any]) -> Said:
        whose = said.get("searchId", ""), said.get("phoneNumber", "")
        if not said.get("categoryCode"):
            return _no(400, "ValidationError", "categoryCode 값은 필수입니다.")
        if not said.get("token") or self.tokens.get(whose) != said["token"]:
            return _no(400, "ValidationError", "token 값이 올바르지 않습니다.")
        del self.tokens[whose]
        return 200, self.add_channel(f"KA01PF{next(self._numbers):026d}", *whose)

    def _file(self, said: dict[str, Any]) -> Said:
        content = b64decode(said.get("file") or "")
        size = size_of(content)
        if said.get("type") not in ("KAKAO", "MMS", "DOCUMENT", "RCS", "FAX", "BMS") or not content:
            return _no(400, "ValidationError", "file 또는 type 값이 올바르지 않습니다.")
        if len(content) > 500 * 1024:
            return _no(400, "ValidationError", "file 크기는 500KB를 넘을 수 없습니다.")
        if size is None:
            return _no(400, "ValidationError", "file 형식은 jpg, png만 가능합니다.")
        width, height = size[1:]
        if not (width == 2 * height and width >= 500) and not width == height >= 108:
            return _no(400, "ValidationError", "file 이미지 비율은 2:1 또는 1:1이어야 합니다.")
        name = f"ST01FL{next(self._numbers):026d}"
        self.files[name] = content
        return 200, {"fileId": name, "type": said["type"], "link": None, "name": said.get("name")}

    # Templates

    def _about_templates(
        self, method: str, parts: list[str], query: dict[str, str], said: dict[str, Any]
    ) -> Said:
        if parts == ["categories"]:
            return 200, TEMPLATE_CATEGORIES
        if not parts:
            return self._register(said) if method == "POST" else self._list(query)
        row = self.templates.get(parts[0])
        if row is None or row["isDeleted"]:
            return _no(404, "ResourceNotFound", "존재하지 않는 템플릿입니다.")
        if parts[1:]:
            return self._act(row, method, "/".join(parts[1:]), said)
        if method == "PUT":
            return self._edit(row, said)
        if method == "DELETE":
            return self._delete(row)
        return 200, row

    def _register(self, said: dict[str, Any]) -> Said:
        if said.get("channelId") not in self.channels:
            return _no(404, "ResourceNotFound", "존재하지 않는 채널입니다.")
        if why := refused(said) or self._unknown_file(said):
            return _no(400, "ValidationError", why)
        number, now = next(self._numbers), _text(self._clock())
        row: dict[str, Any] = {name: said.get(name) for name in _CHANGES}
        row |= {"templateId": f"KA01TP{number:026d}", "channelId": said["channelId"], "accountId": "12925149"}
        row |= {"channelGroupId": None, "assignType": "CHANNEL", "code": f"kt_{number}", "status": PENDING}
        row |= {"isHidden": False, "isDeleted": False, "commentable": True, "comments": []}
        row |= {"dateCreated": now, "dateUpdated": now, "variables": _variables(said)}
        self.templates[row["templateId"]] = row
        return 200, row

    def _unknown_file(self, said: dict[str, Any]) -> str:
        names = [said.get("imageId"), (said.get("highlight") or {}).get("imageId")]
        return (
            "imageId 파일을 찾을 수 없습니다." if any(one and one not in self.files for one in names) else ""
        )

    def _list(self, query: dict[str, str]) -> Said:
        rows = [row for row in self.templates.values() if not row["isDeleted"]]
        for name in ("channelId", "templateId", "status"):
            rows = [row for row in rows if query.get(name) in (None, row[name])]
        rows = [row for row in rows if row["templateId"] > query.get("startKey", "")]
        limit = int(query.get("limit", 20))
        page, more = rows[:limit], len(rows) > limit
        following = page[-1]["templateId"] if more else None
        return 200, {"limit": limit, "startKey": None, "nextKey": following, "templateList": page}

    def _edit(self, row: dict[str, Any], said: dict[str, Any]) -> Said:
        if row["status"] not in (PENDING, REJECTED):
            return _no(400, "BadRequest", "대기 또는 반려 상태에서만 수정할 수 있습니다.")
        if why := refused(said) or self._unknown_file(said):
            return _no(400, "ValidationError", why)
        row.update({name: said.get(name) for name in _CHANGES}, status=PENDING, variables=_variables(said))
        return self._changed(row)

    def _delete(self, row: dict[str, Any]) -> Said:
        if row["status"] not in (PENDING, REJECTED):
            return _no(400, "BadRequest", "대기 또는 반려 상태에서만 삭제할 수 있습니다.")
        row["isDeleted"] = True
        return self._changed(row)

    def _act(self, row: dict[str, Any], method: str, what: str, said: dict[str, Any]) -> Said:
        status = row["status"]
        if (method, what) == ("PUT", "inspection"):
            if status not in (PENDING, REJECTED):
                return _no(400, "BadRequest", "대기 상태의 템플릿만 검수 요청할 수 있습니다.")
            self._say(row, said.get("comment"), is_admin=False)
            row["status"], self._asked[row["templateId"]] = INSPECTING, self._clock()
        elif (method, what) == ("PUT", "inspection/cancel"):
            if status != INSPECTING:
                return _no(400, "BadRequest", "검수 중인 템플릿만 취소할 수 있습니다.")
            row["status"] = PENDING
        elif (method, what) == ("PUT", "hide"):
            row["isHidden"] = said.get("isHidden") is True
        elif (method, what) == ("POST", "comment"):
            if not said.get("comment") or not row["commentable"]:
                return _no(400, "ValidationError", "comment 값은 필수입니다.")
            self._say(row, said["comment"], is_admin=False)
        elif (method, what) == ("POST", "relese-dormant"):
            if not row.get("isDormant"):
                return _no(400, "BadRequest", "휴면 상태의 템플릿이 아닙니다.")
            row["isDormant"] = False
        else:
            return _no(404, "ResourceNotFound", "존재하지 않는 API입니다.")
        return self._changed(row)

    def _changed(self, row: dict[str, Any]) -> Said:
        row["dateUpdated"] = _text(self._clock())
        return 200, row

    def _say(self, row: dict[str, Any], text: str | None, *, is_admin: bool) -> None:
        if text:
            who = {"isAdmin": is_admin, "memberId": "kakao" if is_admin else "18010100001000"}
            row["comments"].append({**who, "content": text, "dateCreated": _text(self._clock())})

    # The reviewer

    def approve(self, code: str, text: str = "승인되었습니다.") -> None:
        self._decide(code, APPROVED, text)

    def reject(self, code: str, why: str) -> None:
        self._decide(code, REJECTED, why)

    def reply(self, code: str, text: str) -> None:
        """The reviewer answers and decides nothing."""
        self._decide(code, self.templates[code]["status"], text)

    def _decide(self, code: str, status: str, text: str) -> None:
        row = self.templates[code]
        row["status"] = status
        self._say(row, text, is_admin=True)
        self._changed(row)

    def review_what_is_due(self) -> None:
        """Lets `reviewer` judge everything that has waited for `review_after`."""
        if self.review_after is None:
            return
        for code, row in self.templates.items():
            if row["status"] == INSPECTING and self._clock() - self._asked[code] >= self.review_after:
                why = self.reviewer(row)
                self.reject(code, why) if why else self.approve(code)


def _variables(said: dict[str, Any]) -> list[dict[str, str]]:
    return [{"name": name[2:-1]} for name in dict.fromkeys(VARIABLE.findall(str(said)))]


def _no(status: int, code: str, text: str) -> Said:
    return status, {"errorCode": code, "errorMessage": text}


def _text(at: Instant) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
