"""NHN Cloud KakaoTalk Bizmessage: sending Alimtalk, and its desk (API v2.3)."""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import Response

from channels.contract import Callback, Instant, ReceiptKind
from channels.reasons import Reason
from channels.testing.providers.base import FakeProvider, Fault, Report
from channels.testing.providers.kakao import KAKAO_CODES, SOMETHING_ELSE
from channels.testing.providers.lives import Lives
from channels.testing.providers.nhn_desk import APPROVED, NhnDeskOf
from channels.testing.providers.nhn_sending_rules import misfit
from channels.testing.providers.nhn_words import KOREA, a_profile, answered, no, yes

REFUSED = {
    Reason.INVALID_RECIPIENT: -4019,
    Reason.OPTED_OUT: -3301,
    Reason.NOT_PERMITTED: -4029,
    Reason.SENDER_INVALID: -1006,
    Reason.AUTH_FAILED: -4005,
    Reason.ACCOUNT_BLOCKED: -1027,
    Reason.TEMPLATE_UNAVAILABLE: -3005,
    Reason.TEMPLATE_MISMATCH: -3049,
    Reason.CONTENT_INVALID: -2019,
    Reason.CONTENT_REJECTED: -8008,
    Reason.REQUEST_INVALID: -2001,
    Reason.QUOTA_EXCEEDED: -1017,
    Reason.PROVIDER_ERROR: -7000,
}
_TEN_MINUTES = 10 * 60 * 1000
_ROOT = "/alimtalk/v2.3/appkeys/"


