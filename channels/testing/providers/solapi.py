"""SOLAPI: send-many/detail, the list of messages, webhooks, and its desk. What it makes of a message is
Alimtalk's."""

import hmac
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha1, sha256
from itertools import islice
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from channels.contract import Callback, Instant, ReceiptKind
from channels.reasons import Reason
from channels.testing.providers.base import FakeProvider, Fault, Report
from channels.testing.providers.lives import Lives
from channels.testing.providers.solapi_desk import APPROVED, SolapiDeskOf
from channels.testing.providers.solapi_template_rules import misfit

REFUSED = {
    Reason.INVALID_RECIPIENT: "3010",
    Reason.OPTED_OUT: "1061",
    Reason.NOT_PERMITTED: "1058",
    Reason.SENDER_INVALID: "1062",
    Reason.AUTH_FAILED: "1020",
    Reason.ACCOUNT_BLOCKED: "1030",
    Reason.TEMPLATE_UNAVAILABLE: "1042",
    Reason.TEMPLATE_MISMATCH: "1043",
    Reason.CONTENT_INVALID: "1031",
    Reason.CONTENT_REJECTED: "1064",
    Reason.REQUEST_INVALID: "1010",
    Reason.DUPLICATE: "1026",
    Reason.PROVIDER_ERROR: "1024",
}
FAILED = {
    Reason.INVALID_RECIPIENT: "3032",
    Reason.UNREACHABLE: "3107",
    Reason.NOT_ON_CHANNEL: "3104",
    Reason.OPTED_OUT: "2061",
    Reason.NOT_PERMITTED: "3102",
    Reason.WINDOW_CLOSED: "3108",
    Reason.SENDER_INVALID: "3101",
    Reason.ACCOUNT_BLOCKED: "2230",
    Reason.TEMPLATE_UNAVAILABLE: "3105",
    Reason.TEMPLATE_MISMATCH: "3103",
    Reason.CONTENT_REJECTED: "2254",
    Reason.REQUEST_INVALID: "3011",
    Reason.EXPIRED: "3040",
    Reason.PROVIDER_ERROR: "3012",
    Reason.UNKNOWN: "3014",
}
_CREDENTIALS = re.compile(
    r"HMAC-SHA256 apiKey=([^,]+), date=([^,]+), salt=([^,]{12,64}), signature=([0-9a-f]+)"
)
_SKEW = 15 * 60 * 1000


