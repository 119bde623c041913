"""Twilio, as far as text messages need it: messages taken over, status callbacks, and what people write."""

import hmac
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha1, sha256
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from channels import Callback, Instant, Reason, ReceiptKind
from channels.testing.providers import FakeProvider, Fault, Lives, Report

REFUSED: Mapping[Reason, tuple[int, int]] = {
    Reason.INVALID_RECIPIENT: (400, 21211),
    Reason.NOT_ON_CHANNEL: (400, 21614),
    Reason.OPTED_OUT: (400, 21610),
    Reason.NOT_PERMITTED: (400, 21408),
    Reason.SENDER_INVALID: (400, 21606),
    Reason.AUTH_FAILED: (401, 20003),
    Reason.ACCOUNT_BLOCKED: (403, 20005),
    Reason.TEMPLATE_UNAVAILABLE: (400, 21655),
    Reason.TEMPLATE_MISMATCH: (400, 21656),
    Reason.CONTENT_INVALID: (400, 21617),
    Reason.REQUEST_INVALID: (400, 21609),
    Reason.RATE_LIMITED: (429, 20429),
    Reason.PROVIDER_ERROR: (500, 20500),
}
"""HTTP status and code, for what is refused at once."""
FAILED: Mapping[Reason, int] = {
    Reason.INVALID_RECIPIENT: 30005,
    Reason.UNREACHABLE: 30003,
    Reason.NOT_ON_CHANNEL: 30006,
    Reason.OPTED_OUT: 30004,
    Reason.NOT_PERMITTED: 30450,
    Reason.WINDOW_CLOSED: 63016,
    Reason.SENDER_INVALID: 30034,
    Reason.ACCOUNT_BLOCKED: 30002,
    Reason.CONTENT_INVALID: 30019,
    Reason.CONTENT_REJECTED: 30007,
    Reason.RATE_LIMITED: 30001,
    Reason.QUOTA_EXCEEDED: 30023,
    Reason.EXPIRED: 30036,
    Reason.PROVIDER_ERROR: 30410,
    Reason.UNKNOWN: 30008,
}
_STATUS = {ReceiptKind.DELIVERED: "delivered", ReceiptKind.OPENED: "read", ReceiptKind.FAILED: "undelivered"}
_NUMBER = re.compile(r"\+[1-9]\d{6,14}")


