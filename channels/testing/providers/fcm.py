"""Firebase Cloud Messaging, HTTP v1: sending, its errors, and `validate_only`."""

import json
from collections.abc import Callable, Iterable, Mapping
from itertools import count
from types import MappingProxyType
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from channels.contract import Instant
from channels.reasons import Reason
from channels.testing.providers.base import FakeProvider, Fault
from channels.testing.providers.google_accounts import FakeGoogleAccounts, a_service_account
from channels.testing.providers.lives import Lives

_FCM = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
_BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"

# HTTP status, gRPC status, FCM's code, and the field that is complained about.
_SAYS: Mapping[Reason, tuple[int, str, str, str]] = MappingProxyType(
    {
        Reason.INVALID_RECIPIENT: (404, "NOT_FOUND", "UNREGISTERED", ""),
        Reason.CONTENT_INVALID: (400, "INVALID_ARGUMENT", "", "message.data[0].value"),
        Reason.REQUEST_INVALID: (400, "INVALID_ARGUMENT", "", "message.android.ttl"),
        Reason.SENDER_INVALID: (403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH", ""),
        Reason.AUTH_FAILED: (401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR", ""),
        Reason.RATE_LIMITED: (429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", ""),
        Reason.PROVIDER_ERROR: (503, "UNAVAILABLE", "UNAVAILABLE", ""),
        Reason.UNKNOWN: (500, "UNKNOWN", "UNSPECIFIED_ERROR", ""),
    }
)
EXPRESSES = frozenset(_SAYS)
"""The reasons that FCM can give. Any other misfortune it does not notice: it accepts and stays silent."""


class FakeFcm(FakeProvider):
    """One Firebase project. Lead a client to it and to its `accounts`: `client_of(fcm, fcm.accounts)`."""

    base_url = "https://fcm.googleapis.com"

    def __init__(
        self,
        clock: Callable[[], Instant],
        *,
        lives: Lives | None = None,
        faults: Iterable[Fault] = (),
        service_account: str = "",
    ) -> None:
        super().__init__(clock, lives=lives, faults=faults)
        self.service_account = service_account or a_service_account()
        self.accounts = FakeGoogleAccounts(clock, self.service_account)
        self.messages: list[dict[str, Any]] = []
        """Every message that was taken over, as it came."""
        self._numbers_of_messages = count(1)

    async def answer(self, request: Request) -> Response:
        project = self.accounts.account["project_id"]
        if not self.accounts.knows(request.headers.get("authorization", "")):
            return _error(401, "UNAUTHENTICATED", told="Request had invalid authentication credentials.")
        if request.url.path != f"/v1/projects/{project}/messages:send" or request.method != "POST":
            return _error(404, "NOT_FOUND", told="Requested entity was not found.")
        try:
            wanted = json.loads(await request.body())
            message = wanted["message"]
        except (ValueError, TypeError, KeyError):
            return _error(400, "INVALID_ARGUMENT", told="Invalid JSON payload received.")
        return self._wrong_with(message) or self._answer_of(message, bool(wanted.get("validate_only")))

    def _wrong_with(self, message: dict[str, Any]) -> Response | None:
        token, data = message.get("token"), message.get("data", {})
        if not token:
            return _error(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "message", "Recipient is not set.")
        if len(token) < 10 or not token.isascii() or not token.isprintable():
            told = "The registration token is not a valid FCM registration token"
            return _error(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", told=told)
        if not all(isinstance(value, str) for value in data.values()):
            return _error(400, "INVALID_ARGUMENT", field="message.data[0].value", told="Invalid value")
        pairs = [*data.items(), *message.get("notification", {}).items()]
        if sum(len(part.encode("utf-8", "surrogatepass")) for pair in pairs for part in pair) > 4096:
            return _error(400, "INVALID_ARGUMENT", told="Request contains an invalid argument.")
        return None

    def _answer_of(self, message: dict[str, Any], validate_only: bool) -> Response:
        project, token = self.accounts.account["project_id"], message["token"]
        refused = self.lives(token).refused
        if refused in EXPRESSES:
            return _error(*_SAYS[refused])
        if validate_only:
            return JSONResponse({"name": f"projects/{project}/messages/fake_message_id"})
        provider_id = f"0:{self.clock()}%{next(self._numbers_of_messages):016x}"
        self.take(provider_id, token)
        self.messages.append(message)
        return JSONResponse({"name": f"projects/{project}/messages/{provider_id}"})


def _error(status: int, name: str, code: str = "", field: str = "", told: str = "") -> Response:
    details: list[dict[str, Any]] = []
    if code:
        details.append({"@type": _FCM, "errorCode": code})
    if field:
        violation = {"field": field, "description": told or "Invalid value"}
        details.append({"@type": _BAD_REQUEST, "fieldViolations": [violation]})
    error = {"code": status, "message": told or name.capitalize(), "status": name, "details": details}
    headers = {"retry-after": "30"} if status == 503 else None
    return JSONResponse({"error": {k: v for k, v in error.items() if v != []}}, status, headers)
