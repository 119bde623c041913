"""An endpoint as a company might write one behind our webhooks: it proves who calls, drops doubles, takes the
message to its own people, and reports back."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import count
from types import MappingProxyType
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from channels.contract import Callback, Instant, ReceiptKind, Refused
from channels.reasons import Reason
from channels.testing.providers.base import FakeProvider, Fault, Report
from channels.testing.providers.lives import Lives
from channels.webhook.signatures import ID, key_of, signed, verified

_STATUSES: Mapping[Reason, int] = MappingProxyType(
    {
        Reason.AUTH_FAILED: 401,
        Reason.ACCOUNT_BLOCKED: 402,
        Reason.SENDER_INVALID: 410,
        Reason.CONTENT_INVALID: 413,
        Reason.RATE_LIMITED: 429,
        Reason.REQUEST_INVALID: 400,
        Reason.CONTENT_REJECTED: 451,
        Reason.PROVIDER_ERROR: 503,
    }
)
EXPRESSES = frozenset(Reason) - {Reason.OUTCOME_UNKNOWN, Reason.DUPLICATE}
"""The reasons that it can give: some by a status, the others in our own words with 422."""

A_SECRET = "whsec_c29qb3Vybi1zaGFyZWQtd2l0aC10aGUtZW5kcG9pbnQ="
"""One for tests and the demo."""


class FakeEndpoint(FakeProvider):
    """One endpoint at `url`."""

    base_url = "https://relay.shop.example"
    url = "https://relay.shop.example/sojourn"
    observes = frozenset({ReceiptKind.DELIVERED, ReceiptKind.OPENED, ReceiptKind.CLICKED, ReceiptKind.FAILED})

    def __init__(
        self,
        clock: Callable[[], Instant],
        *,
        lives: Lives | None = None,
        faults: Iterable[Fault] = (),
        signing_secret: str = A_SECRET,
    ) -> None:
        super().__init__(clock, lives=lives, faults=faults)
        self.signing_secret = signing_secret
        self.events: list[dict[str, Any]] = []
        """Every event that was taken over, once."""
        self._answers: dict[str, str] = {}
        self._numbers_of_messages = count(1)

    async def answer(self, request: Request) -> Response:
        if request.url.path != "/sojourn":
            return JSONResponse({"error": "no such path"}, 404)
        if request.method != "POST":
            return Response(status_code=405, headers={"allow": "POST"})
        body, message_id = await request.body(), request.headers.get(ID, "")
        call = Callback("POST", "/sojourn", dict(request.headers), {}, body)
        if isinstance(told := verified([key_of(self.signing_secret)], call, self.clock()), Refused):
            return JSONResponse({"error": told.why}, 401)
        if message_id not in self._answers:
            event = json.loads(body)
            if (refused := self.lives(event["data"]["user"]).refused) in EXPRESSES:
                return _refusal(refused)
            self._keep(message_id, event)
        return JSONResponse({"id": self._answers[message_id]})

    def _keep(self, message_id: str, event: dict[str, Any]) -> None:
        provider_id = f"relay-{next(self._numbers_of_messages)}"
        self._answers[message_id] = provider_id
        self.events.append(event)
        self.take(provider_id, event["data"]["user"], message=message_id)

    def callback(self, reports: Sequence[Report], now: Instant) -> Callback:
        told = [_told(report) for report in reports]
        return self.post(told, now, f"report-{reports[0].number}" if reports else "report-0")

    def post(self, told: Any, now: Instant, message_id: str = "report-1") -> Callback:
        """Any JSON as a callback, signed now."""
        body = json.dumps(told, ensure_ascii=False).encode("utf-8", "surrogatepass")
        headers = signed([key_of(self.signing_secret)], message_id, now, body)
        return Callback("POST", "/hooks/webhook", {"content-type": "application/json", **headers}, {}, body)


def _told(report: Report) -> dict[str, Any]:
    moment = datetime.fromtimestamp(report.at / 1000, UTC).isoformat(timespec="milliseconds")
    said = {
        "key": f"event-{report.number}",
        "message": report.extra["message"],
        "id": report.provider_id,
        "kind": report.kind.value,
        "at": moment,
    }
    return {**said, "reason": report.reason.value} if report.reason else said


def _refusal(reason: Reason) -> Response:
    headers = {"retry-after": "30"} if reason in (Reason.RATE_LIMITED, Reason.PROVIDER_ERROR) else None
    if reason in _STATUSES:
        return JSONResponse({"error": "not now"}, _STATUSES[reason], headers)
    return JSONResponse({"reason": reason.value, "code": "R-1", "text": "not this one"}, 422, headers)