class FakeTwilio(FakeProvider):
    """Checks the login, keeps what it took, and signs what it tells."""

    base_url = "https://api.twilio.com"
    observes: ClassVar[frozenset[ReceiptKind]] = frozenset(_STATUS)

    def __init__(
        self,
        clock: Callable[[], Instant],
        *,
        account_sid: str = "AC" + "0" * 32,
        auth_token: str = "twilio-auth-token",
        keys: Mapping[str, str] | None = None,
        hook_url: str = "https://hooks.example/hooks/1",
        lives: Lives | None = None,
        faults: Iterable[Fault] = (),
    ) -> None:
        super().__init__(clock, lives=lives, faults=faults)
        self.account_sid, self.auth_token = account_sid, auth_token
        self.logins = {account_sid: auth_token, **(keys or {})}
        self.hook_url = hook_url
        """Where it tells of what people write; results go where each message wants them."""
        self.forms: dict[str, dict[str, str]] = {}
        """What was asked for each message that was taken over, by its SID."""
        self.price: str | None = None
        """What its answers say that a message costs."""

    async def answer(self, request: Request) -> Response:
        if not self._knows(request.headers.get("authorization", "")):
            return _error(401, 20003, "Authenticate")
        if request.url.path != f"/2010-04-01/Accounts/{self.account_sid}/Messages.json":
            return _error(404, 20404, f"The requested resource {request.url.path} was not found")
        if request.method == "GET":
            return JSONResponse({"messages": [], "page": 0, "page_size": 1})
        return self._take(dict(parse_qsl((await request.body()).decode(), keep_blank_values=True)))

    def _knows(self, header: str) -> bool:
        kind, _, words = header.partition(" ")
        user, _, secret = b64decode(words or "").decode().partition(":")
        return kind == "Basic" and bool(secret) and self.logins.get(user) == secret

    def _take(self, form: dict[str, str]) -> Response:
        if code := _why_not(form):
            return _error(400, code, f"The message was refused with code {code}")
        life = self.lives(form["To"])
        if life.refused:
            status, code = REFUSED.get(life.refused, (400, 21999))
            return _error(status, code, f"The message was refused with code {code}")
        sid = f"{'MM' if 'MediaUrl' in form else 'SM'}{len(self.forms) + 1:032x}"
        self.forms[sid] = form
        self.take(sid, form["To"])
        said: dict[str, Any] = {"sid": sid, "account_sid": self.account_sid, "to": form["To"]}
        status_word = "accepted" if "MessagingServiceSid" in form else "queued"
        # As Twilio does: the price is mostly not known yet.
        said |= {"price": self.price, "price_unit": "USD"}
        said |= {"from": form.get("From"), "status": status_word, "error_code": None, "error_message": None}
        return JSONResponse(said, 201)

    def callback(self, reports: Sequence[Report], now: Instant) -> Callback:
        """Twilio tells one thing at a time: see `callbacks` for more."""
        (report,) = reports
        code = FAILED.get(report.reason, 30999) if report.reason else None
        return self.status(report.provider_id, _STATUS[report.kind], code)

    def callbacks(self, reports: Iterable[Report], now: Instant) -> list[Callback]:
        """The requests for several reports; none for messages that wanted no callback."""
        return [
            self.callback([one], now) for one in reports if "StatusCallback" in self.forms[one.provider_id]
        ]

    def status(self, sid: str, status: str, code: int | None = None, *, as_json: bool = False) -> Callback:
        """The callback about any status of a message."""
        asked = self.forms[sid]
        said = {"SmsSid": sid, "SmsStatus": status, "MessageStatus": status, "To": asked["To"]}
        said |= {"MessageSid": sid, "AccountSid": self.account_sid, "From": asked.get("From", "+15550001111")}
        if code is not None:
            said["ErrorCode"] = str(code)
        said["ApiVersion"] = "2010-04-01"
        return self.signed(asked.get("StatusCallback", self.hook_url), said, as_json=as_json)

    def written(self, sender: str, text: str, *, number: int = 1, opt_out: str = "") -> Callback:
        """What somebody wrote to our number. `opt_out` is STOP, START or HELP where Twilio understood it."""
        sid = f"SM{number:032x}"
        said = {"ToCountry": "US", "SmsMessageSid": sid, "NumMedia": "0", "SmsSid": sid, "Body": text}
        said |= {"SmsStatus": "received", "To": "+15550001111", "NumSegments": "1", "MessageSid": sid}
        said |= {"AccountSid": self.account_sid, "From": sender, "ApiVersion": "2010-04-01"}
        return self.signed(self.hook_url, said | ({"OptOutType": opt_out} if opt_out else {}))

    def signed(
        self, url: str, said: Mapping[str, str], *, as_json: bool = False, algorithm: str = "HMAC_SHA1"
    ) -> Callback:
        """A request to this address with these parameters, signed."""
        kind, words = "application/x-www-form-urlencoded; charset=UTF-8", url
        body = urlencode(said).encode()
        if as_json:
            kind, body = "application/json", json.dumps(said).encode()
            url = words = f"{url}{'&' if '?' in url else '?'}bodySHA256={sha256(body).hexdigest()}"
        else:
            words += "".join(name + said[name] for name in sorted(said))
        using = sha256 if algorithm == "HMAC_SHA256" else sha1
        signature = b64encode(hmac.new(self.auth_token.encode(), words.encode(), using).digest()).decode()
        headers = {"content-type": kind, "x-twilio-signature": signature}
        if algorithm != "HMAC_SHA1":
            headers["x-twilio-webhooks-signature-settings"] = f"key=webhooks_1,algorithm={algorithm}"
        path, _, query = url.partition("?")
        return Callback("POST", "/" + path.split("/", 3)[3], headers, dict(parse_qsl(query)), body, url)


def _why_not(form: Mapping[str, str]) -> int | None:
    if not _NUMBER.fullmatch(form.get("To", "")):
        return 21211
    if not form.get("From") and not form.get("MessagingServiceSid"):
        return 21603
    if not form.get("Body") and not form.get("MediaUrl"):
        return 21619
    if len(form.get("Body", "")) > 1600:
        return 21617
    return None if 1 <= int(form.get("ValidityPeriod", "1")) <= 36_000 else 90007


def _error(status: int, code: int, message: str) -> Response:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return JSONResponse({"code": code, "message": message, "more_info": more, "status": status}, status)
