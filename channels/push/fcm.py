"""Push through Firebase Cloud Messaging (HTTP v1): Android, and apps and browsers registered with Firebase.

FCM says whether it took a message over, and nothing after that: not whether it arrived, was shown or opened.
Our reference travels in the data as `sojourn_message`, so that an app can report what happened.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from channels.codes import load
from channels.contract import (
    CONTRACT_VERSION,
    Accepted,
    AnyChannel,
    BaseChannel,
    Capabilities,
    Deferred,
    Message,
    OnUnknown,
    Outcome,
    Problem,
    Rejected,
    Tools,
    Unknown,
)
from channels.hookspecs import hookimpl
from channels.http import exchange
from channels.options import options_of
from channels.push.fcm_answers import is_about_our_token, outcome_of
from channels.push.google_token import AccessToken, ServiceAccount
from channels.push.options import (
    CONTENT,
    OUR_REFERENCE,
    expired,
    filled,
    laid_over,
    seconds,
    seconds_left,
)
from channels.reasons import Reason

if TYPE_CHECKING:
    import httpx

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
LARGEST_PAYLOAD = 4096
LONGEST_TTL_SECONDS = 28 * 24 * 3600
_RESERVED = ("google.", "gcm.notification.")


class FcmSettings(BaseModel):
    """Whose messages they are: the key file of a service account that may send."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    service_account: SecretStr = Field(
        description="The JSON key file of a service account with the role Firebase Cloud Messaging API Admin."
    )
    project_id: str = Field(
        "", pattern=r"^[a-z0-9:.-]{0,100}$", description="The Firebase project; the account's own when empty."
    )
    base_url: str = Field("https://fcm.googleapis.com", pattern=r"^https?://[^/]+$")

    def account(self) -> ServiceAccount:
        """Raises pydantic's ValidationError, which repeats nothing of the file."""
        return ServiceAccount.model_validate_json(self.service_account.get_secret_value())


class FcmOptions(BaseModel):
    """What only FCM understands. The last three go to FCM as they are, over what we filled in."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    data: dict[str, str] = Field(
        {}, description="For the app. Keys that Google keeps for itself are refused."
    )
    data_only: bool = Field(False, description="Title and text go into the data, and the app shows them.")
    collapse_key: str | None = Field(None, max_length=64, description="A later message replaces the earlier.")
    priority: Literal["high", "normal"] | None = None
    analytics_label: str | None = Field(None, pattern=r"^[a-zA-Z0-9\-_.~%]{1,50}$")
    android: dict[str, Any] = {}
    apns: dict[str, Any] = {}
    webpush: dict[str, Any] = {}

    @field_validator("data")
    @classmethod
    def _is_free(cls, data: dict[str, str]) -> dict[str, str]:
        taken = [key for key in data if key in ("from", "message_type") or key.startswith(_RESERVED)]
        if taken:
            raise ValueError(f"the keys {', '.join(taken)} are kept by Google: rename them")
        return data


class FcmSender:
    """Sends with one service account."""

    def __init__(self, settings: FcmSettings, tools: Tools) -> None:
        self._tools = tools
        self._token: AccessToken | None = None
        try:
            account = settings.account()
        except ValidationError:
            return
        self._token = AccessToken(account, SCOPE, tools)
        project = settings.project_id or account.project_id
        self._url = f"{settings.base_url}/v1/projects/{project}/messages:send"

    async def send(self, message: Message) -> Outcome:
        options = options_of(FcmOptions, message)
        if isinstance(options, Rejected):
            return options
        body = body_of(message, options)
        if too_late := expired(message):
            return too_late
        if (size := payload_size(body)) > LARGEST_PAYLOAD:
            told = f"notification and data are {size} bytes, FCM takes {LARGEST_PAYLOAD}"
            return Rejected(Reason.CONTENT_INVALID, "PAYLOAD_TOO_LARGE", told)
        return await self.post({"message": body})

    async def post(self, request: Mapping[str, Any]) -> Outcome:
        """Hands over one request; once more with a new access token if it was the token that was refused."""
        if self._token is None:
            return Rejected(Reason.AUTH_FAILED, text="the key file of the service account cannot be read")
        answered = await self._post_with(await self._token.get(), request)
        if isinstance(answered, tuple) and is_about_our_token(answered[1]):
            self._token.forget(answered[0])
            answered = await self._post_with(await self._token.get(), request)
        return outcome_of(answered[1], self._tools.clock()) if isinstance(answered, tuple) else answered

    async def _post_with(
        self, token: str | Rejected | Deferred, request: Mapping[str, Any]
    ) -> tuple[str, httpx.Response] | Rejected | Deferred | Unknown:
        if not isinstance(token, str):
            return token
        # Not httpx's own JSON: that cannot encode a lone half of a surrogate pair.
        body = json.dumps(request, separators=(",", ":")).encode()
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        response = await exchange(self._tools, "POST", self._url, content=body, headers=headers)
        return response if isinstance(response, Deferred | Unknown) else (token, response)

    async def aclose(self) -> None:
        if self._token is not None:
            await self._token.aclose()


def body_of(message: Message, options: FcmOptions) -> dict[str, Any]:
    """The `message` of FCM's API."""
    content = message.content
    shown = filled(title=content.get("title"), body=content.get("text"), image=content.get("image_url"))
    data = {**options.data, **filled(url=content.get("url")), OUR_REFERENCE: message.reference}
    ttl = seconds_left(message, LONGEST_TTL_SECONDS)
    link = content.get("url", "") if content.get("url", "").startswith("https://") else ""
    high, label = options.priority == "high", options.analytics_label
    android = filled(
        ttl=None if ttl is None else f"{ttl}s",
        collapse_key=options.collapse_key,
        priority=options.priority and options.priority.upper(),
    )
    apns = {
        "apns-expiration": None if message.expires_at is None else str(seconds(message.expires_at)),
        "apns-collapse-id": options.collapse_key,
        "apns-priority": options.priority and ("10" if high else "5"),
    }
    webpush = {"TTL": None if ttl is None else str(ttl), "Urgency": options.priority}
    return filled(
        token=message.to,
        notification={} if options.data_only else shown,
        data={**shown, **data} if options.data_only else data,
        android=laid_over(android, options.android),
        apns=laid_over(filled(headers=filled(**apns)), options.apns),
        webpush=laid_over(
            filled(headers=filled(**webpush), fcm_options=filled(link=link)),
            options.webpush,
        ),
        fcm_options=filled(analytics_label=label),
    )


