"""Meta's Cloud API, as far as one business phone number needs it: it sends, answers probes and calls back."""

import heapq
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from hmac import new as hmac_of
from typing import Any, ClassVar

from channels import Callback, Instant, ReceiptKind
from channels.reasons import Reason
from channels.testing.providers import FakeProvider, Fault, Life, Lives, Report, everybody
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sojourn_whatsapp.testing.words import FAILED, NAMELESS, REFUSED, error_of, failure_of, status_of

__all__ = ["FAILED", "REFUSED", "FakeTemplate", "FakeWhatsAppCloud"]

_DAY = 24 * 60 * 60 * 1000
_SENT_AFTER = 500
_WORDS = {
    ReceiptKind.ACCEPTED: "sent",
    ReceiptKind.DELIVERED: "delivered",
    ReceiptKind.OPENED: "read",
    ReceiptKind.FAILED: "failed",
}
_PATH = re.compile(r"/v\d+\.\d+/(\d+)(/messages)?")


@dataclass(frozen=True, slots=True)
class FakeTemplate:
    """An approved template: what it is for, and the names of its body's values (1, 2, 3 … or words)."""

    parameters: tuple[str, ...] = ()
    category: str = "utility"


class FakeWhatsAppCloud(FakeProvider):
    """Checks the token, knows its templates and who wrote within a day, and calls back with signatures.

    A free message to somebody who did not write is taken over and fails afterwards, as at Meta.
    """

    base_url = "https://graph.facebook.com"
    observes: ClassVar[frozenset[ReceiptKind]] = frozenset(_WORDS)

    def __init__(
        self,
        clock: Callable[[], Instant],
        *,
        access_token: str = "EAAG-a-token-for-tests",
        app_secret: str = "an app secret for tests",
        verify_token: str = "a verify token for tests",
        phone_number_id: str = "106540352242922",
        number: str = "15550783881",
        templates: Mapping[tuple[str, str], FakeTemplate] | None = None,
        lives: Lives | None = None,
        faults: Iterable[Fault] = (),
    ) -> None:
        super().__init__(clock, lives=lives, faults=faults)
        self.access_token, self.app_secret, self.verify_token = access_token, app_secret, verify_token
        self.phone_number_id, self.number = phone_number_id, number
        self.templates = dict(templates or {("order_paid", "ko"): FakeTemplate(("1", "2"))})
        """By name and language."""
        self.status = "CONNECTED"
        self.wrote_at: dict[str, Instant] = {}
        """When each number wrote last; that opens the window for a day."""

    # What it is asked

    async def answer(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {self.access_token}":
            return _refusal(190, "The token cannot be parsed")
        path = _PATH.fullmatch(request.url.path)
        if not path or path[1] != self.phone_number_id:
            return _refusal(100, "There is no such object, or it is not for this token")
        if request.method == "GET" and not path[2]:
            return JSONResponse(self._about(request.query_params.get("fields", "id").split(",")))
        if request.method == "POST" and path[2]:
            return self._take(json.loads(await request.body()))
        return _refusal(100, "No such request")

    def _about(self, fields: Sequence[str]) -> dict[str, str]:
        known = {
            "display_phone_number": f"+{self.number}",
            "verified_name": "꽃신",
            "status": self.status,
            "quality_rating": "GREEN",
        }
        return {name: value for name, value in known.items() if name in fields} | {"id": self.phone_number_id}

    def _take(self, body: dict[str, Any]) -> Response:
        to, kind = str(body.get("to", "")), str(body.get("type"))
        if body.get("messaging_product") != "whatsapp" or not isinstance(body.get(kind), dict):
            return _refusal(100, "messaging_product and the object that type names are wanted")
        if (refused := self._why_not(to, kind, body[kind])) is not None:
            return _refusal(*refused)
        life = self.lives(f"+{to.lstrip('+')}")
        if life.refused is not None:
            return _refusal(REFUSED.get(life.refused, NAMELESS), "The fake provider says so")
        named = f"wamid.{len(self.taken) + 1:024d}"
        self._plan(named, to, kind, body)
        wa_id = to.lstrip("+")
        message = {"id": named} | ({"message_status": "accepted"} if kind == "template" else {})
        contacts = [{"input": to, "wa_id": wa_id}]
        return JSONResponse({"messaging_product": "whatsapp", "contacts": contacts, "messages": [message]})

    def _why_not(self, to: str, kind: str, said: dict[str, Any]) -> tuple[int, str] | None:
        if not re.fullmatch(r"\+?[1-9]\d{6,14}", to):
            return 131009, "to is no telephone number"
        if kind == "template":
            return self._why_no_template(said)
        if kind == "text":
            return None if 0 < len(str(said.get("body", ""))) <= 4096 else (100, "The body is too long")
        if kind in ("image", "video", "document"):
            return None if str(said.get("link", "")).startswith("http") else (131008, "link is missing")
        return 131051, "This kind of message is not supported"

    def _why_no_template(self, said: dict[str, Any]) -> tuple[int, str] | None:
        language = str((said.get("language") or {}).get("code"))
        template = self.templates.get((str(said.get("name")), language))
        if template is None:
            return 132001, f"template name ({said.get('name')}) does not exist in {language}"
        bodies = [one for one in said.get("components", []) if one.get("type") == "body"]
        given = [value for one in bodies for value in one["parameters"]]
        if len(given) != len(template.parameters):
            wanted = len(template.parameters)
            return 132000, f"body: localizable_params ({len(given)}) is not the expected number ({wanted})"
        names = {value["parameter_name"] for value in given if "parameter_name" in value}
        words = {name for name in template.parameters if not name.isdecimal()}
        return None if names == words else (132012, "Parameter names are wrong")

    # What it takes over

    def _plan(self, named: str, to: str, kind: str, body: dict[str, Any]) -> None:
        number, template = f"+{to.lstrip('+')}", body[kind] if kind == "template" else {}
        category = self._category(template)
        extra = {"reference": body.get("biz_opaque_callback_data"), "category": category}
        open_to_all, lives = kind == "template" or self.window_is_open(number), self.lives
        if not open_to_all:
            self.lives = everybody(Life(failed=Reason.WINDOW_CLOSED))
        try:
            life = self.take(named, number, **extra)
        finally:
            self.lives = lives
        if life.failed is None:
            # Before every number that `take` gave, because it happens before all of that.
            at = self.clock() + _SENT_AFTER
            report = Report(-len(self.taken), named, number, ReceiptKind.ACCEPTED, at, extra=extra)
            heapq.heappush(self._reports, (report.at, report.number, report))

    def _category(self, template: Mapping[str, Any]) -> str:
        language = str((template.get("language") or {}).get("code"))
        found = self.templates.get((str(template.get("name")), language))
        return found.category if found else "service"

    def window_is_open(self, number: str) -> bool:
        """Whether the number wrote within the last 24 hours."""
        wrote_at = self.wrote_at.get(number)
        return wrote_at is not None and self.clock() < wrote_at + _DAY

    # What it calls back with

    def callback(self, reports: Sequence[Report], now: Instant) -> Callback:
        return self.tell([self.change(statuses=[_status(report) for report in reports])])

    def change(self, field: str = "messages", phone_number_id: str = "", **value: Any) -> dict[str, Any]:
        """One change about our number, or another one."""
        metadata = {
            "display_phone_number": self.number,
            "phone_number_id": phone_number_id or self.phone_number_id,
        }
        return {"field": field, "value": {"messaging_product": "whatsapp", "metadata": metadata, **value}}

    def tell(self, changes: Sequence[dict[str, Any]]) -> Callback:
        """A callback with these changes, each in an entry of its own, signed."""
        entries = [{"id": "102290129340398", "changes": [change]} for change in changes]
        return self.signed(json.dumps({"object": "whatsapp_business_account", "entry": entries}).encode())

    def signed(self, body: bytes) -> Callback:
        signature = hmac_of(self.app_secret.encode(), body, sha256).hexdigest()
        headers = {"content-type": "application/json", "x-hub-signature-256": f"sha256={signature}"}
        return Callback("POST", "/hooks/1", headers, {}, body)

    def challenge(self, challenge: str = "1158201444") -> Callback:
        """What Meta asks when the address is registered."""
        asked = {
            "hub.mode": "subscribe",
            "hub.verify_token": self.verify_token,
            "hub.challenge": challenge,
        }
        return Callback("GET", "/hooks/1", {}, asked, b"")

    def wrote(self, number: str, text: str, *, answering: str = "") -> Callback:
        """Somebody writes to us, which opens the window."""
        self.wrote_at[number] = now = self.clock()
        digits = number.lstrip("+")
        message: dict[str, Any] = {
            "from": digits,
            "id": f"wamid.in.{digits}.{now}",
            "timestamp": str(now // 1000),
            "type": "text",
            "text": {"body": text},
        }
        if answering:
            message["context"] = {"from": self.number, "id": answering}
        contacts = [{"profile": {"name": "민아"}, "wa_id": digits}]
        return self.tell([self.change(contacts=contacts, messages=[message])])

    def prefers(self, number: str, value: str = "stop") -> Callback:
        """Somebody stops, or resumes, marketing messages."""
        preference = {
            "wa_id": number.lstrip("+"),
            "detail": f"User requested to {value} marketing messages",
            "category": "marketing_messages",
            "value": value,
            "timestamp": self.clock() // 1000,
        }
        return self.tell([self.change("user_preferences", user_preferences=[preference])])


def _status(report: Report) -> dict[str, Any]:
    said: dict[str, Any] = {
        "id": report.provider_id,
        "status": _WORDS[report.kind],
        "timestamp": str(report.at // 1000),
        "recipient_id": report.to.lstrip("+"),
    }
    if report.extra.get("reference"):
        said["biz_opaque_callback_data"] = report.extra["reference"]
    if report.kind is ReceiptKind.FAILED:
        code = FAILED.get(report.reason, NAMELESS) if report.reason else NAMELESS
        return {**said, "errors": [failure_of(code)]}
    billable = report.extra["category"] != "service"
    kind = "regular" if billable else "free_customer_service"
    price = {"billable": billable, "pricing_model": "PMP", "type": kind}
    return {**said, "pricing": {**price, "category": report.extra["category"]}}


def _refusal(code: int, details: str) -> Response:
    return JSONResponse(error_of(code, details), status_of(code))
