"""Why a message was not sent, not taken or not delivered: one closed set for every channel.

An adapter chooses the reason and never the policy: what happens next is the same for every channel and is
written down once, in `POLICIES`. Imports the standard library only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class ReasonClass(StrEnum):
    """Where the cause lies."""

    RECIPIENT = "recipient"
    PERMISSION = "permission"
    SENDER = "sender"
    CONTENT = "content"
    TRANSPORT = "transport"
    INDETERMINATE = "indeterminate"


class Retry(StrEnum):
    """Whether the same message may be tried again on the same channel."""

    NEVER = "never"
    ONCE = "once"
    """One more time; for credentials after they were refreshed."""
    BOUNDED = "bounded"
    """Later, a small number of times."""
    BACKOFF = "backoff"
    """With growing pauses and jitter, and never before the provider's own Retry-After."""
    NEXT_WINDOW = "next_window"
    """When sending is next allowed."""
    AFTER_RESET = "after_reset"
    """When the quota starts anew."""


class Fallback(StrEnum):
    """Whether the message may go out another way."""

    NEVER = "never"
    YES = "yes"
    OTHER_ADDRESS = "other_address"
    OTHER_SENDER = "other_sender"
    """Through another sender or provider: the fault is with ours."""
    BY_POLICY = "by_policy"
    """Only where the project, and the purpose of the message, allow it."""
    INFORMATION_ONLY = "information_only"
    """Information, where the project allows it; advertisement never."""
    IF_IT_FITS = "if_it_fits"
    """Where the other channel can hold the content."""
    IF_STILL_USEFUL = "if_still_useful"
    AFTER_RETRIES = "after_retries"
    MUST_ARRIVE = "must_arrive"
    """Only for messages that must arrive and may arrive twice."""


class Suppress(StrEnum):
    """Whether the address is left alone from now on."""

    NO = "no"
    COUNT = "count"
    """Not yet, but repetitions are counted against it."""
    ADDRESS = "address"
    CHANNEL_FOR_A_WHILE = "channel_for_a_while"
    """The person is fine; this channel is not, for `Policy.suppress_days`."""
    PURPOSE = "purpose"
    """On this channel, for messages of this purpose."""


class Page(StrEnum):
    """Whether an operator has to hear of it."""

    NO = "no"
    YES = "yes"
    IF_SUSTAINED = "if_sustained"
    ONCE_PER_TEMPLATE = "once_per_template"


class Reason(StrEnum):
    """The closed set. The value is stored with every fact, so a reason is never renamed."""

    INVALID_RECIPIENT = "invalid_recipient"
    """Malformed address, or one that does not exist."""
    UNREACHABLE = "unreachable"
    """Cannot be reached for now: switched off, mailbox full, no signal, inactive app."""
    NOT_ON_CHANNEL = "not_on_channel"
    """A valid person without an account, or with a device that cannot."""
    OPTED_OUT = "opted_out"
    """Blocked, unsubscribed or complained."""
    NOT_PERMITTED = "not_permitted"
    """No consent, not a friend, a group or region that we may not write to."""
    WINDOW_CLOSED = "window_closed"
    """Quiet hours, a closed session window, a frequency cap."""
    SENDER_INVALID = "sender_invalid"
    """Our profile, number, domain or topic is unknown, closed or not proved to be ours."""
    AUTH_FAILED = "auth_failed"
    """The provider and we cannot prove who we are: key, password, signature, allow-list, certificate, TLS."""
    ACCOUNT_BLOCKED = "account_blocked"
    """Suspended, sanctioned, unpaid."""
    TEMPLATE_UNAVAILABLE = "template_unavailable"
    TEMPLATE_MISMATCH = "template_mismatch"
    CONTENT_INVALID = "content_invalid"
    """Too long, bad media, bad button, bad characters."""
    CONTENT_REJECTED = "content_rejected"
    """Spam filter, banned words, policy."""
    REQUEST_INVALID = "request_invalid"
    """We spoke the protocol wrongly: an error in the adapter or its settings."""
    RATE_LIMITED = "rate_limited"
    QUOTA_EXCEEDED = "quota_exceeded"
    DUPLICATE = "duplicate"
    """The provider has it already; treat it as accepted."""
    EXPIRED = "expired"
    PROVIDER_ERROR = "provider_error"
    """Down, failing inside, or not to be reached from here."""
    OUTCOME_UNKNOWN = "outcome_unknown"
    """May have been delivered: it left and no answer came."""
    UNKNOWN = "unknown"
    """A code that no map knows yet."""

    @property
    def policy(self) -> "Policy":
        return POLICIES[self]