def payload_size(body: Mapping[str, Any]) -> int:
    """Bytes of keys and values in notification and data, as FCM counts them."""
    parts = [*body.get("notification", {}).items(), *body.get("data", {}).items()]
    return sum(len(text.encode("utf-8", "surrogatepass")) for pair in parts for text in pair)


class FcmChannel(BaseChannel[FcmSettings]):
    """Push through one Firebase project."""

    key = "fcm"
    channel = "push"
    title = "Push through Firebase (FCM)"
    contract_version = CONTRACT_VERSION
    settings = FcmSettings
    options: type[BaseModel] | None = FcmOptions
    capabilities = Capabilities(
        content=CONTENT,
        on_unknown=OnUnknown.NEVER_RESEND,
        rate_per_second=10_000,
        address_scheme="fcm:",
        media=frozenset({"image/png", "image/jpeg"}),
    )

    def reason_of(self, code: str) -> Reason | None:
        return load("channels.push", "fcm_codes.csv").listed(code)

    def problems(self, settings: FcmSettings) -> list[Problem]:
        try:
            account = settings.account()
        except ValidationError as error:
            wrong = ", ".join(
                ".".join(map(str, one["loc"])) or "no JSON" for one in error.errors(include_input=False)
            )
            told = f"is not the JSON key file of a service account ({wrong}): paste the whole file"
            return [Problem("service_account", told)]
        if not _is_rsa(account.private_key.get_secret_value()):
            return [Problem("service_account", "has no private RSA key in private_key: paste the whole file")]
        return []

    async def probe(self, settings: FcmSettings, tools: Tools) -> list[Problem]:
        if found := self.problems(settings):
            return found
        sender = self.open(settings, tools)
        # Only validated, and to a token that nobody has.
        nobody = {"message": {"token": "nobody", "notification": {"body": "?"}}, "validate_only": True}
        outcome = await sender.post(nobody)
        await sender.aclose()
        if isinstance(outcome, Accepted) or (
            isinstance(outcome, Rejected) and outcome.reason is Reason.INVALID_RECIPIENT
        ):
            return []
        path = "project_id" if outcome.code in ("PERMISSION_DENIED", "NOT_FOUND") else "service_account"
        is_theirs = isinstance(outcome, Rejected)
        return [Problem(path if is_theirs else "", f"FCM answered {outcome.code}: {outcome.text}")]

    def open(self, settings: FcmSettings, tools: Tools) -> FcmSender:
        return FcmSender(settings, tools)


def _is_rsa(pem: str) -> bool:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return isinstance(load_pem_private_key(pem.encode(), None), RSAPrivateKey)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False


@hookimpl
def register_channels() -> Iterable[AnyChannel]:
    return [FcmChannel()]
