"""Events of Amazon SES as receipts: one notification may speak of many recipients, and may come twice. Pure.

Keys are made of what happened, not of the message of SNS that told of it: an account that publishes to two
topics tells everything twice.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from types import MappingProxyType
from typing import Any

from channels.answers import a_list, an_object, read_json, words
from channels.codes import load
from channels.contract import Actor, Receipt, ReceiptKind, Verified
from channels.email.relay import read_time, reason_of_answer
from channels.email.sns import CONFIRMATIONS
from channels.reasons import Reason

REFERENCE_TAG = "sojourn-reference"

# Of these Amazon says itself that they mean little; the receiving server's own words say more.
_VAGUE = ("General", "Undetermined")
# Nothing was tried, so nothing bounced.
_NOT_TRIED = (
    *("Suppressed", "OnAccountSuppressionList", "OnTenantSuppressionList"),
    *("UnsubscribedRecipient", "EmailValidationSuppressed"),
)


def receipts_of(verified: Verified) -> list[Receipt]:
    """What a message of SNS tells of our mails; `UNMAPPED` for all that is no event of SES."""
    body = verified.callback.body.decode("utf-8", "replace")
    told = an_object(read_json(body))
    told_at = read_time(told.get("Timestamp"), verified.received_at)
    if told.get("Type") in CONFIRMATIONS:
        return [_confirmation(told, body, told_at)]
    key = words(told.get("MessageId")) or sha256(body.encode()).hexdigest()
    raw = words(told.get("Message")) or body
    unmapped = Receipt(key, ReceiptKind.UNMAPPED, told_at, raw=raw)
    event = an_object(read_json(words(told.get("Message"))))
    kind = words(event.get("eventType") or event.get("notificationType"))
    mail = an_object(event.get("mail"))
    if kind not in _READERS or not words(mail.get("messageId")):
        return [replace(unmapped, code=kind)]
    name, read = _READERS[kind]
    told_of = an_object(event.get(name))
    base = _about(mail, kind, read_time(told_of.get("timestamp"), told_at), raw)
    found = {one.key: one for one in read(base, told_of, mail)}
    return list(found.values()) or [replace(unmapped, code=kind)]


def _confirmation(told: Mapping[str, Any], body: str, at: int) -> Receipt:
    """SNS asks whether it may tell us. The operator answers: no link is followed because somebody sent it."""
    kind, link = words(told.get("Type")), words(told.get("SubscribeURL"))
    return Receipt(
        key=words(told.get("MessageId")) or sha256(body.encode()).hexdigest(),
        kind=ReceiptKind.UNMAPPED,
        occurred_at=at,
        code=kind,
        text=f"{link} is to be opened by you, if this topic is to go on telling.",
        url=link or None,
        raw=body,
    )


def _about(mail: Mapping[str, Any], kind: str, at: int, raw: str) -> Receipt:
    message_id = words(mail["messageId"])
    references = a_list(an_object(mail.get("tags")).get(REFERENCE_TAG))
    return Receipt(
        key=f"{kind}/{message_id}/{at}",
        kind=ReceiptKind.UNMAPPED,
        occurred_at=at,
        reference=words(references[0]) if references else None,
        provider_id=message_id,
        code=kind,
        raw=raw,
    )


def _each(base: Receipt, addresses: list[Any], kind: ReceiptKind, **more: Any) -> Iterator[Receipt]:
    for address in addresses:
        yield replace(base, key=f"{base.key}/{words(address)}", kind=kind, recipient=words(address), **more)


def _sent(base: Receipt, told: Mapping[str, Any], mail: Mapping[str, Any]) -> Iterator[Receipt]:
    # Amazon leaves this object empty: the mail's own time is that of the sending.
    at = read_time(mail.get("timestamp"), base.occurred_at)
    base = replace(base, key=f"Send/{base.provider_id}", occurred_at=at)
    yield from _each(base, a_list(mail.get("destination")), ReceiptKind.ACCEPTED)


def _delivered(base: Receipt, told: Mapping[str, Any], mail: Mapping[str, Any]) -> Iterator[Receipt]:
    text = words(told.get("smtpResponse"))
    yield from _each(base, a_list(told.get("recipients")), ReceiptKind.DELIVERED, text=text)


def _bounced(base: Receipt, told: Mapping[str, Any], mail: Mapping[str, Any]) -> Iterator[Receipt]:
    kind, sub = words(told.get("bounceType")), words(told.get("bounceSubType"))
    base = replace(base, key=f"Bounce/{base.provider_id}/{words(told.get('feedbackId'))}")
    code = f"Bounce/{kind}/{sub}"
    for one in map(an_object, a_list(told.get("bouncedRecipients"))):
        text = words(one.get("diagnosticCode")) or words(one.get("status"))
        reason = load("channels.email", "ses_codes.csv").reason(code)
        if sub in _VAGUE:
            reason = _by_server(kind, text, words(one.get("status"))) or reason
        what = ReceiptKind.FAILED if sub in _NOT_TRIED else ReceiptKind.BOUNCED
        yield from _each(base, [one.get("emailAddress")], what, reason=reason, code=code, text=text)


def _by_server(kind: str, text: str, status: str) -> Reason | None:
    reason = reason_of_answer(text, status)
    if reason in (None, Reason.UNKNOWN):
        return None
    # What Amazon calls passing condemns no address.
    is_passing = kind == "Transient" and reason is Reason.INVALID_RECIPIENT
    return Reason.UNREACHABLE if is_passing else reason


def _complained(base: Receipt, told: Mapping[str, Any], mail: Mapping[str, Any]) -> Iterator[Receipt]:
    feedback, sub = words(told.get("complaintFeedbackType")), words(told.get("complaintSubType"))
    base = replace(base, key=f"Complaint/{base.provider_id}/{words(told.get('feedbackId'))}")
    code = "/".join(filter(None, ("Complaint", sub, feedback)))
    kind, reason = ReceiptKind.COMPLAINED, load("channels.email", "ses_codes.csv").reason(code)
    if sub in _NOT_TRIED:
        kind = ReceiptKind.FAILED
    if feedback == "not-spam":
        # The reader took it out of the spam folder: the opposite of a complaint.
        yield replace(base, code=code)
        return
    addresses = [an_object(one).get("emailAddress") for one in a_list(told.get("complainedRecipients"))]
    yield from _each(base, addresses, kind, reason=reason, code=code)


def _rejected(base: Receipt, told: Mapping[str, Any], mail: Mapping[str, Any]) -> Iterator[Receipt]:
    base = replace(base, key=f"Reject/{base.provider_id}")
    code, text = f"Reject/{words(told.get('reason'))}", words(told.get("reason"))
    reason = load("channels.email", "ses_codes.csv").reason(code)
    addresses = a_list(mail.get("destination"))
    yield from _each(base, addresses, ReceiptKind.FAILED, reason=reason, code=code, text=text)


def _delayed(base: Receipt, told: Mapping[str, Any], mail: Mapping[str, Any]) -> Iterator[Receipt]:
    """Amazon goes on trying. A receipt names no time to try again, so the server sends nothing twice."""
    code = f"DeliveryDelay/{words(told.get('delayType'))}"
    reason = load("channels.email", "ses_codes.csv").reason(code)
    for one in map(an_object, a_list(told.get("delayedRecipients"))):
        text = words(one.get("diagnosticCode")) or words(one.get("status"))
        yield from _each(
            base, [one.get("emailAddress")], ReceiptKind.DEFERRED, reason=reason, code=code, text=text
        )


def _opened(base: Receipt, told: Mapping[str, Any], mail: Mapping[str, Any]) -> Iterator[Receipt]:
    yield from _each(base, a_list(mail.get("destination")), ReceiptKind.OPENED, **_somebody(told))


def _clicked(base: Receipt, told: Mapping[str, Any], mail: Mapping[str, Any]) -> Iterator[Receipt]:
    link = words(told.get("link"))
    base = replace(base, key=f"{base.key}/{sha256(link.encode('utf-8', 'replace')).hexdigest()[:16]}")
    addresses = a_list(mail.get("destination"))
    yield from _each(base, addresses, ReceiptKind.CLICKED, url=link or None, **_somebody(told))


def _somebody(told: Mapping[str, Any]) -> dict[str, Any]:
    """Amazon does not say whether a person did it; what it saw is kept for whoever can judge."""
    seen = f"agent: {words(told.get('userAgent'))}; address: {words(told.get('ipAddress'))}"
    return {"actor": Actor.UNSURE, "actor_why": seen}


def _failed(base: Receipt, told: Mapping[str, Any], mail: Mapping[str, Any]) -> Iterator[Receipt]:
    base = replace(base, key=f"RenderingFailure/{base.provider_id}", code="RenderingFailure")
    text = words(told.get("errorMessage"))
    addresses = a_list(mail.get("destination"))
    yield from _each(base, addresses, ReceiptKind.FAILED, reason=Reason.CONTENT_INVALID, text=text)


def _subscribed(base: Receipt, told: Mapping[str, Any], mail: Mapping[str, Any]) -> Iterator[Receipt]:
    """Only what ends a subscription is a fact about our message."""
    new, old = an_object(told.get("newTopicPreferences")), an_object(told.get("oldTopicPreferences"))
    left = _topics_left(new) - _topics_left(old)
    if new.get("unsubscribeAll") is True or left:
        text = ", ".join(sorted(left)) or "every topic"
        addresses = a_list(mail.get("destination"))
        yield from _each(base, addresses, ReceiptKind.UNSUBSCRIBED, reason=Reason.OPTED_OUT, text=text)


def _topics_left(preferences: Mapping[str, Any]) -> set[str]:
    topics = map(an_object, a_list(preferences.get("topicSubscriptionStatus")))
    return {words(one.get("topicName")) for one in topics if one.get("subscriptionStatus") == "OptOut"}


_Reader = Callable[[Receipt, Mapping[str, Any], Mapping[str, Any]], Iterator[Receipt]]
_READERS: Mapping[str, tuple[str, _Reader]] = MappingProxyType(
    {
        "Send": ("send", _sent),
        "Delivery": ("delivery", _delivered),
        "Bounce": ("bounce", _bounced),
        "Complaint": ("complaint", _complained),
        "Reject": ("reject", _rejected),
        "DeliveryDelay": ("deliveryDelay", _delayed),
        "Open": ("open", _opened),
        "Click": ("click", _clicked),
        "Rendering Failure": ("failure", _failed),
        "Subscription": ("subscription", _subscribed),
    }
)
