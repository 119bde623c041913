"""Google's token endpoint, as service accounts see it."""

import base64
import binascii
import json
from collections.abc import Callable
from functools import cache
from itertools import count
from typing import Any
from urllib.parse import parse_qs

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from channels.contract import Instant
from channels.testing.providers.base import FakeProvider

_LONGEST_CLAIM_SECONDS = 3600


@cache
def a_service_account(project_id: str = "a-shop") -> str:
    """The JSON key file of a new service account; the same one for the life of this process."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return json.dumps(
        {
            "type": "service_account",
            "project_id": project_id,
            "private_key_id": "0123456789abcdef",
            "private_key": pem.decode(),
            "client_email": f"sender@{project_id}.iam.gserviceaccount.com",
            "token_uri": "https://oauth2.googleapis.com/token",
        }
    )


class FakeGoogleAccounts(FakeProvider):
    """Knows one service account, checks its signed claims and hands out tokens that end."""

    base_url = "https://oauth2.googleapis.com"

    def __init__(
        self, clock: Callable[[], Instant], service_account: str, *, lives_seconds: int = 3600
    ) -> None:
        super().__init__(clock)
        self.account = json.loads(service_account)
        self.lives_seconds = lives_seconds
        self.tokens: dict[str, Instant] = {}
        """Every token that was handed out, and when it ends."""
        self._numbers_of_tokens = count(1)

    async def answer(self, request: Request) -> Response:
        form = parse_qs((await request.body()).decode())
        if form.get("grant_type") != ["urn:ietf:params:oauth:grant-type:jwt-bearer"]:
            return _no("unsupported_grant_type", "Invalid grant_type")
        why_not = self._why_not(form.get("assertion", [""])[0])
        if why_not:
            return _no("invalid_grant", why_not)
        token = f"ya29.{next(self._numbers_of_tokens)}"
        self.tokens[token] = self.clock() + self.lives_seconds * 1000
        return JSONResponse({"access_token": token, "expires_in": self.lives_seconds, "token_type": "Bearer"})

    def knows(self, authorization: str) -> bool:
        """Whether a request with this header comes from the account."""
        kind, _, token = authorization.partition(" ")
        return kind == "Bearer" and self.clock() < self.tokens.get(token, -1)

    def revoke_all(self) -> None:
        self.tokens.clear()

    def _why_not(self, assertion: str) -> str:
        head, _, rest = assertion.partition(".")
        body, _, signature = rest.partition(".")
        try:
            header, claims, signed = _json(head), _json(body), _bytes(signature)
        except (ValueError, binascii.Error):
            return "Bad Request"
        if header.get("alg") != "RS256" or not self._signed(signed, f"{head}.{body}"):
            return "Invalid JWT Signature."
        now = self.clock() // 1000
        issued, ends = claims.get("iat", 0), claims.get("exp", 0)
        if not (issued - 60 <= now < ends <= issued + _LONGEST_CLAIM_SECONDS):
            return "Invalid JWT: Token must be a short-lived token and in a reasonable timeframe."
        wanted = (self.account["client_email"], self.account["token_uri"])
        if (claims.get("iss"), claims.get("aud")) != wanted or not claims.get("scope"):
            return "Invalid JWT: Failed audience check."
        return ""

    def _signed(self, signature: bytes, text: str) -> bool:
        try:
            _public_key(self.account["private_key"]).verify(
                signature, text.encode(), padding.PKCS1v15(), hashes.SHA256()
            )
        except InvalidSignature:
            return False
        return True


@cache
def _public_key(private_pem: str) -> rsa.RSAPublicKey:
    private = serialization.load_pem_private_key(private_pem.encode(), None)
    assert isinstance(private, rsa.RSAPrivateKey)
    return private.public_key()


def _no(error: str, why: str) -> Response:
    return JSONResponse({"error": error, "error_description": why}, 400)


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _json(text: str) -> dict[str, Any]:
    found = json.loads(_bytes(text))
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found
