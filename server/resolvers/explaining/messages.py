"""Why somebody got a message, or did not: from the decision over the address to everything that was heard."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from channels.reasons import Reason
from server.context import Context
from server.delivery.status import DeliveryStatus, SkipReason
from server.store.consents import kept_under

from .. import connections, consents, journeys, runs, users
from .. import messages as resolve
from .facts import Fact, FactCode, when

_SKIPPED = {
    SkipReason.NO_ADDRESS: "the user has no address on this channel",
    SkipReason.OPTED_OUT: "the address has opted out",
    SkipReason.INVALID_ADDRESS: "the address is known not to work",
    SkipReason.SUPPRESSED: "the address is suppressed",
    SkipReason.NO_CONSENT: "the user has not agreed to such messages",
    SkipReason.JOURNEY_STOPPED: "the journey was stopped before it left",
    SkipReason.TEMPLATE_ERROR: "its text could not be written for this user",
    SkipReason.NO_CONNECTION: "there was no connection that could send it",
    SkipReason.CAPPED: "the user had had as many messages as the frequency cap allows",
    SkipReason.NO_VOUCHER: "the pool had no voucher left",
    SkipReason.NOT_MEMBER: "it tells of coupons or points, and the user is no member",
    SkipReason.TEMPLATE_UNAVAILABLE: "no version of its template may be sent, by any connection it may take",
    SkipReason.ARRIVED: "the message in whose place it was to go has arrived after all",
    SkipReason.CONTENT_INVALID: "filled for this user its template breaks a rule, and would be refused",
}
_HEARD = {
    "accepted": "The provider took it over",
    "refused": "The provider refused it",
    "deferred": "Not now",
    "unknown": "It left, and no answer came",
    "delivered": "It was delivered",
    "bounced": "It came back",
    "opened": "It was opened",
    "clicked": "A link in it was followed",
    "trapped": "A link was followed that no person can see",
    "replied": "It was answered",
    "unsubscribed": "The reader wants no more of these",
    "complained": "The reader complained",
    "shown": "It was shown",
    "interacted": "The reader did something with it",
    "dismissed": "The reader dismissed it",
    "failed": "It failed",
    "expired": "Its time was over",
    "skipped": "It was not tried",
    "priced": "The provider told its price",
    "unmapped": "Something was heard that nobody could read",
}
_OUTCOMES = {
    DeliveryStatus.QUEUED: "It waits to be sent.",
    DeliveryStatus.ATTEMPTED: "It is on its way to the provider.",
    DeliveryStatus.UNKNOWN: "Whether it arrived is not known; it is not sent again of its own accord.",
    DeliveryStatus.ACCEPTED: "The provider has it; whether it arrived was not heard.",
    DeliveryStatus.DELIVERED: "It arrived.",
    DeliveryStatus.SKIPPED: "It was never tried",
    DeliveryStatus.FAILED: "It was tried and refused",
    DeliveryStatus.EXPIRED: "It was too late",
    DeliveryStatus.BOUNCED: "It was taken over, and came back",
}


async def explain(context: Context, message: Any) -> list[Fact]:
    """The facts of a message, in order, from why it was decided to what became of it."""
    zone = (await journeys.project(context)).time_zone
    return [
        await _decided(context, message),
        *await _address(context, message),
        *await _permission(context, message),
        *await _way(context, message),
        *_template(message),
        *_times(message, zone, context.clock.now()),
        *[_heard(one, zone) for one in await resolve.receipts(context, (message.shard, message.id))],
        _outcome(message),
        *await _fallback(context, message),
    ]


async def _decided(context: Context, message: Any) -> Fact:
    journey = await journeys.by_id(context, message.journey_id)
    run = await runs.by_id(context, message.run_id)
    event = orjson.loads(message.event)
    title = f" of {journey.title!r}" if journey else ""
    entered = f", in a run that entered by {event['name']!r}" if event.get("name") else ""
    text = f"The step {message.step_key!r}{title} decided to send it{entered}."
    about = {"version": message.version, "event": event, "enteredAt": run.entered_at if run else None}
    return Fact(FactCode.DECIDED, text, message.created_at, message.step_key, about)


async def _address(context: Context, message: Any) -> list[Fact]:
    if not message.address:
        text = f"The user had no address on {message.channel} to write to."
        return [Fact(FactCode.ADDRESS, text, message.created_at, values={"channel": message.channel})]
    text = f"It was for {message.address} on {message.channel}."
    facts = [Fact(FactCode.ADDRESS, text, message.created_at, values={"address": message.address})]
    for one in await users.endpoints(context, (message.shard, message.user_number)):
        if (one.channel, one.address) == (message.channel, message.address) and one.state != "usable":
            text = f"That address is {one.state.replace('_', ' ')} now" + (
                f": {one.because}." if one.because else "."
            )
            facts.append(Fact(FactCode.ADDRESS, text, one.changed_at, values={"state": one.state}))
    return facts


async def _permission(context: Context, message: Any) -> list[Fact]:
    facts = []
    for one in await consents.of_user(context, (message.shard, message.user_number)):
        is_here = one.channel == kept_under(message.channel)
        if is_here and one.purpose in (message.purpose, message.demands):
            said = "has agreed to" if one.granted else "does not want"
            text = f"The user {said} messages of this purpose ({one.purpose}) on {message.channel}."
            facts.append(Fact(FactCode.CONSENT, text, one.decided_at, values={"granted": bool(one.granted)}))
    if message.address:
        place = (message.channel, message.address, message.purpose)
        facts += [_suppressed(row) for row in await context.loaders.suppressions_by_place.load(place) or ()]
    return facts


def _suppressed(row: Any) -> Fact:
    by = "by hand or import" if row.set_by == "people" else "from what was heard of it"
    text = f"The address is suppressed, {by}" + (f": {row.reason}." if row.reason else ".")
    about = {"reason": row.reason, "until": row.until, "source": row.source}
    return Fact(FactCode.SUPPRESSED, text, row.since, values=about)


async def _fallback(context: Context, message: Any) -> list[Fact]:
    """What it stands in for, or what stands in for it, and what became of that."""
    facts = []
    for other_id, how in (
        (message.fallback_of, "It goes in the place of a message by"),
        (message.fallback_id, "In its place goes a message by"),
    ):
        other = None if other_id is None else await resolve.by_id(context, other_id)
        if other is not None:
            became = _outcome(other).text
            text = f"{how} {other.channel}. Of that: {became[0].lower()}{became[1:]}"
            about = {"channel": other.channel, "status": other.status, "reason": other.reason}
            facts.append(Fact(FactCode.FALLBACK, text, other.created_at, other.step_key, about))
    return facts


async def _way(context: Context, message: Any) -> list[Fact]:
    found = await connections.by_id(context, message.connection_id)
    if found is None:
        return []
    off = "" if found.is_enabled else ", which is off now"
    text = f"It goes, or went, through the connection {found.name!r}{off}."
    return [Fact(FactCode.CONNECTION, text, values={"connection": found.name})]


def _template(message: Any) -> Iterator[Fact]:
    """Which version of its template, and on what evidence where it tells of coupons or points."""
    if not message.template:
        return
    version = message.template_version
    which = "no version of it has left" if version is None else f"in its version {version}"
    text = f"It is made of the template {message.template!r}, {which}."
    yield Fact(FactCode.TEMPLATE, text, values={"template": message.template, "version": version})
    if message.demands:
        text = f"It goes only to those who have agreed to messages of the purpose {message.demands!r}."
        yield Fact(FactCode.CONSENT, text, values={"demands": message.demands})
    if message.evidence:
        told = orjson.loads(message.evidence)
        text = f"It was declared as a notice about {told['declaration']['kind']}, {_ground(told)}."
        yield Fact(FactCode.EVIDENCE, text, message.attempted_at, values=told)


def _ground(told: Mapping[str, Any]) -> str:
    ground = str(told["declaration"]["ground"]).replace("_", " ")
    consent = told["consent"]
    agreed = f", agreed to by {consent['source'] or 'nobody knows which way'}" if consent else ""
    return f"on the ground of {ground}{agreed}"


def _times(message: Any, zone: str, now: int) -> Iterator[Fact]:
    if message.status == DeliveryStatus.QUEUED:
        if message.due_at is None:
            yield Fact(FactCode.DUE, "Its journey is paused: it waits until that goes on.")
        elif message.due_at > now:
            text = f"It leaves {when(message.due_at, zone)} at the earliest."
            yield Fact(FactCode.DUE, text, message.due_at)
    if message.expires_at is not None:
        text = f"Later than {when(message.expires_at, zone)} it does not leave."
        yield Fact(FactCode.EXPIRES, text, message.expires_at)
    if message.attempt:
        times = "once" if message.attempt == 1 else f"{message.attempt} times"
        text = f"It was handed over {times}."
        yield Fact(FactCode.ATTEMPTED, text, message.attempted_at, values={"attempts": message.attempt})


def _heard(receipt: Any, zone: str) -> Fact:
    text = _HEARD.get(receipt.kind, receipt.kind)
    if receipt.reason:
        text += f": {_why(receipt.reason, receipt.kind)}"
    if receipt.actor:
        text += f", by {'nobody knows whom' if receipt.actor == 'unsure' else f'a {receipt.actor}'}"
    said = " ".join(part for part in (receipt.code, receipt.detail) if part)
    text += f". {said}" if said else "."
    about = {"kind": receipt.kind, "reason": receipt.reason, "code": receipt.code, "url": receipt.url}
    return Fact(FactCode.HEARD, text, receipt.occurred_at, values=about)


def _outcome(message: Any) -> Fact:
    status = DeliveryStatus(message.status)
    text = _OUTCOMES[status]
    if not text.endswith("."):
        text += f": {_why(message.reason, status.value)}." if message.reason else "."
    return Fact(FactCode.OUTCOME, text, values={"status": status.value, "reason": message.reason})


def _why(reason: str, how: str) -> str:
    """A reason of ours in words; `how` is the kind of receipt or the status that it is the reason of."""
    if how == DeliveryStatus.SKIPPED and reason in _SKIPPED:
        return _SKIPPED[SkipReason(reason)]
    known = next((one for one in Reason if one.value == reason), None)
    return (known.value if known else reason).replace("_", " ")