class FakeSolapi(FakeProvider):
    """Checks signatures, keeps what it took, tells results by webhook and in its list, and has a review desk.
    Templates that it does not know are sent as they come, unless it is strict."""

    base_url = "https://api.solapi.com"
    observes: ClassVar[frozenset[ReceiptKind]] = frozenset({ReceiptKind.DELIVERED, ReceiptKind.FAILED})
    refused: ClassVar[Mapping[Reason, str]] = REFUSED
    failed: ClassVar[Mapping[Reason, str]] = FAILED
    longest_page = 500
    """Of the list of messages, whatever is asked for."""

    def __init__(
        self,
        clock: Callable[[], Instant],
        *,
        api_key: str = "NCSAYU7YDBXYORXC",
        api_secret: str = "solapi-api-secret",
        signing_secret: str = "solapi-webhook-secret",
        pf_id: str = "KA01PF0001",
        is_strict: bool = False,
        lives: Lives | None = None,
        faults: Iterable[Fault] = (),
    ) -> None:
        super().__init__(clock, lives=lives, faults=faults)
        self.keys = {api_key: api_secret}
        self.signing_secret, self.is_strict = signing_secret, is_strict
        self.desk = SolapiDeskOf(clock, pf_id)
        self.rows: dict[str, dict[str, Any]] = {}
        """What the list of messages knows, by message id."""
        self._told: list[Report] = []
        self._seen: set[str] = set()

    async def answer(self, request: Request) -> Response:
        if error := self.who_asks(request.headers.get("authorization", "")):
            return error_of(403, error)
        if (request.method, request.url.path) == ("POST", "/messages/v4/send-many/detail"):
            return self._take_all(json.loads(await request.body()))
        if (request.method, request.url.path) == ("GET", "/messages/v4/list"):
            return self._list(dict(request.query_params))
        body, query = await request.body(), dict(request.query_params)
        said = self.desk.answer(request.method, request.url.path, query, json.loads(body or b"{}"))
        return JSONResponse(said[1], said[0]) if said else error_of(404, "ResourceNotFound")

    def who_asks(self, header: str) -> str:
        """What is wrong with a request's signature; empty when nothing is."""
        found = _CREDENTIALS.fullmatch(header)
        if not found or found[1] not in self.keys:
            return "InvalidAPIKey"
        _, date, salt, signature = found.groups()
        if abs(_moment(date) - self.clock()) > _SKEW:
            return "RequestTimeTooSkewed"
        secret = self.keys[found[1]].encode()
        if hmac.new(secret, (date + salt).encode(), sha256).hexdigest() != signature:
            return "SignatureDoesNotMatch"
        if signature in self._seen:
            return "DuplicatedSignature"
        self._seen.add(signature)
        return ""

    def _take_all(self, body: dict[str, Any]) -> Response:
        if not body.get("messages"):
            return error_of(400, "ValidationError")
        rows = [self._take(message) for message in body["messages"]]
        failed = [row for row in rows if row["statusCode"] != "2000"]
        count = {"total": len(rows), "registeredFailed": len(failed)}
        group = {"groupId": f"G4V{len(self.rows)}", "status": "SENDING", "count": count}
        listed = [row for row in rows if row not in failed] if body.get("showMessageList") else None
        return JSONResponse({"groupInfo": group, "failedMessageList": failed, "messageList": listed})

    def _take(self, message: dict[str, Any]) -> dict[str, Any]:
        message_id = f"M4V{len(self.rows) + 1:029d}"
        code = self.why_not(message)
        if code is None:
            life = self.lives(message["to"])
            code = self.refused[life.refused] if life.refused else "2000"
        row = {
            "messageId": message_id,
            "groupId": "G4V",
            "type": message.get("type"),
            "to": message.get("to"),
            "statusCode": code,
            "statusMessage": f"상태 {code}",
            "customFields": message.get("customFields"),
            "dateUpdated": _text(self.clock()),
        }
        self.rows[message_id] = row
        if code == "2000":
            self.take(message_id, message["to"], row=row)
        return {**row}

    def why_not(self, message: dict[str, Any]) -> str | None:
        """The code of what is wrong with a message as it was written; None when nothing is."""
        kakao = message.get("kakaoOptions") or {}
        if not kakao.get("pfId"):
            return "1041"
        if not kakao.get("templateId"):
            return "1042"
        if any(not re.fullmatch(r"#\{[^}]+\}", name) for name in kakao.get("variables") or {}):
            return "1043"
        if not re.fullmatch(r"01\d{8,9}", str(message.get("to"))):
            return "3010"
        return self._why_not_so(message, kakao)

    def _why_not_so(self, message: dict[str, Any], kakao: dict[str, Any]) -> str | None:
        """The code of what keeps the message from going out with its template."""
        channel, template = (
            self.desk.channels.get(kakao["pfId"]),
            self.desk.templates.get(kakao["templateId"]),
        )
        if (channel is None and self.is_strict) or (channel and channel.get("isBlocked")):
            return "1041"
        if template is None:
            return "1042" if self.is_strict else None
        sendable = template["status"] == APPROVED and not template["isDeleted"]
        if not sendable or template.get("isDormant") or template["channelId"] != kakao["pfId"]:
            return "1042"
        return misfit(template, message)

    def _apply(self, now: Instant) -> None:
        for report in super().due(now):
            self._tell(report)
            self._told.append(report)

    def due(self, now: Instant) -> list[Report]:
        self._apply(now)
        told, self._told = self._told, []
        return told

    def _tell(self, report: Report) -> None:
        row = self.rows[report.provider_id]
        code = "4000" if report.reason is None else self.failed.get(report.reason, "3014")
        row |= {"statusCode": code, "statusMessage": f"결과 {code}"}
        row |= {"dateReported": _text(report.at), "dateUpdated": _text(report.at)}

    def _list(self, asked: dict[str, str]) -> Response:
        self._apply(self.clock())
        limit = min(int(asked.get("limit", 20)), self.longest_page)
        found = list(islice(self._changed(asked), limit + 1))
        page, more = found[:limit], len(found) > limit
        return JSONResponse(
            {
                "limit": limit,
                "startKey": asked.get("startKey"),
                "nextKey": page[-1]["messageId"] if more else None,
                "messageList": {row["messageId"]: row for row in page},
            }
        )

    def _changed(self, asked: dict[str, str]) -> Iterator[dict[str, Any]]:
        """The rows that are asked for, by their ids, which is how they came."""
        start, end = (_moment(asked[name]) if asked.get(name) else None for name in ("startDate", "endDate"))
        # Ids are numbers in order: rows up to the key are stepped over.
        for row in islice(self.rows.values(), int(asked.get("startKey", "M4V0")[3:]), None):
            if asked.get("type") not in (None, row["type"]):
                continue
            updated = _moment(row["dateUpdated"])
            if (start is None or updated >= start) and (end is None or updated <= end):
                yield row

    def callback(self, reports: Sequence[Report], now: Instant) -> Callback:
        events = [
            {"eventDataId": f"E{report.number}", "data": self.rows[report.provider_id], "retryCount": 0}
            for report in reports
        ]
        secret = sha1(self.signing_secret.encode()).hexdigest()
        headers = {
            "content-type": "application/json",
            "x-solapi-event-name": "SINGLE-REPORT",
            "x-solapi-secret": secret,
        }
        body = json.dumps(events, ensure_ascii=False).encode()
        return Callback("POST", "/hooks/solapi", headers, {}, body)


def error_of(status: int, code: str) -> Response:
    """An answer that refuses the whole request."""
    return JSONResponse({"errorCode": code, "errorMessage": f"요청을 처리할 수 없습니다: {code}"}, status)


def _moment(text: str) -> Instant:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def _text(at: Instant) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
