"""NHN Cloud with Brand Messages beside Alimtalk (Brand Message API v1.0)."""

import json
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from channels.contract import Callback, Instant
from channels.testing.providers.base import Report
from channels.testing.providers.nhn import REFUSED, FakeNhn, result_of
from channels.testing.providers.nhn_profiles import files_in
from channels.testing.providers.nhn_words import KOREA, answered, clock_time, no, yes
from channels.testing.providers.pictures import size_of

_ROOT = "/brand-message/v1.0/appkeys/"
_PICTURES = {
    "IMAGE": (0.5, 1.334),
    "WIDE_IMAGE": (0.5, 1),
    "MAIN_WIDE_ITEMLIST_IMAGE": (0.5, 0.5),
    "NORMAL_WIDE_ITEMLIST_IMAGE": (1, 1),
    "CAROUSEL_FEED_IMAGE": (0.5, 1.334),
    "CAROUSEL_COMMERCE_IMAGE": (0.5, 1.334),
}
"""By what it is for: height by width, at least and at most."""
_LONGEST = {"TEXT": 1300, "IMAGE": 400, "WIDE": 76}
_COUPON = re.compile(r"(\d{1,8}원|\d{1,3}%|배송비) 할인 쿠폰|.{1,7} (무료|UP) 쿠폰")


class FakeNhnBrand(FakeNhn):
    """Takes Brand Messages, of the profile that it knows, to friends; to others once that was granted.

    Outside of the hours it takes a message over, and KakaoTalk refuses it: as the real one does.
    """

    is_granted: bool = False
    """Whether the profile may target M and N."""

    @property
    def brand_rows(self) -> list[dict[str, Any]]:
        return [row for row in self.rows if "chatBubbleType" in row]

    async def answer(self, request: Request) -> Response:
        if not request.url.path.startswith(_ROOT):
            return await super().answer(request)
        app, _, path = request.url.path.removeprefix(_ROOT).partition("/")
        if app != self.app_key:
            return answered(no(-1000, "유효하지 않은 앱키"))
        if request.headers.get("x-secret-key") != self.secret_key:
            return answered(no(-1001, "유효하지 않은 비밀 키"))
        if request.method == "POST" and path in ("freestyle-messages", "basic-messages"):
            return self._take_brand(path, json.loads(await request.body()))
        if request.method == "POST" and path == "images":
            return self._keep_picture(request.headers.get("content-type", ""), await request.body())
        if request.method == "GET" and path == "messages":
            return self._list_brand(dict(request.query_params))
        profile = self.desk.profiles.get(path.removeprefix("senders/"))
        if profile is None:
            return answered(no(-2017, "존재하지 않는 발신 프로필"))
        return answered(yes(sender={**profile, "marketingAgreement": self.is_granted}))

    def _keep_picture(self, kind: str, body: bytes) -> Response:
        parts = files_in(kind, body)
        wanted = parts.pop(("imageType", ""), b"").decode()
        content = next((part for (name, _), part in parts.items() if name == "image"), b"")
        if wanted not in _PICTURES:
            return answered(no(-8011, "The image type is invalid."))
        size = size_of(content)
        if (
            size is None
            or size[1] < 500
            or not _PICTURES[wanted][0] <= size[2] / size[1] <= _PICTURES[wanted][1]
        ):
            return answered(no(-8001, "The image you upload is invalid."))
        url = f"https://mud-kage.kakao.com/dn/{len(self.desk.pictures) + 1}/{wanted}.png"
        self.desk.pictures[url] = content
        said = {"imageSeq": len(self.desk.pictures), "imageUrl": url, "imageName": "picture.png"}
        return answered(yes(image=said))

    def _take_brand(self, path: str, body: dict[str, Any]) -> Response:
        if body.get("senderKey") not in self.desk.profiles:
            return answered(no(-2017, "존재하지 않는 발신 프로필"))
        if not 0 < len(body.get("recipientList") or []) <= 1000:
            return answered(no(-2005, "수신자 수"))
        if path == "freestyle-messages" and (wrong := _wrong(body)):
            return answered(no(*wrong))
        if path == "basic-messages" and not body.get("templateCode"):
            return answered(no(-2001, "The 'templateCode' must not be blank."))
        request_id = f"B2026{len(self.rows):08d}"
        results = [
            self._take_one(request_id, number, one, body)
            for number, one in enumerate(body["recipientList"], 1)
        ]
        if all(one["resultCode"] for one in results):
            return answered(
                no(-1031, "전체 수신자 실패", message={"requestId": None, "sendResults": results})
            )
        return answered(yes(message={"requestId": request_id, "sendResults": results}))

    def _take_one(
        self, request_id: str, number: int, recipient: dict[str, Any], body: dict[str, Any]
    ) -> dict[str, Any]:
        to, targeting = str(recipient.get("recipientNo")), recipient.get("targeting") or "I"
        code = 0
        if not re.fullmatch(r"\d{8,15}", to):
            code = -5000
        elif targeting not in ("I", "M", "N"):
            code = -3298
        elif targeting != "I" and not self.is_granted:
            code = -4029
        elif refused := self.lives(to).refused:
            code = REFUSED[refused]
        said = {
            "recipientSeq": number,
            "recipientNo": to,
            "resultCode": code,
            "resultMessage": f"결과 {code}",
        }
        if code == 0:
            row = {
                **{name: value for name, value in said.items() if name != "resultCode"},
                "requestId": request_id,
                "requestDate": clock_time(self.clock())[:16],
                "recipientGroupingKey": recipient.get("recipientGroupingKey"),
                "chatBubbleType": body.get("chatBubbleType") or "TEXT",
                "targeting": targeting,
                "kakao": None if self._is_open() else "3022",
            }
            self.rows.append(row)
            self.take(f"{request_id}:{number}", to, row=row)
        return said

    def _is_open(self) -> bool:
        now = datetime.fromtimestamp(self.clock() / 1000, KOREA)
        return 8 * 60 <= now.hour * 60 + now.minute < 20 * 60 + 50

    def _list_brand(self, asked: dict[str, str]) -> Response:
        self.settle()
        wanted = asked.get("recipientGroupingKey")
        rows = [
            row
            for row in self.brand_rows
            if asked["startRequestDate"] <= row["requestDate"] <= asked["endRequestDate"]
            and wanted in (None, row["recipientGroupingKey"])
        ]
        size, page = int(asked.get("pageSize", 15)), int(asked.get("pageNum", 1))
        found = {"messages": rows[size * (page - 1) : size * page], "totalCount": len(rows)}
        return answered(yes(messageSearchResultResponse=found))

    def keep(self, report: Report) -> None:
        row = report.extra["row"]
        if "chatBubbleType" not in row:
            super().keep(report)
            return
        row.update(result_of(row, report.reason, report.at))

    def callback(self, reports: Sequence[Report], now: Instant) -> Callback:
        """Tells of Brand Messages and of Alimtalk in one request, as the app's only webhook does."""
        told = super().callback(reports, now)
        said = json.loads(told.body)
        for hook, report in zip(said["hooks"], reports, strict=True):
            if "chatBubbleType" in report.extra["row"]:
                hook["kakaoMessageType"] = "BRAND_MESSAGE_NORMAL"
        body = json.dumps(said, ensure_ascii=False).encode()
        return Callback(told.method, told.path, told.headers, told.query, body)


