"""A Biz Message service at Naver Cloud SENS: its settings, asking it, and how it says no."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from channels.answers import an_object, said_in
from channels.codes import load
from channels.contract import Accepted, Deferred, Instant, Outcome, Rejected, Tools, Unknown
from channels.http import exchange, outcome_of_status
from channels.kakao.batches import Answer
from channels.kakao.sens_auth import headers
from channels.reasons import Reason

if TYPE_CHECKING:
    import httpx

ACCEPTED = "A000"
"""SENS took a message over."""
CONSOLE = "Naver Cloud's console (Simple & Easy Notification Service > Biz Message)"
NO_PROFILE = (
    f"The connection has no channel yet: register one in {CONSOLE} > AlimTalk Channel, and enter its @name."
)


class SensSettings(BaseModel):
    """The Biz Message service at Naver Cloud, and the channel that the messages come from."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    access_key: SecretStr = Field(min_length=1)
    secret_key: SecretStr = Field(min_length=1)
    service_id: str = Field(min_length=1, max_length=200, description="ncp:kkobizmsg:kr:…")
    channel_id: str = Field(
        "",
        max_length=31,
        pattern=r"^(@.+)?$",
        description="@name of the channel. Nothing is sent while it is empty.",
    )
    base_url: str = Field("https://sens.apigw.ntruss.com", pattern=r"^https?://")


async def ask(
    settings: SensSettings,
    tools: Tools,
    method: str,
    path: str,
    *,
    api: str = "alimtalk",
    query: dict[str, Any] | None = None,
    **request: Any,
) -> httpx.Response | Deferred | Unknown:
    """One request to an API of SENS, signed. `request` is what `httpx.AsyncClient.request` takes."""
    target = f"/{api}/v2/services/{quote(settings.service_id, safe=':')}{path}"
    # Encoded here and not by the client: the signature covers the query as it travels.
    target += f"?{urlencode(query, quote_via=quote, safe='')}" if query else ""
    keys = settings.access_key.get_secret_value(), settings.secret_key.get_secret_value()
    signed = headers(*keys, method, target, tools.clock())
    return await exchange(tools, method, settings.base_url.rstrip("/") + target, headers=signed, **request)


def refusal(answer: httpx.Response, now: Instant) -> Outcome:
    """The gateway wraps its errors; SENS itself tells status and text beside each other."""
    said = said_in(answer)
    by_gateway = an_object(said.get("error"))
    error = by_gateway or said
    code = str(error.get("errorCode") or error.get("status") or "")
    text = str(error.get("message") or error.get("errorMessage") or "")
    outcome = outcome_of_status(answer, now, code=code, text=text)
    table = load("channels.kakao", "sens_codes.csv")
    if by_gateway and isinstance(outcome, Rejected) and table.knows(code):
        return replace(outcome, reason=table.reason(code))
    return outcome


def outcomes(numbers: Sequence[str], told: list[dict[str, Any]], reason: Callable[[str], Reason]) -> Answer:
    """One outcome for each number, in SENS's own order; by number where it says less than it was asked.

    `reason` is what a code of KakaoTalk's means.
    """
    left = list(told)
    found: list[Outcome] = []
    for number in numbers:
        one = next((one for one in left if one.get("to") == number), None)
        if one is None:
            found.append(Unknown(text="SENS's answer says nothing of this message."))
        else:
            left.remove(one)
            found.append(_outcome(one, reason))
    return found


def _outcome(one: dict[str, Any], reason: Callable[[str], Reason]) -> Outcome:
    code, text = str(one.get("requestStatusCode") or ""), str(one.get("requestStatusDesc") or "")
    if code == ACCEPTED and one.get("messageId"):
        return Accepted(str(one["messageId"]), code, text)
    return Rejected(reason(code), code, text) if code else Unknown(text=text)
