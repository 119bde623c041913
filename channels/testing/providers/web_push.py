"""Push services of browsers: they check VAPID and headers, and, unlike real ones, can read what is sent.

A browser's keys are made from its name, so that whoever knows a name has its subscription. The services of
Google, Mozilla and Apple say the same things in their own words.
"""

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from hashlib import sha256
from itertools import count
from types import MappingProxyType
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.requests import Request
from starlette.responses import Response

from channels.contract import Instant
from channels.push.ece import decrypt, point_of
from channels.reasons import Reason
from channels.testing.providers.base import FakeProvider, Fault
from channels.testing.providers.lives import Lives

_LARGEST_BODY = 4096
_LONGEST_TOKEN_SECONDS = 24 * 3600
_STATUSES: Mapping[Reason, int] = MappingProxyType(
    {
        Reason.INVALID_RECIPIENT: 410,
        Reason.REQUEST_INVALID: 400,
        Reason.AUTH_FAILED: 403,
        Reason.SENDER_INVALID: 403,
        Reason.CONTENT_INVALID: 413,
        Reason.RATE_LIMITED: 429,
        Reason.PROVIDER_ERROR: 503,
    }
)
EXPRESSES = frozenset(_STATUSES)
"""The reasons that a push service can give; Mozilla's has no word for SENDER_INVALID."""


@cache
def a_vapid_key() -> str:
    """A private VAPID key as PEM; the same one for the life of this process."""
    return (
        ec.generate_private_key(ec.SECP256R1())
        .private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        .decode()
    )


class FakeWebPush(FakeProvider):
    """Google's push service. `application_server` is the public VAPID key that the pages subscribed with;
    any key is taken while it is empty."""

    base_url = "https://fcm.googleapis.com"
    path = "/fcm/send/"

    def __init__(
        self,
        clock: Callable[[], Instant],
        *,
        lives: Lives | None = None,
        faults: Iterable[Fault] = (),
        application_server: str = "",
    ) -> None:
        super().__init__(clock, lives=lives, faults=faults)
        self.application_server = application_server
        self.messages: list[tuple[str, Mapping[str, str], Any]] = []
        """Every message that was taken over: whose browser's, the headers, and the payload as it was read."""
        self._numbers_of_messages = count(1)

    @classmethod
    def subscription(cls, browser: str) -> str:
        """What the browser of this name gives to a page: the address to write to, without its scheme."""
        keys = {
            "p256dh": _base64url(point_of(_key(browser).public_key())),
            "auth": _base64url(_auth(browser)),
        }
        return json.dumps({"endpoint": f"{cls.base_url}{cls.path}{browser}", "keys": keys})

    async def answer(self, request: Request) -> Response:
        if request.method != "POST" or not request.url.path.startswith(self.path):
            return Response(status_code=404)
        browser, body = request.url.path.removeprefix(self.path), await request.body()
        address = self.subscription(browser)
        wrong = self._wrong_with(request, body) or self.lives(address).refused
        if wrong in EXPRESSES:
            return self.says(wrong)
        try:
            payload = json.loads(decrypt(body, _key(browser), _auth(browser)))
        except ValueError:
            # A real service cannot see it and the browser would drop the message.
            return self.says(Reason.REQUEST_INVALID)
        provider_id = f"{self.base_url}/message/{next(self._numbers_of_messages):016x}"
        self.take(provider_id, address)
        self.messages.append((browser, dict(request.headers), payload))
        return Response(status_code=201, headers={"location": provider_id})

    def _wrong_with(self, request: Request, body: bytes) -> Reason | None:
        headers = request.headers
        if not headers.get("ttl", "").isdecimal() or headers.get("content-encoding") != "aes128gcm":
            return Reason.REQUEST_INVALID
        if headers.get("urgency", "normal") not in ("very-low", "low", "normal", "high"):
            return Reason.REQUEST_INVALID
        if len(headers.get("topic", "")) > 32:
            return Reason.REQUEST_INVALID
        if len(body) > _LARGEST_BODY:
            return Reason.CONTENT_INVALID
        return self._wrong_with_sender(headers.get("authorization", ""))

    def _wrong_with_sender(self, authorization: str) -> Reason | None:
        import jwt

        try:
            fields = dict(part.split("=", 1) for part in authorization.removeprefix("vapid ").split(", "))
            point = base64.urlsafe_b64decode(fields["k"] + "==")
            key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
            # The clock is ours, not the machine's.
            claims = jwt.decode(
                fields["t"],
                key,
                ["ES256"],
                audience=self.base_url,
                options={"verify_exp": False, "require": ["aud", "exp", "sub"]},
            )
        except (ValueError, KeyError, jwt.InvalidTokenError):
            return Reason.AUTH_FAILED
        if not 0 < claims["exp"] - self.clock() // 1000 <= _LONGEST_TOKEN_SECONDS:
            return Reason.AUTH_FAILED
        if not str(claims["sub"]).startswith(("mailto:", "https://")):
            return Reason.AUTH_FAILED
        is_ours = not self.application_server or fields["k"] == self.application_server
        return None if is_ours else Reason.SENDER_INVALID

    def says(self, reason: Reason) -> Response:
        """A refusal as this service words it."""
        texts = {
            Reason.INVALID_RECIPIENT: "push subscription has unsubscribed or expired.\n",
            Reason.AUTH_FAILED: "invalid JWT provided\n",
            Reason.SENDER_INVALID: (
                "the VAPID credentials in the authorization header do not correspond to the credentials "
                "used to create the subscriptions.\n"
            ),
        }
        return self.refusal(reason, texts.get(reason, ""), "text/plain")

    def refusal(self, reason: Reason, body: str, media_type: str) -> Response:
        headers = {"retry-after": "30"} if reason in (Reason.RATE_LIMITED, Reason.PROVIDER_ERROR) else None
        return Response(body, _STATUSES[reason], headers, media_type)


