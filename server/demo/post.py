"""The sample's provider: the fake one, and some mailboxes that never work, each for a reason of its own."""

from collections.abc import Iterable
from random import Random
from typing import Any

from channels.contract import Rejected
from channels.reasons import Reason
from channels.testing import FakeChannel, Fault, Script

from .people import Person

ADAPTER = "fake"

_FAULTS: tuple[tuple[float, Fault], ...] = (
    (0.012, Rejected(Reason.UNREACHABLE, "552", "5.2.2 the mailbox is full")),
    (0.009, Rejected(Reason.CONTENT_REJECTED, "550", "5.7.1 looks like spam")),
    (0.005, Rejected(Reason.OPTED_OUT, "550", "5.7.1 the reader has blocked the sender")),
)


def settings(seed: int) -> dict[str, Any]:
    """How its people behave, roughly as a shop's do."""
    return {
        "seed": seed,
        "refused": 0.006,
        "bounced": 0.012,
        "delivered": 0.993,
        "opened": 0.36,
        "machine_opened": 0.14,
        "clicked": 0.22,
        "unsubscribed": 0.014,
        "delivered_within_seconds": 25,
        "machine_opened_within_seconds": 40,
        "opened_within_seconds": 30 * 3600,
        "clicked_within_seconds": 240,
    }


def studio(seed: int) -> dict[str, Any]:
    """The same people, whom its letters please."""
    return {**settings(seed), "opened": 0.7, "clicked": 0.7}


def provider(seed: int, persons: Iterable[Person]) -> FakeChannel:
    """The provider of these persons; its memory lives as long as this process."""
    faults = {}
    for person in persons:
        fault = _fault(Random(f"{seed}:mailbox:{person.number}").random())
        if fault is not None and "email" in person.traits:
            faults[person.traits["email"]] = fault
    return FakeChannel(key=ADAPTER, script=Script(addresses=faults))


def _fault(draw: float) -> Fault | None:
    for share, fault in _FAULTS:
        if draw < share:
            return fault
        draw -= share
    return None
