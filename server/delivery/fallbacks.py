"""Whether another message may go in the place of one that did not arrive (대체발송): one table, no I/O.

It reads the policy of the reason (`channels.reasons`), which is the same for every channel; for messages that
were never tried, `_SKIPPED` says the same of their reasons.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from channels.contract import Purpose
from channels.reasons import Fallback, Reason
from server.alimtalk.declaration import BENEFIT_NOTICE

from .status import DeliveryStatus, SkipReason


class Ruling(StrEnum):
    """What is decided of a message, and if nothing goes in its place, why not."""

    GOES = "goes"
    OPEN = "open"
    """It is not known yet what becomes of it."""
    ARRIVED = "arrived"
    """The provider has it, or it was delivered."""
    IN_DOUBT = "in_doubt"
    """It may have arrived, and the step does not say that one too many is better than none."""
    ADVERTISEMENT = "advertisement"
    """An advertisement goes nowhere else: there other consents, labels and hours hold."""
    OPTED_OUT = "opted_out"
    """Its reader wants none of these, and the step does not say that it has to arrive."""
    FORBIDDEN = "forbidden"
    """The reason allows none, e.g. content that was rejected as such."""
    SAME_ADDRESS = "same_address"
    """The fault is with the address, and there is no other."""


class End(NamedTuple):
    """How a message stands, as far as it matters here."""

    status: str
    reason: str
    is_in_doubt: bool = False
    cause: str = ""
    """Of a suppressed address: why it is. Of a consent that lacks: its purpose."""
    demands: str = ""
    """The consent that the message wanted besides."""


_OPEN = (DeliveryStatus.QUEUED, DeliveryStatus.ATTEMPTED)
_TAKEN = (DeliveryStatus.ACCEPTED, DeliveryStatus.DELIVERED)

_SKIPPED: dict[SkipReason, Fallback] = {
    SkipReason.NO_ADDRESS: Fallback.YES,
    SkipReason.NO_CONNECTION: Fallback.OTHER_SENDER,
    SkipReason.TEMPLATE_UNAVAILABLE: Fallback.BY_POLICY,
    SkipReason.CONTENT_INVALID: Fallback.IF_IT_FITS,
    # The words of the fallback are others.
    SkipReason.TEMPLATE_ERROR: Fallback.IF_IT_FITS,
    SkipReason.INVALID_ADDRESS: Fallback.OTHER_ADDRESS,
    SkipReason.OPTED_OUT: Fallback.MUST_ARRIVE,
    SkipReason.NO_CONSENT: Fallback.MUST_ARRIVE,
    # By its cause, where that is known.
    SkipReason.SUPPRESSED: Fallback.NEVER,
    SkipReason.CAPPED: Fallback.NEVER,
    SkipReason.NO_VOUCHER: Fallback.NEVER,
    SkipReason.NOT_MEMBER: Fallback.NEVER,
    SkipReason.JOURNEY_STOPPED: Fallback.NEVER,
    SkipReason.ERASED: Fallback.NEVER,
    SkipReason.ARRIVED: Fallback.NEVER,
}
_REASONS = {reason.value for reason in Reason}
_OPT_OUTS = (Reason.OPTED_OUT, SkipReason.OPTED_OUT, SkipReason.NO_CONSENT)


def rule(end: End, purpose: str, *, must_arrive: bool, has_other_address: bool = True) -> Ruling:
    """`must_arrive`: one too many is better than none. `has_other_address`: it would go somewhere else."""
    if end.is_in_doubt or end.status == DeliveryStatus.UNKNOWN:
        return _unless_advertised(purpose, Ruling.GOES if must_arrive else Ruling.IN_DOUBT)
    if end.status in _OPEN:
        return Ruling.OPEN
    if end.status in _TAKEN:
        return Ruling.ARRIVED
    reason = _told(end)
    ruling = _by_policy(reason, policy_of(reason, end), must_arrive, has_other_address)
    return _unless_advertised(purpose, ruling)


def _told(end: End) -> str:
    """The reason; of a suppressed address that of its suppression."""
    return end.cause if end.reason == SkipReason.SUPPRESSED and end.cause in _REASONS else end.reason


def policy_of(reason: str, end: End) -> Fallback:
    if reason == SkipReason.NO_CONSENT and (end.demands or end.cause == BENEFIT_NOTICE):
        # Without that consent it has no ground to stand on, on whatever channel.
        return Fallback.NEVER
    if end.status == DeliveryStatus.SKIPPED and reason in _SKIPPED:
        return _SKIPPED[SkipReason(reason)]
    return Reason(reason).policy.fallback if reason in _REASONS else Fallback.NEVER


def _by_policy(reason: str, policy: Fallback, must_arrive: bool, has_other_address: bool) -> Ruling:
    if policy is Fallback.NEVER:
        return Ruling.FORBIDDEN
    if reason in _OPT_OUTS:
        return Ruling.GOES if must_arrive else Ruling.OPTED_OUT
    if policy is Fallback.MUST_ARRIVE:
        return Ruling.GOES if must_arrive else Ruling.IN_DOUBT
    if policy is Fallback.OTHER_ADDRESS and not has_other_address:
        return Ruling.SAME_ADDRESS
    # The step has a fallback, so the shop's policy is yes; a refusal that is final comes after all retries;
    # whether it fits, its own channel tells; how long it is of use, its own time.
    return Ruling.GOES


def _unless_advertised(purpose: str, ruling: Ruling) -> Ruling:
    is_ad = purpose == Purpose.ADVERTISEMENT.value
    return Ruling.ADVERTISEMENT if is_ad and ruling is Ruling.GOES else ruling


def rule_all(rulings: Iterable[Ruling]) -> Ruling:
    """Of one passage to several devices: only if nothing goes on with any of them, and every one may."""
    return next((one for one in rulings if one is not Ruling.GOES), Ruling.GOES)