class FakeAutopush(FakeWebPush):
    """Mozilla's push service."""

    base_url = "https://updates.push.services.mozilla.com"
    path = "/wpush/v2/"

    def says(self, reason: Reason) -> Response:
        errno = {
            Reason.INVALID_RECIPIENT: 106,
            Reason.REQUEST_INVALID: 111,
            Reason.AUTH_FAILED: 109,
            Reason.SENDER_INVALID: 109,
            Reason.CONTENT_INVALID: 104,
            Reason.RATE_LIMITED: 201,
            Reason.PROVIDER_ERROR: 201,
        }[reason]
        status = 401 if errno == 109 else _STATUSES[reason]
        response = self.refusal(reason, json.dumps({"code": status, "errno": errno}), "application/json")
        response.status_code = status
        return response


class FakeApplePush(FakeWebPush):
    """Apple's push service for Safari."""

    base_url = "https://web.push.apple.com"
    path = "/Q"

    def says(self, reason: Reason) -> Response:
        word = {
            Reason.INVALID_RECIPIENT: "Unregistered",
            Reason.REQUEST_INVALID: "BadWebPushRequest",
            Reason.AUTH_FAILED: "BadJwtToken",
            Reason.SENDER_INVALID: "VapidPkHashMismatch",
            Reason.CONTENT_INVALID: "PayloadTooLarge",
            Reason.RATE_LIMITED: "TooManyRequests",
            Reason.PROVIDER_ERROR: "ServiceUnavailable",
        }[reason]
        return self.refusal(reason, json.dumps({"reason": word}), "application/json")


@cache
def _key(browser: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(
        int.from_bytes(sha256(browser.encode()).digest()[:31], "big"), ec.SECP256R1()
    )


def _auth(browser: str) -> bytes:
    return sha256(b"auth\0" + browser.encode()).digest()[:16]


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
