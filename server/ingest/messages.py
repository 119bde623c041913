"""Messages of Segment's HTTP tracking API, checked and made one compact shape.

What comes out is what the inbox keeps: `encode` writes it, `decode` reads it back. Pure, but for the id that
a message without one is given.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from server.ingest.segment_time import Instant, occurred_at, to_instant

TYPES = frozenset(("track", "identify", "page", "screen", "group", "alias"))

MAX_ID_CHARS = 512
MAX_NAME_CHARS = 256
MAX_MESSAGE_ID_CHARS = 100
MAX_CONTEXT_CHARS = 2048
MAX_EVENT_BYTES = 32_768
"""Of one event as `encode` writes it; the caller compares and answers with `too_large`."""

CLAMPED = "clamped"
CONTEXT_TRIMMED = "context_trimmed"
ID_MADE = "id_made"

_FORMAT = 1
_INT64 = 2**63

# What later features read from `context`: None for a plain value, else the plain values inside.
_CONTEXT: dict[str, frozenset[str] | None] = {
    "ip": None,
    "locale": None,
    "timezone": None,
    "userAgent": None,
    "page": frozenset(("url", "path", "referrer", "title", "search")),
    "campaign": frozenset(("id", "name", "source", "medium", "term", "content")),
    "referrer": frozenset(("id", "type", "name", "url", "link")),
    "userAgentData": frozenset(("mobile", "platform", "platformVersion", "model")),
    "library": frozenset(("name", "version")),
    "app": frozenset(("name", "version", "build", "namespace")),
    "device": frozenset(("id", "type", "manufacturer", "model", "name", "token")),
    "os": frozenset(("name", "version")),
    "screen": frozenset(("width", "height", "density")),
}


class ArrivedEvent(NamedTuple):
    """One event as it goes into the inbox.

    `name` is what was tracked, or which page or screen was seen; otherwise empty. `body` holds the properties
    (track, page, screen: with the page's `category`) or the traits (identify, group: with the `groupId`).
    Both times are instants. `flags` says what was not taken as it came: `clamped`, `context_trimmed`,
    `id_made`.
    """

    type: str
    message_id: str
    user_id: str | None
    anonymous_id: str | None
    previous_id: str | None
    name: str
    occurred_at: Instant
    received_at: Instant
    body: dict[str, Any]
    context: dict[str, Any]
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a message was refused: the field, what was wanted there, and what was found."""

    path: str
    wanted: str
    found: str

    @property
    def message(self) -> str:
        return f"{self.path}: wanted {self.wanted}, found {self.found}"


@dataclass(frozen=True, slots=True)
class ItemProblem:
    """The problems of one item of a batch; `message_id` is the sender's own, when there is a readable one."""

    index: int
    message_id: str | None
    problems: list[Problem]


def batch(
    items: Sequence[object], *, received_at: Instant, sent_at: Instant | None = None
) -> tuple[list[ArrivedEvent], list[ItemProblem]]:
    """Every item by itself: the good ones are events, the others are told apart and told why."""
    events: list[ArrivedEvent] = []
    refused: list[ItemProblem] = []
    for index, item in enumerate(items):
        arrived = normalise(item, received_at=received_at, sent_at=sent_at)
        if isinstance(arrived, ArrivedEvent):
            events.append(arrived)
        else:
            refused.append(ItemProblem(index, _own_id(item), arrived))
    return events, refused


def normalise(
    message: object,
    *,
    received_at: Instant,
    sent_at: Instant | None = None,
    default_type: str | None = None,
    make_id: Callable[[], str] | None = None,
) -> ArrivedEvent | list[Problem]:
    """One message as an event, or everything that is wrong with it. Never raises.

    `sent_at` is the batch's; the message's own `sentAt` goes before it. `default_type` is the endpoint's, for
    messages that do not name their type. Identifiers may come as numbers and become text; null and empty ones
    count as absent. A message without `messageId` is given one (`api-…`): it is taken, but a retry of it
    cannot be recognised and counts again.
    """
    if not isinstance(message, dict):
        return [Problem("message", "an object", _found(message))]
    return _Reader(message).event(received_at, sent_at, default_type, make_id or _new_id)


def encode(event: ArrivedEvent) -> bytes:
    """The event as the inbox keeps it."""
    # What orjson returns keeps the buffer that it was written in, about 4 KB however short the event;
    # thousands of these wait to be committed, so we keep a copy of the right size (half a microsecond).
    return bytes(memoryview(orjson.dumps((_FORMAT, *event))))


def decode(payload: bytes) -> ArrivedEvent:
    """What `encode` wrote. Raises `ValueError` for anything else."""
    written = orjson.loads(payload)
    if not isinstance(written, list) or len(written) != 12 or written[0] != _FORMAT:
        raise ValueError("an event of the inbox wants the form that encode() writes, found another")
    return ArrivedEvent._make((*written[1:-1], tuple(written[-1])))


def too_large(size: int) -> Problem:
    return Problem("message", f"at most {MAX_EVENT_BYTES} bytes", f"{size} bytes")


class _Reader:
    """Reads one message and gathers what is wrong with it."""

    __slots__ = ("flags", "message", "problems")

    def __init__(self, message: dict[str, Any]) -> None:
        self.message = message
        self.problems: list[Problem] = []
        self.flags: tuple[str, ...] = ()

    def event(
        self,
        received_at: Instant,
        batch_sent_at: Instant | None,
        default_type: str | None,
        make_id: Callable[[], str],
    ) -> ArrivedEvent | list[Problem]:
        message_type = self.known_type(default_type)
        before = len(self.problems)
        user_id = self.text("userId", MAX_ID_CHARS)
        anonymous_id = self.text("anonymousId", MAX_ID_CHARS)
        if user_id is None and anonymous_id is None and len(self.problems) == before:
            self.refuse("userId", "a userId or an anonymousId", "neither")
        previous_id = self.previous_id(message_type, user_id)
        name = self.name(message_type)
        body = self.body(message_type)
        at = self.time(received_at, batch_sent_at)
        message_id = self.text("messageId", MAX_MESSAGE_ID_CHARS)
        context = self.context()
        if self.problems:
            return self.problems
        if message_id is None:
            message_id = make_id()
            self.flags += (ID_MADE,)
        return ArrivedEvent(
            message_type,
            message_id,
            user_id,
            anonymous_id,
            previous_id,
            name,
            at,
            received_at,
            body,
            context,
            self.flags,
        )

    def refuse(self, path: str, wanted: str, found: str) -> None:
        self.problems.append(Problem(path, wanted, found))

    def known_type(self, default_type: str | None) -> str:
        written = self.message.get("type")
        named = default_type if written is None else written
        if isinstance(named, str) and named in TYPES:
            return named
        found = repr(named) if isinstance(named, str) and len(named) <= 40 else _found(named)
        self.refuse("type", "one of " + ", ".join(sorted(TYPES)), found)
        return ""

    def text(self, field: str, limit: int) -> str | None:
        value = self.message.get(field)
        if value is None or value == "":
            return None
        if isinstance(value, str):
            if len(value) <= limit:
                return value
            self.refuse(field, f"at most {limit} characters", f"{len(value)} characters")
        elif isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _INT64:
            return str(int(value)) if value == int(value) else str(value)
        else:
            self.refuse(field, "a string", _found(value))
        return None

    def previous_id(self, message_type: str, user_id: str | None) -> str | None:
        if message_type != "alias":
            return None
        previous = self.text("previousId", MAX_ID_CHARS)
        if not self.problems:
            if previous is None:
                self.refuse("previousId", "the identity to join to userId", "none")
            if user_id is None:
                self.refuse("userId", "the identity that previousId joins", "none")
        return previous

    def name(self, message_type: str) -> str:
        if message_type == "track":
            before = len(self.problems)
            name = self.text("event", MAX_NAME_CHARS)
            if name is None and len(self.problems) == before:
                self.refuse("event", "the name of what was tracked", "none")
            return name or ""
        if message_type in ("page", "screen"):
            return self.text("name", MAX_NAME_CHARS) or ""
        return ""

    def body(self, message_type: str) -> dict[str, Any]:
        if message_type in ("identify", "group"):
            body = self.mapping("traits")
        elif message_type == "alias":
            return {}
        else:
            body = self.mapping("properties")
        if message_type == "group":
            group_id = self.text("groupId", MAX_ID_CHARS)
            if group_id is None and not self.problems:
                self.refuse("groupId", "the group's id", "none")
            return {**body, "groupId": group_id}
        if message_type == "page" and (category := self.text("category", MAX_NAME_CHARS)) is not None:
            return {"category": category, **body}
        return body

    def mapping(self, field: str) -> dict[str, Any]:
        value = self.message.get(field)
        if value is None:
            return {}
        if isinstance(value, dict):
            return value
        self.refuse(field, "an object", _found(value))
        return {}

    def time(self, received_at: Instant, batch_sent_at: Instant | None) -> Instant:
        # `originalTimestamp` is what Segment itself calls the SDK's `timestamp` when it passes a message on.
        stamp = self.instant("originalTimestamp")
        if stamp is None:
            stamp = self.instant("timestamp")
        sent_at = self.instant("sentAt")
        occurred = occurred_at(
            stamp, received_at=received_at, sent_at=batch_sent_at if sent_at is None else sent_at
        )
        if occurred.clamped:
            self.flags += (CLAMPED,)
        return occurred.at

    def instant(self, field: str) -> Instant | None:
        value = self.message.get(field)
        if value is None:
            return None
        at = to_instant(value)
        if at is None:
            found = repr(value[:40]) if isinstance(value, str) else _found(value)
            self.refuse(field, "a time such as 2026-11-22T08:00:00.000Z", found)
        return at

    def context(self) -> dict[str, Any]:
        given = self.message.get("context")
        if not given:
            return {}
        if not isinstance(given, dict):
            self.refuse("context", "an object", _found(given))
            return {}
        kept: dict[str, Any] = {}
        for key, inner in _CONTEXT.items():
            value = given.get(key)
            if value is None:
                continue
            if inner is None:
                if self.keeps(value):
                    kept[key] = value
            elif isinstance(value, dict):
                if plain := {k: v for k, v in value.items() if k in inner and self.keeps(v)}:
                    kept[key] = plain
            else:
                self.trimmed()
        return kept

    def keeps(self, value: object) -> bool:
        if isinstance(value, str):
            if len(value) <= MAX_CONTEXT_CHARS:
                return True
        elif isinstance(value, int | float):
            return True
        elif value is None:
            return False
        self.trimmed()
        return False

    def trimmed(self) -> None:
        if CONTEXT_TRIMMED not in self.flags:
            self.flags += (CONTEXT_TRIMMED,)


def _new_id() -> str:
    return "api-" + secrets.token_hex(16)


def _own_id(item: object) -> str | None:
    message_id = item.get("messageId") if isinstance(item, Mapping) else None
    return message_id if isinstance(message_id, str) and len(message_id) <= MAX_MESSAGE_ID_CHARS else None


def _found(value: object) -> str:
    """What kind of JSON value this is. Never the value itself: it may be personal."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "an array" if isinstance(value, list) else "an object"
