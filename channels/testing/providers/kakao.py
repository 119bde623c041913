"""What Kakao itself says of a message: the result codes that relays hand on."""

from channels.reasons import Reason

KAKAO_CODES = {
    Reason.INVALID_RECIPIENT: "3008",
    Reason.UNREACHABLE: "3018",
    Reason.NOT_ON_CHANNEL: "3019",
    Reason.OPTED_OUT: "3020",
    Reason.NOT_PERMITTED: "2003",
    Reason.WINDOW_CLOSED: "3022",
    Reason.SENDER_INVALID: "1003",
    Reason.AUTH_FAILED: "1002",
    Reason.ACCOUNT_BLOCKED: "1025",
    Reason.TEMPLATE_UNAVAILABLE: "3015",
    Reason.TEMPLATE_MISMATCH: "3016",
    Reason.CONTENT_INVALID: "3014",
    Reason.REQUEST_INVALID: "3010",
    Reason.QUOTA_EXCEEDED: "4156",
    Reason.DUPLICATE: "4131",
    Reason.EXPIRED: "4143",
    Reason.PROVIDER_ERROR: "9999",
    Reason.OUTCOME_UNKNOWN: "3005",
}
SOMETHING_ELSE = "8999"
"""For reasons that Kakao has no code for."""
