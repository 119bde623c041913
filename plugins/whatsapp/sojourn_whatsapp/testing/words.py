"""The fake's words: Meta's error codes for the misfortunes of people, and what Meta says with each."""

from typing import Any

from channels import Reason

REFUSED = {
    Reason.NOT_ON_CHANNEL: 131026,
    Reason.OPTED_OUT: 131050,
    Reason.NOT_PERMITTED: 131030,
    Reason.WINDOW_CLOSED: 131047,
    Reason.SENDER_INVALID: 133010,
    Reason.AUTH_FAILED: 190,
    Reason.ACCOUNT_BLOCKED: 368,
    Reason.TEMPLATE_UNAVAILABLE: 132001,
    Reason.TEMPLATE_MISMATCH: 132000,
    Reason.CONTENT_INVALID: 132005,
    Reason.CONTENT_REJECTED: 132007,
    Reason.REQUEST_INVALID: 131008,
    Reason.RATE_LIMITED: 131056,
    Reason.QUOTA_EXCEEDED: 131064,
    Reason.PROVIDER_ERROR: 131016,
    Reason.UNKNOWN: 135000,
}
"""Said at once. Meta has no code for the reasons that are missing."""

FAILED = {
    Reason.NOT_ON_CHANNEL: 131026,
    Reason.OPTED_OUT: 131050,
    Reason.NOT_PERMITTED: 130472,
    Reason.WINDOW_CLOSED: 131047,
    Reason.SENDER_INVALID: 131037,
    Reason.ACCOUNT_BLOCKED: 131042,
    Reason.TEMPLATE_UNAVAILABLE: 132015,
    Reason.TEMPLATE_MISMATCH: 132018,
    Reason.CONTENT_INVALID: 131053,
    Reason.CONTENT_REJECTED: 132007,
    Reason.REQUEST_INVALID: 131009,
    Reason.RATE_LIMITED: 131048,
    Reason.QUOTA_EXCEEDED: 131064,
    Reason.PROVIDER_ERROR: 131000,
    Reason.UNKNOWN: 135000,
}
"""Said later, in a status."""

NAMELESS = 135000

_STATUSES = {
    190: 401,
    368: 403,
    131030: 400,
    131016: 503,
    131000: 500,
    131026: 400,
    132001: 404,
    131056: 429,
    131064: 429,
}
_TITLES = {
    100: "Invalid parameter",
    190: "Access token has expired",
    368: "Temporarily blocked for policies violations",
    131008: "Required parameter is missing",
    131026: "Message undeliverable",
    131047: "Re-engagement message",
    131056: "(Business Account, Consumer Account) pair rate limit hit",
    132000: "Number of parameters does not match the expected number of params",
    132001: "Template name does not exist in the translation",
    132012: "Parameter format does not match format in the created template",
}


def status_of(code: int) -> int:
    """The HTTP status with which Meta answers a code."""
    return _STATUSES.get(code, 400)


def title_of(code: int) -> str:
    return _TITLES.get(code, "Message failed to send")


def error_of(code: int, details: str) -> dict[str, Any]:
    """The body of a refusal."""
    data = {"messaging_product": "whatsapp", "details": details}
    said = {"message": f"(#{code}) {title_of(code)}", "type": "OAuthException", "code": code}
    return {"error": {**said, "error_data": data, "fbtrace_id": "Az8or2yhqkZfEZ-_4Qn_Bam"}}


def failure_of(code: int) -> dict[str, Any]:
    """One of the errors in a status."""
    said = {"code": code, "title": title_of(code), "message": title_of(code)}
    data = {"details": f"The message was not delivered: {title_of(code)}"}
    return {**said, "error_data": data, "href": "/documentation/business-messaging/whatsapp/"}
