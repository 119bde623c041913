"""Addresses: what an event tells of them, and which of them a user has.

- E-mail comes by the trait `email`; numbers by `phone`, one for text messages, WhatsApp and KakaoTalk alike.
- A device's token comes by `context.device.token` of any event, or by the trait `push_tokens`; browsers'
  subscriptions by the latter. They are kept with a scheme that says whose they are: `apns:`, `fcm:`,
  `webpush:`. A user has several devices; on the other channels the last address counts.
- In the app and on webhooks a user's id is the address, and nothing is kept.

What can be no address is none: it is never an error of its event.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import orjson

from channels.phone import region_of, to_e164
from server.clock import DAY, Instant
from server.ingest.messages import ArrivedEvent

from .batch import Batch
from .state import Address, UserState

EMAIL, PUSH = "email", "push"
BY_PHONE = ("sms", "whatsapp", "kakao", "brand_message")
BY_USER_ID = ("in_app", "webhook")

MOST_DEVICES = 10
LONGEST_EMAIL = 320
LONGEST_PUSH = 2000
"""PostgreSQL cannot keep keys much longer than this."""
HEARD_AGAIN_AFTER = DAY
"""A device that tells its token with every event is written down again this seldom."""
UNINSTALLED = "Application Uninstalled"

_SCHEMES = {"ios": "apns:", "ipados": "apns:", "android": "fcm:"}
_WITH_SCHEME = re.compile(r"[a-z][a-z0-9_-]{1,19}:[!-~]+")
_TOKEN = re.compile(r"[!-~]+")


class Told(NamedTuple):
    """What an event says of a channel: an address that is there, or that is gone; None for all of them."""

    channel: str
    address: str | None
    is_gone: bool = False


def tells(event: ArrivedEvent) -> bool:
    """Whether an event may say something of addresses, seen without reading it."""
    return event.type == "identify" or event.name == UNINSTALLED or "token" in event.context.get("device", ())


def told_by(event: ArrivedEvent, zone: str) -> Iterator[Told]:
    """What the event says, in its order. In the project's `zone` numbers without a country are dialled."""
    is_gone = event.type == "track" and event.name == UNINSTALLED
    if event.type == "identify":
        yield from _by_traits(event.body, zone)
    elif is_gone:
        yield from (Told(PUSH, one, True) for one in _push_tokens(event.body.get("push_tokens")))
    token = device_of(event)
    if token:
        yield Told(PUSH, token, is_gone)


def _by_traits(traits: Mapping[str, Any], zone: str) -> Iterator[Told]:
    if "email" in traits:
        yield _only(EMAIL, _email(traits["email"]))
    if "phone" in traits:
        number = _number(traits["phone"], zone)
        yield from (_only(channel, number) for channel in BY_PHONE)
    if "push_tokens" in traits:
        if traits["push_tokens"] is None:
            yield Told(PUSH, None, True)
        yield from (Told(PUSH, one) for one in _push_tokens(traits["push_tokens"]))


def _only(channel: str, address: str | None) -> Told:
    return Told(channel, address, address is None)


def _email(found: Any) -> str | None:
    address = found.strip() if isinstance(found, str) else ""
    return address if "@" in address and len(address) <= LONGEST_EMAIL else None


def _number(found: Any, zone: str) -> str | None:
    if isinstance(found, int) and not isinstance(found, bool):
        found = str(found)
    return to_e164(found, region_of(zone)) if isinstance(found, str) and len(found) <= 40 else None


def device_of(event: ArrivedEvent) -> str:
    """The address of the device that tells the event; empty if it tells none."""
    device = event.context.get("device")
    return (_device_token(device) or "") if isinstance(device, Mapping) else ""


def _device_token(device: Mapping[str, Any]) -> str | None:
    token, kind = device.get("token"), device.get("type")
    if not isinstance(token, str) or not isinstance(kind, str):
        return None
    scheme = _SCHEMES.get(kind.lower(), "")
    if token.startswith(tuple(_SCHEMES.values())):
        return _push_token(token)
    return _push_token(scheme + token) if scheme and _TOKEN.fullmatch(token) else None


def _push_tokens(found: Any) -> Iterator[str]:
    """One token or subscription, or a list of them."""
    for one in found[:MOST_DEVICES] if isinstance(found, list) else [found]:
        address = _subscription(one) if isinstance(one, Mapping) else _push_token(one)
        if address:
            yield address