class FakeNhn(FakeProvider):
    """Checks keys, refuses a repeated idempotency key, tells results by webhook and in its list, and has a
    review desk. Templates that it does not know are sent as they come, unless it is strict."""

    base_url = "https://kakaotalk-bizmessage.api.nhncloudservice.com"
    observes: ClassVar[frozenset[ReceiptKind]] = frozenset({ReceiptKind.DELIVERED, ReceiptKind.FAILED})

    def __init__(
        self,
        clock: Callable[[], Instant],
        *,
        app_key: str = "nhnAppKey1",
        secret_key: str = "nhn-secret-key",
        sender_key: str = "0" * 40,
        signing_secret: str = "nhn-webhook-signature",
        is_strict: bool = False,
        lives: Lives | None = None,
        faults: Iterable[Fault] = (),
    ) -> None:
        super().__init__(clock, lives=lives, faults=faults)
        self.app_key, self.secret_key, self.sender_key = app_key, secret_key, sender_key
        self.signing_secret, self.is_strict = signing_secret, is_strict
        self.desk = NhnDeskOf(clock, app_key, signing_secret)
        self.desk.profiles[sender_key] = a_profile(sender_key, "@소전", "00100010001", "2025-01-02 09:00:00")
        self.desk.profiles[sender_key]["alimtalk"]["dailyMaxCount"] = 0
        self.desk.profiles[sender_key]["initialUserRestriction"] = False
        self.rows: list[dict[str, Any]] = []
        self._results: list[tuple[Instant, dict[str, Any]]] = []
        self._keys: dict[str, Instant] = {}
        self._day = ""

    async def answer(self, request: Request) -> Response:
        app, _, path = request.url.path.removeprefix(_ROOT).partition("/")
        if not request.url.path.startswith(_ROOT) or app != self.app_key:
            return _said(-1000, "유효하지 않은 앱키")
        if request.headers.get("x-secret-key") != self.secret_key:
            return _said(-1001, "유효하지 않은 비밀 키")
        body, query = await request.body(), dict(request.query_params)
        if request.method == "POST" and path in ("messages", "raw-messages"):
            return self._send(path, request.headers, json.loads(body))
        if request.method == "GET" and path == "messages":
            return self._search(query)
        if request.method == "GET" and path == "message-results":
            return self._changed(query)
        raw = request.scope["raw_path"].decode().partition(f"/{app}/")[2]
        said = self.desk.answer(request.method, raw, query, request.headers.get("content-type", ""), body)
        return answered(said) if said else _said(-9998, "존재하지 않는 API")

    def _send(self, path: str, headers: Any, body: dict[str, Any]) -> Response:
        key = headers.get("x-nc-api-idempotency-key")
        if key and self.clock() - self._keys.get(key, -_TEN_MINUTES) < _TEN_MINUTES:
            return _said(-1005, "10분간 동일한 X-NC-API-IDEMPOTENCY-KEY 값으로 요청")
        if key:
            self._keys[key] = self.clock()
        if refused := self._refused(str(body.get("senderKey"))):
            return _said(*refused)
        if not 0 < len(body.get("recipientList") or []) <= 1000:
            return _said(-2005, "수신자 수")
        request_id = f"2026{len(self.rows):08d}"
        results = [
            self._take(path, request_id, number, recipient, body)
            for number, recipient in enumerate(body["recipientList"], 1)
        ]
        if all(result["resultCode"] for result in results):
            return _said(-1031, "전체 수신자 실패", message={"requestId": None, "sendResults": results})
        return _said(0, "success", message={"requestId": request_id, "sendResults": results})

    def _refused(self, sender_key: str) -> tuple[int, str] | None:
        """What is wrong with the profile."""
        if sender_key in self.desk.groups:
            return -1024, "발신 프로필 그룹은 발송할 수 없음"
        profile = self.desk.profiles.get(sender_key)
        if profile is None:
            return -2017, "존재하지 않는 발신 프로필"
        if profile["block"]:
            return -1027, "차단된 발신 프로필"
        return (-1014, "활성화되지 않은 발신 프로필") if profile["dormant"] else None

    def _take(
        self, path: str, request_id: str, number: int, recipient: dict[str, Any], body: dict[str, Any]
    ) -> dict[str, Any]:
        to = str(recipient.get("recipientNo"))
        found = self._misfit(path, to, recipient, body)
        code = found if isinstance(found, int) else 0
        said = {
            "recipientSeq": number,
            "recipientNo": to,
            "resultCode": code,
            "resultMessage": "success" if code == 0 else f"실패 {code}",
            "recipientGroupingKey": recipient.get("recipientGroupingKey"),
        }
        if code == 0:
            row = {"requestId": request_id, "kakao": found, **said}
            self.rows.append(row)
            self.take(f"{request_id}:{number}", to, row=row)
        return said

    def _misfit(
        self, path: str, to: str, recipient: dict[str, Any], body: dict[str, Any]
    ) -> int | str | None:
        """What is wrong with one message: NHN's code as a number, KakaoTalk's as a text."""
        if not re.fullmatch(r"\d{8,15}", to):
            return -4019
        if path == "raw-messages" and not recipient.get("content"):
            return -2001
        if refused := self.lives(to).refused:
            return REFUSED[refused]
        profile, code = self.desk.profiles[body["senderKey"]], str(body.get("templateCode"))
        known = self.desk.templates.get((body["senderKey"], code))
        if known is None:
            return -3003 if self.is_strict else self._counted(profile)
        if known.status != APPROVED or known.is_blocked or known.is_dormant:
            return -3005
        is_first_time, is_raw = profile["initialUserRestriction"], path == "raw-messages"
        found = misfit(known.said, recipient, is_raw=is_raw, is_first_time=is_first_time)
        known.sent_at = self.clock() if not isinstance(found, int) else known.sent_at
        return found or self._counted(profile)

    def _counted(self, profile: dict[str, Any]) -> int | None:
        """Counts the message, unless the profile's day is used up."""
        today = datetime.fromtimestamp(self.clock() / 1000, KOREA).date().isoformat()
        if today != self._day:
            self._day = today
            for one in self.desk.profiles.values():
                one["alimtalk"]["sentCount"] = 0
        count = profile["alimtalk"]
        if count["dailyMaxCount"] and count["sentCount"] >= count["dailyMaxCount"]:
            return -1017
        count["sentCount"] += 1
        return None

    def _search(self, asked: dict[str, str]) -> Response:
        start, end = _moment(asked["startRequestDate"]), _moment(asked["endRequestDate"])
        if end - start > 30 * 24 * 3600 * 1000:
            return _said(-4003, "조회 범위는 한 달 초과")
        wanted = asked.get("recipientGroupingKey")
        rows = [row for row in self.rows if wanted in (None, row["recipientGroupingKey"])]
        page = rows[: int(asked.get("pageSize", 15))]
        return _said(0, "success", messageSearchResultResponse={"messages": page, "totalCount": len(rows)})

    def _changed(self, asked: dict[str, str]) -> Response:
        self.settle()
        start, end = _moment(asked["startUpdateDate"]), _moment(asked["endUpdateDate"])
        rows = [row for at, row in self._results if start <= at - at % 60_000 <= end]
        size, page = int(asked.get("pageSize", 15)), int(asked.get("pageNum", 1))
        return _said(0, "success", messages=rows[size * (page - 1) : size * page])

    def settle(self) -> None:
        """Writes down what has come to its end."""
        for report in self.due(self.clock()):
            self.keep(report)

    def keep(self, report: Report) -> None:
        """Writes down the end of one message."""
        self._results.append((report.at, result_of(report.extra["row"], report.reason, report.at)))

    def callback(self, reports: Sequence[Report], now: Instant) -> Callback:
        hooks = [
            {
                "hookId": f"hook-{report.number}",
                "kakaoMessageType": "ALIMTALK_NORMAL",
                "recipientNo": report.to,
                "recipientGroupingKey": report.extra["row"]["recipientGroupingKey"],
                **{
                    name: value
                    for name, value in result_of(report.extra["row"], report.reason, report.at).items()
                    if name in ("requestId", "recipientSeq", "receiveDate", "resultCode")
                },
            }
            for report in reports
        ]
        said = {"hooksId": f"hooks-{now}", "productName": "KakaoTalk Bizmessage", "appKey": self.app_key}
        said |= {"event": "MESSAGE_RESULT_UPDATE"}
        body = json.dumps({**said, "hooks": hooks}, ensure_ascii=False).encode()
        headers = {"x-toast-webhook-signature": self.signing_secret, "content-type": "application/json"}
        return Callback("POST", "/hooks/nhn", headers, {}, body)


def result_of(row: dict[str, Any], reason: Reason | None, at: Instant) -> dict[str, Any]:
    code = "1000" if reason is None else KAKAO_CODES.get(reason, SOMETHING_ELSE)
    code = row.get("kakao") or code
    return {
        "requestId": row["requestId"],
        "recipientSeq": row["recipientSeq"],
        "receiveDate": datetime.fromtimestamp(at / 1000, KOREA).strftime("%Y-%m-%d %H:%M:%S.0"),
        "resendStatus": "RSC01",
        "resendStatusName": "대체 발송 미대상",
        "messageStatus": "COMPLETED" if code == "1000" else "FAILED",
        "resultCode": code,
        "resultCodeName": "성공" if code == "1000" else f"실패({code})",
    }


def _said(code: int, text: str, **body: Any) -> Response:
    return answered(yes(**body) if code == 0 else no(code, text, **body))


def _moment(text: str) -> Instant:
    return int(datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=KOREA).timestamp() * 1000)
