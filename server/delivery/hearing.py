"""From what a channel tells to receipts of our messages: by our reference, or by the provider's own name."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from hashlib import sha256
from typing import Any

import orjson

from channels.contract import Actor, Price, Purpose, Receipt, ReceiptKind
from channels.prices import read_price
from channels.reasons import Reason
from server.clock import DAY, Instant
from server.delivery.costs import to_amount
from server.delivery.receipts import HeardReceipt, encode
from server.store import inbox, messages
from server.store.sessions import ReadSession

LONGEST_DETAIL = 4000
LONGEST_KIND = 40
_LONGEST_KEY = 200
LONGEST_RAW = 64_000
LONGEST_KEPT_RAW = 8_000
"""Of what a provider said about one message; what names no message is kept up to `LONGEST_RAW`."""
_LAST = 253_370_764_800_000
"""9999-01-01: figures have days, and those end with that year."""
_REFERENCE = re.compile(r"(\d{1,18})-(\d{1,9})-(\d{1,18})")

_OPTS_OUT = (ReceiptKind.UNSUBSCRIBED, ReceiptKind.COMPLAINED)
_UNEXPLAINED = {
    ReceiptKind.REFUSED: Reason.UNKNOWN,
    ReceiptKind.FAILED: Reason.UNKNOWN,
    ReceiptKind.BOUNCED: Reason.UNKNOWN,
    ReceiptKind.UNMAPPED: Reason.UNKNOWN,
    ReceiptKind.EXPIRED: Reason.EXPIRED,
    ReceiptKind.UNKNOWN: Reason.OUTCOME_UNKNOWN,
}
"""The reason of bad news that came without one, so that reports find all of it by its reason."""

UnclaimedRow = tuple[int, str, bytes, Instant]
"""Connection, key, receipt, when it was heard."""


def write_reference(project_id: int, shard: int, message_id: int) -> str:
    """Our name for a message, the same at every attempt."""
    return f"{project_id}-{shard}-{message_id}"


def read_reference(reference: str | None) -> tuple[int, int, int] | None:
    """Project, shard and message, or none if this is no reference of ours."""
    match = _REFERENCE.fullmatch(reference or "")
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


@dataclass(slots=True)
class Placed:
    """What was heard: for the inbox, and what names no message of the connection's project."""

    entries: list[inbox.Entry] = field(default_factory=list)
    unclaimed: list[UnclaimedRow] = field(default_factory=list)
    opt_outs: list[Receipt] = field(default_factory=list)
    """Of the unclaimed ones: who asked for no more, known by the address alone."""


async def place(
    session: ReadSession,
    shards: int,
    connection: tuple[int, int],
    receipts: Sequence[Receipt],
    now: Instant,
) -> Placed:
    """Finds the messages that receipts speak of. `connection` is its id and its project's.

    A connection can only speak of messages of its own project, whatever reference it names.
    """
    connection_id, project_id = connection
    receipts = [storable(receipt, now) for receipt in receipts]
    named = _by_reference(project_id, shards, receipts)
    real = await messages.of_project(session, project_id, named.values())
    asked = {one.provider_id for one in receipts if one.provider_id and named.get(one.reference) not in real}
    known = await messages.by_provider_id(session, shards, connection_id, asked)
    placed = Placed()
    for receipt in receipts:
        where = named.get(receipt.reference)
        where = where if where in real else known.get(receipt.provider_id or "")
        if where is None:
            key = bounded(receipt.key)
            placed.unclaimed.append((connection_id, key, orjson.dumps(asdict(receipt), default=str), now))
            if receipt.kind in _OPTS_OUT and receipt.recipient:
                placed.opt_outs.append(receipt)
            continue
        heard = _heard(receipt, connection_id, where[1], now)
        placed.entries.append(inbox.Entry(where[0], project_id, inbox.RECEIPT, encode(heard), now))
    return placed


def read_unclaimed(payload: bytes) -> Receipt:
    """The receipt in a row that `place` could not place."""
    told = orjson.loads(payload)
    told["kind"] = ReceiptKind(told["kind"])
    told["reason"] = Reason(told["reason"]) if told["reason"] else None
    told["actor"] = Actor(told["actor"]) if told["actor"] else None
    told["purpose"] = Purpose(told["purpose"]) if told.get("purpose") else None
    told["price"] = read_price(**told["price"]) if told.get("price") else None
    return Receipt(**told)


