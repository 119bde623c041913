"""Naver Cloud SENS: sending Alimtalk, and what its API shows of channels and templates (API v2)."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from channels.contract import Instant, ReceiptKind
from channels.testing.providers.base import FakeProvider, Fault
from channels.testing.providers.kakao import KAKAO_CODES, SOMETHING_ELSE
from channels.testing.providers.lives import Lives
from channels.testing.providers.sens_desk import SensDeskOf
from channels.testing.providers.sens_sending_rules import misfit

_KOREA = timezone(timedelta(hours=9))
_FIVE_MINUTES = 5 * 60 * 1000
_DAY = 24 * 3600 * 1000


class FakeSens(FakeProvider):
    """Checks signatures as the API Gateway does, and is polled for what was completed."""

    base_url = "https://sens.apigw.ntruss.com"
    observes: ClassVar[frozenset[ReceiptKind]] = frozenset({ReceiptKind.DELIVERED, ReceiptKind.FAILED})

    def __init__(
        self,
        clock: Callable[[], Instant],
        *,
        access_key: str = "ncp-access-key",
        secret_key: str = "ncp-secret-key",
        service_id: str = "ncp:kkobizmsg:kr:2700000000006:sens",
        channel_id: str = "@소전",
        is_strict: bool = False,
        lives: Lives | None = None,
        faults: Iterable[Fault] = (),
    ) -> None:
        super().__init__(clock, lives=lives, faults=faults)
        self.access_key, self.secret_key = access_key, secret_key
        self.service_id, self.channel_id, self.is_strict = service_id, channel_id, is_strict
        self.desk = SensDeskOf(clock, service_id, channel_id)
        self.rows: dict[str, dict[str, Any]] = {}
        self._completed: list[tuple[Instant, str]] = []
        self._misfits: dict[str, str | None] = {}
        """What KakaoTalk will say of a message that is not as its template was approved."""

    async def answer(self, request: Request) -> Response:
        if error := self._who_asks(request):
            return error
        root = f"/alimtalk/v2/services/{self.service_id}"
        if request.url.path in (f"{root}/channels", f"{root}/templates"):
            what, query = request.url.path.removeprefix(root), dict(request.query_params)
            return JSONResponse(self.desk.answer(what, query))
        if request.url.path != f"{root}/messages":
            return _gateway(404, "300", "Not Found Exception")
        if request.method == "POST":
            return self._send(json.loads(await request.body()))
        return self._list(dict(request.query_params))

    def _who_asks(self, request: Request) -> Response | None:
        stamp = request.headers.get("x-ncp-apigw-timestamp", "")
        if request.headers.get("x-ncp-iam-access-key") != self.access_key or not stamp.isdecimal():
            return _gateway(401, "200", "Authentication Failed")
        if abs(int(stamp) - self.clock()) > _FIVE_MINUTES:
            return _gateway(401, "200", "Authentication Failed: Expired timestamp.")
        target = request.scope["raw_path"].decode()
        target += f"?{request.url.query}" if request.url.query else ""
        said = "\n".join([f"{request.method} {target}", stamp, self.access_key])
        digest = hmac.new(self.secret_key.encode(), said.encode(), hashlib.sha256).digest()
        if request.headers.get("x-ncp-apigw-signature-v2") != base64.b64encode(digest).decode():
            return _gateway(401, "200", "Authentication Failed: Invalid signature.")
        return None

    def _send(self, body: dict[str, Any]) -> Response:
        messages = body.get("messages") or []
        if body.get("plusFriendId") != self.channel_id or not 0 < len(messages) <= 100:
            return JSONResponse({"status": 400, "error": "Bad Request", "message": "잘못된 요청"}, 400)
        if any(
            not re.fullmatch(r"\d{8,15}", str(one.get("to"))) or not one.get("content") for one in messages
        ):
            return JSONResponse(
                {"status": 400, "error": "Bad Request", "message": "수신 번호 또는 내용"}, 400
            )
        request_id = f"request-{len(self.rows)}"
        told = [self._take(request_id, one, str(body.get("templateCode"))) for one in messages]
        return JSONResponse(
            {"requestId": request_id, "statusCode": "202", "statusName": "success", "messages": told}, 202
        )

    def _take(self, request_id: str, message: dict[str, Any], template: str) -> dict[str, Any]:
        message_id = f"aa724ca6-{len(self.rows) + 1}"
        refused = self.lives(message["to"]).refused
        code = KAKAO_CODES.get(refused, SOMETHING_ELSE) if refused else "A000"
        said = {
            "messageId": message_id,
            "countryCode": "82",
            "to": message["to"],
            "content": message["content"],
            "requestStatusCode": code,
            "requestStatusName": "fail" if refused else "success",
            "requestStatusDesc": f"접수 실패 {code}" if refused else "성공",
            "useSmsFailover": message.get("useSmsFailover"),
        }
        self.rows[message_id] = {"requestId": request_id, **said}
        self._misfits[message_id] = self._misfit(message, template)
        if not refused:
            self.take(message_id, message["to"])
        return said

    def _misfit(self, message: dict[str, Any], code: str) -> str | None:
        if code not in self.desk.templates:
            return "3015" if self.is_strict else None
        return misfit(self.desk.templates[code], message) if self.desk.is_sendable(code) else "3015"

    def _list(self, asked: dict[str, str]) -> Response:
        for report in self.due(self.clock()):
            code = "0000" if report.reason is None else KAKAO_CODES.get(report.reason, SOMETHING_ELSE)
            code = self._misfits.get(report.provider_id) or code
            self.rows[report.provider_id] |= {
                "messageStatusCode": code,
                "messageStatusName": "success" if code == "0000" else "fail",
                "messageStatusDesc": "성공" if code == "0000" else f"실패 {code}",
                "completeTime": datetime.fromtimestamp(report.at / 1000, _KOREA).strftime(
                    "%Y-%m-%dT%H:%M:%S"
                ),
            }
            self._completed.append((report.at, report.provider_id))
        start, end = _moment(asked["completeStartTime"]), _moment(asked["completeEndTime"])
        if asked.get("plusFriendId") != self.channel_id or end - start > _DAY:
            return JSONResponse({"status": 400, "error": "Bad Request", "message": "조회 기간"}, 400)
        found = [self.rows[one] for at, one in self._completed if start <= at <= end + 999]
        if not found:
            return Response(status_code=404)
        first, size = int(asked.get("nextToken", 0)), int(asked.get("pageSize", 20))
        more = len(found) > first + size
        return JSONResponse(
            {
                "messages": found[first : first + size],
                "hasMore": more,
                "nextToken": str(first + size) if more else None,
            }
        )


def _gateway(status: int, code: str, text: str) -> Response:
    return JSONResponse({"error": {"errorCode": code, "message": text, "details": text}}, status)


def _moment(text: str) -> Instant:
    return int(datetime.fromisoformat(text).replace(tzinfo=_KOREA).timestamp() * 1000)