@dataclass(frozen=True, slots=True)
class Policy:
    """What a reason allows."""

    reason_class: ReasonClass
    retry: Retry
    fallback: Fallback
    suppress: Suppress = Suppress.NO
    page: Page = Page.NO
    suppress_days: int | None = None
    """How long a suppression lasts; None is until something new is known."""


_RECIPIENT, _PERMISSION, _SENDER = ReasonClass.RECIPIENT, ReasonClass.PERMISSION, ReasonClass.SENDER
_CONTENT, _TRANSPORT, _UNCLEAR = ReasonClass.CONTENT, ReasonClass.TRANSPORT, ReasonClass.INDETERMINATE

# fmt: off
POLICIES: Mapping[Reason, Policy] = MappingProxyType({
    Reason.INVALID_RECIPIENT: Policy(_RECIPIENT, Retry.NEVER, Fallback.OTHER_ADDRESS, Suppress.ADDRESS),
    Reason.UNREACHABLE: Policy(_RECIPIENT, Retry.BOUNDED, Fallback.YES, Suppress.COUNT),
    Reason.NOT_ON_CHANNEL: Policy(
        _RECIPIENT, Retry.NEVER, Fallback.YES, Suppress.CHANNEL_FOR_A_WHILE, suppress_days=60
    ),
    Reason.OPTED_OUT: Policy(_PERMISSION, Retry.NEVER, Fallback.INFORMATION_ONLY, Suppress.PURPOSE),
    Reason.NOT_PERMITTED: Policy(_PERMISSION, Retry.NEVER, Fallback.BY_POLICY, page=Page.IF_SUSTAINED),
    Reason.WINDOW_CLOSED: Policy(_PERMISSION, Retry.NEXT_WINDOW, Fallback.INFORMATION_ONLY),
    Reason.SENDER_INVALID: Policy(_SENDER, Retry.NEVER, Fallback.OTHER_SENDER, page=Page.YES),
    Reason.AUTH_FAILED: Policy(_SENDER, Retry.ONCE, Fallback.NEVER, page=Page.YES),
    Reason.ACCOUNT_BLOCKED: Policy(_SENDER, Retry.NEVER, Fallback.OTHER_SENDER, page=Page.YES),
    Reason.TEMPLATE_UNAVAILABLE: Policy(_CONTENT, Retry.NEVER, Fallback.BY_POLICY, page=Page.YES),
    Reason.TEMPLATE_MISMATCH: Policy(_CONTENT, Retry.NEVER, Fallback.YES, page=Page.ONCE_PER_TEMPLATE),
    Reason.CONTENT_INVALID: Policy(_CONTENT, Retry.NEVER, Fallback.IF_IT_FITS, page=Page.YES),
    # The same content elsewhere is a legal risk.
    Reason.CONTENT_REJECTED: Policy(_CONTENT, Retry.NEVER, Fallback.NEVER, page=Page.YES),
    Reason.REQUEST_INVALID: Policy(_TRANSPORT, Retry.NEVER, Fallback.NEVER, page=Page.YES),
    Reason.RATE_LIMITED: Policy(_TRANSPORT, Retry.BACKOFF, Fallback.NEVER, page=Page.IF_SUSTAINED),
    Reason.QUOTA_EXCEEDED: Policy(_TRANSPORT, Retry.AFTER_RESET, Fallback.BY_POLICY, page=Page.YES),
    Reason.DUPLICATE: Policy(_TRANSPORT, Retry.NEVER, Fallback.NEVER),
    Reason.EXPIRED: Policy(_TRANSPORT, Retry.NEVER, Fallback.IF_STILL_USEFUL),
    Reason.PROVIDER_ERROR: Policy(
        _TRANSPORT, Retry.BACKOFF, Fallback.AFTER_RETRIES, page=Page.IF_SUSTAINED
    ),
    Reason.OUTCOME_UNKNOWN: Policy(_UNCLEAR, Retry.NEVER, Fallback.MUST_ARRIVE),
    Reason.UNKNOWN: Policy(_UNCLEAR, Retry.ONCE, Fallback.NEVER, page=Page.YES),
})
# fmt: on