def _push_token(found: Any) -> str | None:
    if not isinstance(found, str) or not _WITH_SCHEME.fullmatch(found) or len(found) > LONGEST_PUSH:
        return None
    if found.startswith("webpush:"):
        try:
            return _subscription(orjson.loads(found.removeprefix("webpush:")))
        except orjson.JSONDecodeError:
            return None
    return found


def _subscription(found: Any) -> str | None:
    """A browser's `PushSubscription` as JSON, always written the same way."""
    keys = found.get("keys") if isinstance(found, Mapping) else None
    if not isinstance(keys, Mapping):
        return None
    parts = [found.get("endpoint"), keys.get("auth"), keys.get("p256dh")]
    if not all(isinstance(part, str) and _TOKEN.fullmatch(part) for part in parts):
        return None
    endpoint, auth, p256dh = parts
    text = orjson.dumps({"endpoint": endpoint, "keys": {"auth": auth, "p256dh": p256dh}}).decode()
    address = f"webpush:{text}"
    return address if endpoint.startswith("https://") and len(address) <= LONGEST_PUSH else None


def take_in(batch: Batch, user: UserState, project_id: int, told: Told, at: Instant) -> None:
    """One that is known keeps its state: an opt-out stays."""
    here = user.addresses.get(told.channel, [])
    if told.is_gone:
        gone = [one for one in here if told.address in (None, one.address)]
        _let_go(batch, user, project_id, told.channel, gone, at)
    elif told.address is not None:
        known = next((one for one in here if one.address == told.address), None)
        if known is None or (told.channel == PUSH and _is_news(here, known, at)):
            _put_first(batch, user, project_id, told.channel, told.address, at)


def _is_news(here: list[Address], known: Address, at: Instant) -> bool:
    """Whether a device is to be written down again: it was another's turn, or it is long ago."""
    if known is not here[0]:
        return at > here[0].changed_at
    return at - known.changed_at >= HEARD_AGAIN_AFTER


def keep(
    batch: Batch, user: UserState, project_id: int, channel: str, theirs: list[str], at: Instant
) -> None:
    """Takes over the addresses of a user who turned out to be ours, as far as our own leave room."""
    here = user.addresses.get(channel, [])
    known = [one.address for one in here]
    fresh = [address for address in theirs if address not in known]
    for address in fresh[: _most(channel) - len(here)]:
        one = Address(address, user.known_states.get((channel, address), "usable"), at)
        user.addresses.setdefault(channel, []).append(one)
        batch.endpoints.append(_row(batch, user, project_id, channel, one, at))


def know(
    batch: Batch, user: UserState, project_id: int, channel: str, address: str, state: str, at: Instant
) -> None:
    """Keeps an address that is the user's and not one to write to."""
    user.known_states[channel, address] = state
    one = Address(address, state, at)
    batch.endpoints.append(_row(batch, user, project_id, channel, one, at, is_current=False))


def _put_first(
    batch: Batch, user: UserState, project_id: int, channel: str, address: str, at: Instant
) -> None:
    others = [one for one in user.addresses.get(channel, ()) if one.address != address]
    new = Address(address, user.known_states.get((channel, address), "usable"), at)
    user.known_states.setdefault((channel, address), new.state)
    user.addresses[channel] = [new, *others]
    batch.endpoints.append(_row(batch, user, project_id, channel, new, at))
    # Who has to go: what does not work before what does, then what was not heard of for the longest.
    worst_last = sorted(others, key=lambda one: (one.state == "usable", one.changed_at), reverse=True)
    _let_go(batch, user, project_id, channel, worst_last[_most(channel) - 1 :], at)


def _let_go(
    batch: Batch, user: UserState, project_id: int, channel: str, gone: list[Address], at: Instant
) -> None:
    if not gone:
        return
    for one in gone:
        batch.endpoints.append(_row(batch, user, project_id, channel, one, at, is_current=False))
    user.addresses[channel] = [one for one in user.addresses[channel] if one not in gone]


def _most(channel: str) -> int:
    return MOST_DEVICES if channel == PUSH else 1


def _row(
    batch: Batch,
    user: UserState,
    project_id: int,
    channel: str,
    one: Address,
    at: Instant,
    *,
    is_current: bool = True,
) -> tuple[Any, ...]:
    whose = (batch.shard, project_id, user.number, channel)
    return (*whose, one.address, is_current, one.state, at, "", None)
