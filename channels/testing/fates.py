"""What becomes of a message at the fake provider: a pure function of the settings and the message.

Every choice is drawn from a hash of seed and reference, so the order of sends, their number and the process
they happen in change nothing.
"""

import html
import re
import struct
from collections.abc import Iterator
from decimal import Decimal
from hashlib import blake2b

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from channels.contract import (
    Accepted,
    Actor,
    Instant,
    Message,
    Outcome,
    Price,
    Receipt,
    ReceiptKind,
    Rejected,
)
from channels.reasons import Reason
from channels.testing.lives import Life

_HREF = re.compile(r"""href\s*=\s*["'](https?://[^"']+)["'](?![^>]*display:none)""", re.IGNORECASE)
"""Of a link that a person can see."""
_BARE_LINK = re.compile(r"https?://[^\s<>\"']+")

_DRAWS = struct.Struct("<16I")


class FakeSettings(BaseModel):
    """How the people behind the fake provider behave. Unless told otherwise, everything is delivered."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    seed: int = 0
    refused: float = Field(0, ge=0, le=1, description="Of all messages.")
    bounced: float = Field(0, ge=0, le=1, description="Of those taken over.")
    delivered: float = Field(1, ge=0, le=1, description="Of those taken over that did not bounce.")
    opened: float = Field(0, ge=0, le=1, description="By people, of those delivered.")
    machine_opened: float = Field(0, ge=0, le=1, description="By scanners, of those delivered.")
    clicked: float = Field(0, ge=0, le=1, description="Of those opened by people, where there is a link.")
    unsubscribed: float = Field(0, ge=0, le=1, description="Of those opened by people.")
    delivered_within_seconds: float = Field(5, ge=0)
    machine_opened_within_seconds: float = Field(30, ge=0, description="After delivery.")
    opened_within_seconds: float = Field(8 * 3600, ge=0, description="After delivery.")
    clicked_within_seconds: float = Field(300, ge=0, description="After opening; unsubscribing as well.")
    price: Decimal | None = Field(None, ge=0, description="Of each message; told when it is taken over.")
    billed_as: str = Field("", description="The kind that each message is said to be paid as.")
    currency: str = Field("KRW", pattern="^[A-Z]{3}$", description="Of the price.")
    callback_secret: SecretStr = Field(
        SecretStr(""), description="Signs callbacks; without it all are refused."
    )


def fate(settings: FakeSettings, message: Message, life: Life | None = None) -> tuple[Outcome, list[Receipt]]:
    """Say how a send ends, and the receipts that follow when it was taken over, in order of time.

    A life with a misfortune comes before what the settings would have said.
    """
    draws = _draws(settings.seed, message.reference)
    if life is not None and life.refused is not None:
        return Rejected(life.refused, life.refused, "the fake provider says so"), []
    if life is not None and life.failed is not None:
        outcome = _taken_over(settings, message)
        return outcome, [_misfortune(message, life.failed, message.sent_at + life.failed_after)]
    if draws[0] < settings.refused:
        return Rejected(Reason.INVALID_RECIPIENT, "550", "5.1.1 nobody here by that name"), []
    outcome = _taken_over(settings, message)
    return outcome, sorted(_receipts(settings, message, draws), key=_by_time)


def _taken_over(settings: FakeSettings, message: Message) -> Accepted:
    price = None if settings.price is None else Price(settings.price, settings.currency)
    return Accepted(f"fake-{message.reference}", "250", "2.0.0 taken over", price, settings.billed_as)


def _misfortune(message: Message, reason: Reason, at: Instant) -> Receipt:
    text = "the fake provider says so"
    return _receipt(message, ReceiptKind.BOUNCED, at, reason=reason, code=reason, text=text)


def _draws(seed: int, reference: str) -> list[float]:
    digest = blake2b(f"{seed}\0{reference}".encode("utf-8", "surrogatepass")).digest()
    return [number / 2**32 for number in _DRAWS.unpack(digest)]


def _receipts(settings: FakeSettings, message: Message, draws: list[float]) -> Iterator[Receipt]:
    arrived_at = _later(message.sent_at, draws[1], settings.delivered_within_seconds)
    if draws[2] < settings.bounced:
        yield _receipt(
            message,
            ReceiptKind.BOUNCED,
            arrived_at,
            reason=Reason.INVALID_RECIPIENT,
            code="550",
            text="5.1.1 the mailbox is gone",
        )
        return
    if draws[3] >= settings.delivered:
        return
    yield _receipt(message, ReceiptKind.DELIVERED, arrived_at)
    if draws[4] < settings.machine_opened:
        scanned_at = _later(arrived_at, draws[5], settings.machine_opened_within_seconds)
        yield _opened(message, scanned_at, Actor.MACHINE, "a scanner of the fake provider")
    if draws[6] < settings.opened:
        opened_at = _later(arrived_at, draws[7], settings.opened_within_seconds)
        yield _opened(message, opened_at, Actor.HUMAN, "a person of the fake provider")
        yield from _after_opening(settings, message, draws, opened_at)


def _after_opening(
    settings: FakeSettings, message: Message, draws: list[float], opened_at: Instant
) -> Iterator[Receipt]:
    if draws[8] < settings.clicked and (links := _links(message)):
        clicked_at = _later(opened_at, draws[9], settings.clicked_within_seconds)
        url = links[int(draws[10] * len(links))]
        yield _receipt(message, ReceiptKind.CLICKED, clicked_at, actor=Actor.HUMAN, url=url)
    if draws[11] < settings.unsubscribed:
        left_at = _later(opened_at, draws[12], settings.clicked_within_seconds)
        yield _receipt(message, ReceiptKind.UNSUBSCRIBED, left_at, actor=Actor.HUMAN)


def _opened(message: Message, at: Instant, actor: Actor, why: str) -> Receipt:
    return _receipt(message, ReceiptKind.OPENED, at, actor=actor, actor_why=why)


def _receipt(
    message: Message,
    kind: ReceiptKind,
    at: Instant,
    *,
    reason: Reason | None = None,
    code: str = "",
    text: str = "",
    actor: Actor | None = None,
    actor_why: str = "",
    url: str | None = None,
) -> Receipt:
    by = f":{actor}" if actor else ""
    return Receipt(
        key=f"{message.reference}:{kind}{by}",
        kind=kind,
        occurred_at=at,
        reference=message.reference,
        provider_id=f"fake-{message.reference}",
        reason=reason,
        code=code,
        text=text,
        actor=actor,
        actor_why=actor_why,
        url=url,
        recipient=message.to,
    )


def _later(start: Instant, draw: float, within_seconds: float) -> Instant:
    # Squared, because most people are quick and a few are very slow.
    return start + 1 + int(draw * draw * within_seconds * 1000)


def _links(message: Message) -> list[str]:
    found = [html.unescape(link) for link in _HREF.findall(message.content.get("html", ""))]
    return found or _BARE_LINK.findall(message.content.get("text", ""))


def _by_time(receipt: Receipt) -> tuple[Instant, str]:
    return receipt.occurred_at, receipt.key
