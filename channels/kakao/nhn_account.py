"""An account at NHN Cloud KakaoTalk Bizmessage: its settings, asking it, and who calls back for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from channels.answers import an_object, said_in
from channels.contract import Callback, Deferred, Instant, Problem, Refused, Tools, Unknown, Verified
from channels.http import exchange
from channels.kakao.nhn_results import reason_of
from channels.kakao.proof import is_one_of
from channels.reasons import Reason

if TYPE_CHECKING:
    import httpx

ALIMTALK = "/alimtalk/v2.3/appkeys/"
BRAND = "/brand-message/v1.0/appkeys/"
NO_PROFILE = (
    "The connection has no sender profile yet: register one at its desk, or enter the sender key of one that "
    "NHN Cloud knows already."
)


class NhnAccount(BaseModel):
    """The app at NHN Cloud, and the sender profile that the messages come from."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    app_key: str = Field(pattern=r"^[A-Za-z0-9_-]+$", description="Of the product KakaoTalk Bizmessage.")
    secret_key: SecretStr = Field(min_length=1)
    sender_key: str = Field(
        "",
        max_length=40,
        description="Of the sender profile, 40 characters. Nothing is sent while it is empty.",
    )
    signing_secret: SecretStr = Field(
        SecretStr(""), description="The signature that was entered with the webhook. Empty: no webhook."
    )
    previous_signing_secret: SecretStr = Field(SecretStr(""), description="Still good while it is changed.")
    base_url: str = Field("https://kakaotalk-bizmessage.api.nhncloudservice.com", pattern=r"^https?://")


async def ask(
    account: NhnAccount,
    tools: Tools,
    method: str,
    path: str,
    *,
    root: str = ALIMTALK,
    headers: dict[str, str] | None = None,
    **request: Any,
) -> httpx.Response | Deferred | Unknown:
    """One request below the app's own address. `request` is what `httpx.AsyncClient.request` takes."""
    url = f"{account.base_url.rstrip('/')}{root}{account.app_key}{path}"
    secret = {"x-secret-key": account.secret_key.get_secret_value()}
    return await exchange(tools, method, url, headers={**secret, **(headers or {})}, **request)


def code_of(said: dict[str, Any]) -> tuple[str, str]:
    """NHN's code and text of an answer; 0 is good, and an empty code is no answer of NHN's."""
    header = an_object(said.get("header"))
    return str(header.get("resultCode", "")), str(header.get("resultMessage") or "")


def lacking(account: NhnAccount) -> list[Problem]:
    """What keeps the connection from sending, seen without asking."""
    return [] if account.sender_key else [Problem("sender_key", NO_PROFILE)]


async def probed(account: NhnAccount, tools: Tools, root: str = ALIMTALK) -> list[Problem]:
    """What NHN says is wrong with the account and its profile."""
    if found := lacking(account):
        return found
    answer = await ask(account, tools, "GET", f"/senders/{quote(account.sender_key, safe='')}", root=root)
    if isinstance(answer, Deferred | Unknown):
        return [Problem("base_url", f"NHN Cloud cannot be reached: {answer.text}")]
    code, text = code_of(said_in(answer))
    if code == "0":
        return []
    path = "sender_key" if reason_of(code) is Reason.SENDER_INVALID else "secret_key"
    return [Problem(path, f"NHN Cloud refuses: {code or answer.status_code} {text}"[:500].rstrip())]


def verified(account: NhnAccount, callback: Callback, now: Instant) -> Verified | Refused:
    """Whether a callback has the word that was entered with the webhook."""
    secrets = (account.signing_secret, account.previous_signing_secret)
    expected = [one.get_secret_value() for one in secrets]
    if is_one_of(callback.headers.get("x-toast-webhook-signature", ""), expected):
        return Verified(callback, now)
    return Refused("x-toast-webhook-signature is missing or wrong, or signing_secret is not set")
