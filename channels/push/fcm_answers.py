"""Reading FCM's answers.

One status (INVALID_ARGUMENT) stands for a dead token and for a mistake of ours alike, so the details decide:
the error code of FCM itself, and the field that is complained about.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from channels import codes
from channels.answers import objects, said_in
from channels.contract import Accepted, Deferred, Instant, Outcome, Rejected, Unknown
from channels.http import LONGEST_TEXT, outcome_of_status, retry_after
from channels.reasons import Reason

if TYPE_CHECKING:
    import httpx

QUOTA_PAUSE_SECONDS = 60
"""What Google asks for where it names no time of its own."""


def outcome_of(response: httpx.Response, now: Instant) -> Outcome:
    answer = said_in(response)
    if response.status_code == 200:
        name = str(answer.get("name") or "").rpartition("/")[2]
        return Accepted(name) if name else Unknown(code="200", text=response.text[:LONGEST_TEXT])
    error = answer.get("error")
    if not isinstance(error, dict) or not (code := _code(error)):
        return outcome_of_status(response, now)
    text = str(error.get("message") or "")[:LONGEST_TEXT]
    if response.status_code in (502, 504):
        return outcome_of_status(response, now, code=code, text=text)
    reason = codes.load("channels.push", "fcm_codes.csv").reason(code)
    if reason is Reason.RATE_LIMITED:
        return Deferred(retry_after(response, now, QUOTA_PAUSE_SECONDS), reason, code, text)
    if reason is Reason.PROVIDER_ERROR:
        return Deferred(retry_after(response, now), reason, code, text)
    return Rejected(reason, code, text)


def is_about_our_token(response: httpx.Response) -> bool:
    """Whether our access token was refused, and not Firebase's own credentials at Apple or a browser."""
    if response.status_code != 401:
        return False
    error = said_in(response).get("error")
    return not (isinstance(error, dict) and _code(error) == "THIRD_PARTY_AUTH_ERROR")


def _code(error: Mapping[str, Any]) -> str:
    """FCM's own code, else the status; with the field where one is named."""
    details = objects(error.get("details"))
    fcm = [str(one["errorCode"]) for one in _of_type(details, "FcmError") if one.get("errorCode")]
    code = fcm[0] if fcm else str(error.get("status") or "")
    if code != "INVALID_ARGUMENT":
        return code
    fields = [
        str(violation.get("field") or "")
        for one in _of_type(details, "BadRequest")
        for violation in objects(one.get("fieldViolations"))
    ]
    if not any(fields) and "registration token" in str(error.get("message")).lower():
        fields = ["message.token"]
    return f"{code} {fields[0]}" if fields and fields[0] else code


def _of_type(details: list[dict[str, Any]], name: str) -> Iterator[dict[str, Any]]:
    return (one for one in details if str(one.get("@type")).endswith(f".{name}"))
