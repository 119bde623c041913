"""Access tokens for Google's APIs: a service account signs a claim, and Google answers with a token.

One token serves all senders of a connection. It is fetched once however many wait for it, and anew shortly
before it ends. Nothing of a message has left while a token is being fetched.
"""

from __future__ import annotations

import asyncio
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from channels import codes
from channels.answers import said_in
from channels.contract import Deferred, Instant, Rejected, Tools, Unknown
from channels.http import LONGEST_TEXT, exchange, retry_after
from channels.reasons import Reason

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
CLAIM_LIVES_SECONDS = 3600
REFRESH_BEFORE_SECONDS = 300
_SECOND = 1000


class ServiceAccount(BaseModel):
    """The JSON file that Google hands out for a service account, as far as it matters here."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    type: str = Field(pattern="^service_account$")
    project_id: str = Field(min_length=1, max_length=100)
    client_email: str = Field(min_length=3, max_length=320)
    private_key: SecretStr
    private_key_id: str = ""
    token_uri: str = Field("https://oauth2.googleapis.com/token", pattern="^https?://")


class AccessToken:
    """The current token of one service account for one scope."""

    def __init__(self, account: ServiceAccount, scope: str, tools: Tools) -> None:
        self._account, self._scope, self._tools = account, scope, tools
        self._token = ""
        self._refresh_at: Instant = 0
        self._ends_at: Instant = 0
        self._refreshing: asyncio.Task[str | Rejected | Deferred] | None = None

    async def get(self) -> str | Rejected | Deferred:
        """A token that is good for now, or why a message cannot be sent: nothing of it has left."""
        if self._tools.clock() < self._refresh_at:
            return self._token
        if self._refreshing is None:
            self._refreshing = asyncio.create_task(self._refresh())
            self._refreshing.add_done_callback(self._done)
        # Who gives up waiting does not take the token from the others.
        got = await asyncio.shield(self._refreshing)
        if isinstance(got, Deferred) and self._tools.clock() < self._ends_at:
            return self._token
        return got

    def forget(self, token: str) -> None:
        """Google refused this one; `get` fetches another. Nothing happens if it was replaced meanwhile."""
        if token == self._token:
            self._refresh_at = self._ends_at = 0

    async def aclose(self) -> None:
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.wait([self._refreshing])

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._refreshing = None

    async def _refresh(self) -> str | Rejected | Deferred:
        now = self._tools.clock()
        try:
            claim = self._claim(now)
        except ValueError:
            # The library's own words may repeat parts of the key.
            return Rejected(Reason.AUTH_FAILED, text="the private key of the service account cannot be read")
        form = {"grant_type": GRANT_TYPE, "assertion": claim}
        response = await exchange(self._tools, "POST", self._account.token_uri, data=form)
        if isinstance(response, Unknown):
            return Deferred(self._tools.clock(), Reason.PROVIDER_ERROR, response.code, response.text)
        if isinstance(response, Deferred):
            return response
        answer = said_in(response)
        if response.status_code == 200 and isinstance(answer.get("access_token"), str):
            return self._keep(answer["access_token"], answer.get("expires_in"), now)
        return self._refused(response, answer)

    def _keep(self, token: str, lives: Any, now: Instant) -> str:
        seconds = int(lives) if isinstance(lives, int | float) else CLAIM_LIVES_SECONDS
        self._token = token
        self._ends_at = now + seconds * _SECOND
        self._refresh_at = self._ends_at - min(REFRESH_BEFORE_SECONDS, seconds // 2) * _SECOND
        return token

    def _refused(self, response: Any, answer: dict[str, Any]) -> Rejected | Deferred:
        now = self._tools.clock()
        code = str(answer.get("error") or response.status_code)
        text = str(answer.get("error_description") or response.text)[:LONGEST_TEXT]
        if response.status_code == 429 or response.status_code >= 500:
            reason = Reason.RATE_LIMITED if response.status_code == 429 else Reason.PROVIDER_ERROR
            return Deferred(retry_after(response, now), reason, code, text)
        table = codes.load("channels.push", "fcm_codes.csv")
        return Rejected(table.reason(code, Reason.AUTH_FAILED), code, text)

    def _claim(self, now: Instant) -> str:
        """Raises ValueError if the key is none."""
        import jwt
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        account = self._account
        claims = {
            "iss": account.client_email,
            "scope": self._scope,
            "aud": account.token_uri,
            "iat": now // _SECOND,
            "exp": now // _SECOND + CLAIM_LIVES_SECONDS,
        }
        headers = {"kid": account.private_key_id} if account.private_key_id else None
        pem = account.private_key.get_secret_value().encode()
        try:
            # Its arithmetic was checked with the settings; doing it again would hold up the loop for 50 ms.
            key = load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True)
        except (TypeError, UnsupportedAlgorithm) as error:
            raise ValueError("not a private key in PEM") from error
        if not isinstance(key, RSAPrivateKey):
            raise ValueError("not an RSA key")
        return jwt.encode(claims, key, "RS256", headers)
