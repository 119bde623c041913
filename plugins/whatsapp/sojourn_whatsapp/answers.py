"""What Meta answers to a message, and what its error codes mean."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from channels import Accepted, Deferred, Instant, Outcome, Reason, Rejected, Unknown
from channels.answers import said_in
from channels.codes import CodeTable, load
from channels.http import outcome_of_status, retry_after

if TYPE_CHECKING:
    import httpx

LONGEST_TEXT = 500

_PAUSES = {
    "130429": 1,
    # One message in six seconds to one person is what the pair may do in the long run.
    "131056": 6,
    "131057": 60,
    "4": 5 * 60,
    "80007": 5 * 60,
    "131048": 60 * 60,
}
"""Seconds before another attempt makes sense, where Meta itself names no time."""

_GATEWAYS = (502, 504)
"""Somebody on the way answered in Meta's place: whatever it says, the message may have gone on."""

_USAGE = "x-business-use-case-usage"
_MINUTE = 60_000
_LONGEST_WAIT = 24 * 60
"""Minutes; whoever names more is not believed."""


def outcome_of(answer: httpx.Response, now: Instant) -> Outcome:
    """What an answer says of the message: its error code first, its status where there is none."""
    told = said_in(answer)
    if answer.is_success:
        return _taken(told, answer.text[:LONGEST_TEXT])
    error = told.get("error")
    if not isinstance(error, dict) or not isinstance(error.get("code"), int):
        return outcome_of_status(answer, now)
    code, text = str(error["code"]), text_of(error)
    if answer.status_code in _GATEWAYS:
        return Unknown(code=code, text=text)
    reason = reason_of(code)
    if reason is Reason.UNKNOWN:
        return _unlisted(answer, error, now, code, text)
    if reason in (Reason.RATE_LIMITED, Reason.PROVIDER_ERROR):
        return Deferred(_retry_at(answer, code, now), reason, code, text)
    return Rejected(reason, code, text)


def _taken(told: Mapping[str, Any], text: str) -> Outcome:
    messages = told.get("messages")
    first = messages[0] if isinstance(messages, list) and messages else None
    named = first.get("id") if isinstance(first, dict) else None
    if not isinstance(first, dict) or not isinstance(named, str) or not named:
        return Unknown(text=text)
    status = first.get("message_status")
    # A new template may be held for an assessment; it is sent afterwards, or fails in a callback.
    return Accepted(named, status[:LONGEST_TEXT] if isinstance(status, str) else "")


def _unlisted(
    answer: httpx.Response, error: Mapping[str, Any], now: Instant, code: str, text: str
) -> Outcome:
    if error.get("is_transient") is True:
        return Deferred(retry_after(answer, now), Reason.PROVIDER_ERROR, code, text)
    if answer.status_code == 400:
        return Rejected(Reason.UNKNOWN, code, text)
    return outcome_of_status(answer, now, code=code, text=text)


def _retry_at(answer: httpx.Response, code: str, now: Instant) -> Instant:
    named = retry_after(answer, now, default_seconds=_PAUSES.get(code, 0))
    return max(named, now + _minutes_to_wait(answer) * _MINUTE)


def _minutes_to_wait(answer: httpx.Response) -> int:
    """The longest of the waits in the header in which Meta tells how much of each limit is used."""
    try:
        accounts = json.loads(answer.headers.get(_USAGE, "{}"))
    except (ValueError, RecursionError):
        return 0
    listed = accounts.values() if isinstance(accounts, dict) else []
    uses = [
        use for account in listed if isinstance(account, list) for use in account if isinstance(use, dict)
    ]
    waits = [use.get("estimated_time_to_regain_access") for use in uses]
    return max((one for one in waits if isinstance(one, int) and 0 < one <= _LONGEST_WAIT), default=0)


def reason_of(code: str) -> Reason:
    """The reason of one of Meta's codes."""
    # All of 200 to 299 are permissions; a prefix would take longer codes with it.
    if len(code) == 3 and code.startswith("2") and code.isdecimal():
        return Reason.AUTH_FAILED
    return codes().reason(code)


def text_of(error: Mapping[str, Any]) -> str:
    """An error in Meta's words: its message and, where there are any, the details that say more."""
    data = error.get("error_data")
    details = data.get("details") if isinstance(data, dict) else None
    words = [error.get("message") or error.get("title"), details]
    told = list(dict.fromkeys(one for one in words if isinstance(one, str) and one))
    return " — ".join(told)[:LONGEST_TEXT]


def codes() -> CodeTable:
    return load("sojourn_whatsapp", "whatsapp_cloud_codes.csv")