def _by_reference(
    project_id: int, shards: int, receipts: Iterable[Receipt]
) -> Mapping[str | None, tuple[int, int]]:
    found: dict[str | None, tuple[int, int]] = {}
    for receipt in receipts:
        read = read_reference(receipt.reference)
        if read is not None and read[0] == project_id and read[1] < shards:
            found[receipt.reference] = (read[1], read[2])
    return found


def _heard(receipt: Receipt, connection_id: int, message_id: int, now: Instant) -> HeardReceipt:
    reason = receipt.reason or _UNEXPLAINED.get(receipt.kind)
    return HeardReceipt(
        message_id=message_id,
        # Two providers may count alike; and none may take the place of an outcome of ours.
        key=f"{connection_id}:{bounded(receipt.key)}",
        kind=receipt.kind,
        occurred_at=receipt.occurred_at,
        reason=reason.value if reason else "",
        code=receipt.code[:LONGEST_DETAIL],
        detail=receipt.text[:LONGEST_DETAIL],
        provider_id=receipt.provider_id or "",
        actor=receipt.actor.value if receipt.actor else "",
        actor_why=receipt.actor_why[:LONGEST_DETAIL],
        url=(receipt.url or "")[:LONGEST_DETAIL],
        connection_id=connection_id,
        raw=receipt.raw[:LONGEST_KEPT_RAW],
        price=to_amount(receipt.price),
        currency=receipt.price.currency if receipt.price else "",
        billed_as=receipt.billed_as[:LONGEST_KIND],
    )


def bounded(key: str) -> str:
    """A name that an index can hold: one that is too long is stood for by its hash."""
    return key if len(key) <= _LONGEST_KEY else sha256(key.encode()).hexdigest()


def storable(receipt: Receipt, now: Instant) -> Receipt:
    """Without NUL and halves of characters, which a database cannot keep, and of a bounded size.

    What an adapter has filled in wrongly is kept as `unmapped`: one bad item must not cost its neighbours.
    """
    try:
        return _cleaned(receipt, now)
    except (TypeError, ValueError, AttributeError):
        return unmapped(str(receipt), "malformed", now)


def unmapped(raw: str, code: str, now: Instant) -> Receipt:
    """Something genuine that nobody could read, by its own words."""
    raw = clean(raw)
    key = sha256(raw.encode()).hexdigest()
    return Receipt(key, ReceiptKind.UNMAPPED, now, code=code, raw=raw)


def clean(text: str, longest: int = LONGEST_RAW) -> str:
    """As a database can keep it."""
    kept = text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
    return kept[:longest]


def bounded_instant(at: Instant) -> Instant:
    """Within the years that figures have days for."""
    return min(max(0, at), _LAST)


def _cleaned(receipt: Receipt, now: Instant) -> Receipt:
    values: dict[str, Any] = {one.name: getattr(receipt, one.name) for one in fields(receipt)}
    for name, value in values.items():
        if type(value) is str:
            values[name] = clean(value)
    if type(values["occurred_at"]) is not int or not isinstance(values["key"], str):
        raise TypeError("a receipt wants a key and an instant")
    _known_words(values)
    if receipt.provider_id is not None:
        values["provider_id"] = bounded(values["provider_id"])
    # Clocks differ; but nothing has happened that lies a day ahead, and no figure would look for it there.
    values["occurred_at"] = min(bounded_instant(values["occurred_at"]), now + DAY)
    return Receipt(**values)


def _known_words(values: dict[str, Any]) -> None:
    """A word of no set of ours raises ValueError."""
    values["kind"] = ReceiptKind(values["kind"])
    values["reason"] = Reason(values["reason"]) if values["reason"] else None
    values["actor"] = Actor(values["actor"]) if values["actor"] else None
    for name in ("reference", "provider_id", "url", "recipient"):
        if not isinstance(values[name], str | None):
            raise TypeError(f"{name} is no text")
    if not isinstance(values["price"], Price | None):
        raise TypeError("price is none")
    for name in ("code", "text", "actor_why", "raw", "billed_as"):
        if not isinstance(values[name], str):
            raise TypeError(f"{name} is no text")
