"""Apple's push service: the provider API, its checks in Apple's order, and its error strings."""

import base64
import json
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from channels.contract import Instant
from channels.reasons import Reason
from channels.testing.providers.base import FakeProvider, Fault
from channels.testing.providers.lives import Lives

_MINUTE = 60_000
_PATH = re.compile(r"/3/device/(.*)")
_DEVICE_TOKEN = re.compile(r"[0-9a-fA-F]{64,200}")
_PUSH_TYPES = (
    "alert background location voip complication fileprovider mdm liveactivity pushtotalk widgets controls"
)
_SAYS: Mapping[Reason, tuple[int, str]] = MappingProxyType(
    {
        Reason.INVALID_RECIPIENT: (410, "Unregistered"),
        Reason.SENDER_INVALID: (400, "DeviceTokenNotForTopic"),
        Reason.CONTENT_INVALID: (413, "PayloadTooLarge"),
        Reason.REQUEST_INVALID: (400, "BadCollapseId"),
        Reason.AUTH_FAILED: (403, "InvalidProviderToken"),
        Reason.RATE_LIMITED: (429, "TooManyRequests"),
        Reason.PROVIDER_ERROR: (503, "ServiceUnavailable"),
        Reason.UNKNOWN: (400, "BadMoonPhase"),
    }
)
EXPRESSES = frozenset(_SAYS)
"""The reasons that APNs can give. Any other misfortune it does not notice: it accepts and stays silent."""


@cache
def a_signing_key() -> str:
    """The text of a new .p8 file; the same one for the life of this process."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


class FakeApns(FakeProvider):
    """One app of one team. Knows devices by any token of 64 hex digits but that of zeros."""

    base_url = "https://api.push.apple.com"

    def __init__(
        self,
        clock: Callable[[], Instant],
        *,
        lives: Lives | None = None,
        faults: Iterable[Fault] = (),
        private_key: str = "",
        key_id: str = "ABC1234567",
        team_id: str = "DEF1234567",
        topic: str = "com.example.shop",
    ) -> None:
        super().__init__(clock, lives=lives, faults=faults)
        self.private_key = private_key or a_signing_key()
        self.key_id, self.team_id, self.topic = key_id, team_id, topic
        self.pushes: list[tuple[str, Mapping[str, str], dict[str, Any]]] = []
        """Device token, headers and payload of all that was taken over."""
        self.provider_tokens: dict[str, Instant] = {}
        """Every provider token that was used, and when first."""
        self.expired: set[str] = set()
        """Provider tokens that are called expired before their time."""

    async def answer(self, request: Request) -> Response:
        apns_id = request.headers.get("apns-id") or str(uuid4())
        status, reason, extra = self._judge(request, await request.body())
        headers = {"apns-id": apns_id}
        if status == 200:
            token = request.url.path.rpartition("/")[2]
            self.take(apns_id, token)
            self.pushes.append((token, dict(request.headers), json.loads(await request.body())))
            return Response(status_code=200, headers=headers)
        return JSONResponse({"reason": reason, **extra}, status, headers)

    def _judge(self, request: Request, body: bytes) -> tuple[int, str, dict[str, Any]]:
        path = _PATH.fullmatch(request.url.path)
        if path is None:
            return 404, "BadPath", {}
        if request.method != "POST":
            return 405, "MethodNotAllowed", {}
        if wrong := self._wrong_with_sender(request) or self._wrong_with_request(request, path[1], body):
            return *wrong, {}
        refused = self.lives(path[1]).refused
        if refused is None or refused not in _SAYS:
            return 200, "", {}
        gone = refused is Reason.INVALID_RECIPIENT
        return *_SAYS[refused], {"timestamp": self.clock() - _MINUTE} if gone else {}

    def _wrong_with_sender(self, request: Request) -> tuple[int, str] | None:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token:
            return 403, "MissingProviderToken"
        issued = self._issued_at(token)
        if issued is None:
            return 403, "InvalidProviderToken"
        if self.clock() - issued > 60 * _MINUTE or token in self.expired:
            return 403, "ExpiredProviderToken"
        if token not in self.provider_tokens:
            last = max(self.provider_tokens.values(), default=None)
            if last is not None and self.clock() - last < 20 * _MINUTE:
                return 429, "TooManyProviderTokenUpdates"
            self.provider_tokens[token] = self.clock()
        return None

    def _wrong_with_request(self, request: Request, device_token: str, body: bytes) -> tuple[int, str] | None:
        headers = request.headers
        if not body:
            return 400, "PayloadEmpty"
        checks: list[tuple[bool, int, str]] = [
            (len(body) <= 4096, 413, "PayloadTooLarge"),
            (_is_uuid(headers.get("apns-id", str(uuid4()))), 400, "BadMessageId"),
            (headers.get("apns-push-type", "alert") in _PUSH_TYPES.split(), 400, "InvalidPushType"),
            (headers.get("apns-priority", "10") in ("1", "5", "10"), 400, "BadPriority"),
            (headers.get("apns-expiration", "0").isdecimal(), 400, "BadExpirationDate"),
            (len(headers.get("apns-collapse-id", "")) <= 64, 400, "BadCollapseId"),
            ("apns-topic" in headers, 400, "MissingTopic"),
            (_DEVICE_TOKEN.fullmatch(device_token) is not None, 400, "BadDeviceToken"),
            (bool(device_token.strip("0")), 400, "BadDeviceToken"),
            (headers.get("apns-topic") == self.topic, 400, "DeviceTokenNotForTopic"),
        ]
        return next(((status, reason) for is_right, status, reason in checks if not is_right), None)

    def _issued_at(self, token: str) -> Instant | None:
        """When the provider token was signed; None if it is not ours."""
        try:
            head, body, signature = token.split(".")
            header, claims, signed = json.loads(_bytes(head)), json.loads(_bytes(body)), _bytes(signature)
            raw = encode_dss_signature(
                int.from_bytes(signed[:32], "big"), int.from_bytes(signed[32:64], "big")
            )
            _public_key(self.private_key).verify(raw, f"{head}.{body}".encode(), ec.ECDSA(hashes.SHA256()))
        except (ValueError, InvalidSignature):
            return None
        ours = (header.get("alg"), header.get("kid"), claims.get("iss"))
        return claims["iat"] * 1000 if ours == ("ES256", self.key_id, self.team_id) else None


@cache
def _public_key(private_pem: str) -> ec.EllipticCurvePublicKey:
    private = serialization.load_pem_private_key(private_pem.encode(), None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    return private.public_key()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