def _wrong(body: dict[str, Any]) -> tuple[int, str] | None:
    """What is wrong with what is shown, as NHN tells it."""
    rules: list[Callable[[dict[str, Any]], tuple[int, str] | None]] = [_text, _picture, _buttons, _coupon]
    return next((found for rule in rules if (found := rule(body))), None)


def _text(body: dict[str, Any]) -> tuple[int, str] | None:
    kind, text = body.get("chatBubbleType"), body.get("content") or ""
    if kind in _LONGEST and not text:
        return -3303, "content is empty."
    if kind in _LONGEST and len(text) > _LONGEST[kind]:
        return -3304, "The 'content' is too long."
    if kind == "WIDE_ITEM_LIST" and not 3 <= len((body.get("item") or {}).get("list") or []) <= 4:
        return -3304, "The 'item' has three or four."
    cards = (body.get("carousel") or {}).get("list") or []
    if kind == "CAROUSEL_FEED" and not 2 <= len(cards) <= 6:
        return -3320, "The carousel list size must be between 2 and 6."
    return None


def _picture(body: dict[str, Any]) -> tuple[int, str] | None:
    image = (body.get("image") or {}).get("imageUrl", "")
    if body.get("chatBubbleType") in ("IMAGE", "WIDE", "COMMERCE") and not image:
        return -3319, "image field require imageUrl."
    if image and not image.startswith("https://mud-kage.kakao.com/"):
        return -3326, "The imageUrl is none that was uploaded."
    return None


def _buttons(body: dict[str, Any]) -> tuple[int, str] | None:
    buttons = body.get("buttons") or []
    if body.get("chatBubbleType") == "COMMERCE" and not buttons:
        return -3306, "The commerce type require buttons."
    if any(one["type"] == "WL" and "linkMo" not in one for one in buttons):
        return -3307, "linkType WL is required field linkMo."
    names = [one.get("name") for one in buttons if one["type"] == "AC"]
    return (-3348, "AC type button name must be '채널 추가'.") if set(names) - {"채널 추가"} else None


def _coupon(body: dict[str, Any]) -> tuple[int, str] | None:
    coupon = body.get("coupon")
    if coupon and not _COUPON.fullmatch(coupon.get("title", "")):
        return -3315, "The title is not valid coupon title."
    return None
