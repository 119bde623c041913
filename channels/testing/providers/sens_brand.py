"""Naver Cloud SENS with Brand Messages beside Alimtalk (Brand Message API v2)."""

import json
import re
from datetime import datetime, timedelta, timezone
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from channels.contract import Instant
from channels.testing.providers.kakao import KAKAO_CODES, SOMETHING_ELSE
from channels.testing.providers.sens import FakeSens

_KOREA = timezone(timedelta(hours=9))
_DAY = 24 * 3600 * 1000
_TYPES = ("TEXT", "IMAGE", "WIDE_IMAGE", "WIDE_ITEM_LIST", "COMMERCE")


class FakeSensBrand(FakeSens):
    """Takes Brand Messages of its channel, and tells when they were completed."""

    is_granted: bool = False
    """Whether the channel may target M and N."""

    async def answer(self, request: Request) -> Response:
        root = f"/brandmessage/v2/services/{self.service_id}"
        if not request.url.path.startswith("/brandmessage/"):
            return await super().answer(request)
        if error := self._who_asks(request):
            return error
        if request.url.path == f"{root}/templates":
            known = request.query_params.get("plusFriendId") == self.channel_id
            return JSONResponse({"items": [], "totalCount": 0}) if known else _bad("채널")
        if request.url.path != f"{root}/messages":
            return JSONResponse({"error": {"errorCode": "300", "message": "Not Found Exception"}}, 404)
        if request.method == "POST":
            return self._take_brand(json.loads(await request.body()))
        return self._list_brand(dict(request.query_params))

    def _take_brand(self, body: dict[str, Any]) -> Response:
        messages = body.get("messages") or []
        if body.get("plusFriendId") != self.channel_id or not 0 < len(messages) <= 100:
            return _bad("채널 또는 메시지 수")
        if body.get("messageType") not in _TYPES or body.get("targeting") not in ("I", "M", "N"):
            return _bad("메시지 타입 또는 타겟팅")
        if any(not re.fullmatch(r"\d{8,15}", str(one.get("to"))) for one in messages):
            return _bad("수신 번호")
        if not body.get("templateCode") and any(_is_wrong(body["messageType"], one) for one in messages):
            return _bad("내용")
        told = [self._take_one(body, one) for one in messages]
        said = {"requestId": f"brand-{len(self.rows)}", "statusCode": "202", "statusName": "success"}
        return JSONResponse({**said, "messages": told}, 202)

    def _take_one(self, body: dict[str, Any], message: dict[str, Any]) -> dict[str, Any]:
        message_id = f"bm-{len(self.rows) + 1}"
        refused = self.lives(message["to"]).refused
        code = KAKAO_CODES.get(refused, SOMETHING_ELSE) if refused else "A000"
        if body["targeting"] != "I" and not self.is_granted:
            code = "1028"
        said = {
            "messageId": message_id,
            "to": message["to"],
            "requestStatusCode": code,
            "requestStatusName": "success" if code == "A000" else "fail",
            "requestStatusDesc": f"접수 {code}",
            "useSmsFailover": message.get("useSmsFailover"),
        }
        self.rows[message_id] = {**said, "messageType": body["messageType"]}
        if code == "A000":
            self.take(message_id, message["to"], is_open=self._is_open())
        return said

    def _is_open(self) -> bool:
        now = datetime.fromtimestamp(self.clock() / 1000, _KOREA)
        return 8 * 60 <= now.hour * 60 + now.minute < 20 * 60 + 50

    def _list_brand(self, asked: dict[str, str]) -> Response:
        for report in self.due(self.clock()):
            code = "0000" if report.reason is None else KAKAO_CODES.get(report.reason, SOMETHING_ELSE)
            code = code if report.extra.get("is_open", True) else "3022"
            at = datetime.fromtimestamp(report.at / 1000, _KOREA)
            self.rows[report.provider_id] |= {
                "messageStatusCode": code,
                "messageStatusName": "success" if code == "0000" else "fail",
                "messageStatusDesc": f"결과 {code}",
                "completeTime": at.strftime("%Y-%m-%dT%H:%M:%S"),
            }
            self._completed.append((report.at, report.provider_id))
        start, end = _moment(asked["completeStartTime"]), _moment(asked["completeEndTime"])
        if asked.get("plusFriendId") != self.channel_id or end - start > _DAY:
            return _bad("조회 기간")
        there = [one for at, one in self._completed if start <= at <= end + 999]
        found = [self.rows[one] for one in there if one.startswith("bm-")]
        if not found:
            return Response(status_code=404)
        first, size = int(asked.get("nextToken", 0)), int(asked.get("pageSize", 20))
        more = str(first + size) if len(found) > first + size else None
        return JSONResponse({"messages": found[first : first + size], "nextToken": more})


def _is_wrong(kind: str, message: dict[str, Any]) -> bool:
    longest = {"TEXT": 1300, "IMAGE": 1300, "WIDE_IMAGE": 76}.get(kind)
    text = message.get("content") or ""
    if longest and not 0 < len(text) <= longest:
        return True
    if kind in ("IMAGE", "WIDE_IMAGE", "COMMERCE") and not (message.get("image") or {}).get("imageId"):
        return True
    if any(one.get("type") == "AC" for one in message.get("buttons") or []):
        return True
    return kind == "WIDE_ITEM_LIST" and not message.get("headerContent")


def _bad(what: str) -> Response:
    return JSONResponse({"status": 400, "error": "Bad Request", "message": f"잘못된 요청: {what}"}, 400)


def _moment(text: str) -> Instant:
    return int(datetime.fromisoformat(text).replace(tzinfo=_KOREA).timestamp() * 1000)
