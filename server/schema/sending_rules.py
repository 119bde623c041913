"""What a message step says beside what it sends, as it comes in and as it is shown."""

from enum import Enum
from typing import Any

import strawberry

from .words import value

Data = dict[str, Any]


@strawberry.enum(description="Which of the user's addresses on the channel are written to.")
class EndpointChoice(Enum):
    ALL = value("all", description="All that can be written to, e.g. every device.")
    TRIGGERING = value(
        "triggering",
        description="The device whose event let the run in. A run that no device has let in has none: its "
        "message is skipped as NO_ADDRESS. On channels with one address a user that one is meant.",
    )
    LAST_ACTIVE = value("last_active", description="The one that was heard of last.")


@strawberry.enum(description="How a message step stands to the frequency caps of its project.")
class CapRule(Enum):
    OBEY = value("obey", description="Messages that a cap leaves no room for are skipped as CAPPED.")
    IGNORE = value("ignore", description="No cap holds it back, and it counts against no other message.")
    OWN = value(
        "own", description="A limit of its own in the place of the project's; it counts like any other."
    )


@strawberry.input(description="How a message step stands to frequency caps.")
class StepFrequencyCapInput:
    rule: CapRule = strawberry.field(description="What holds; OWN wants `most` and `windowSeconds`.")
    most: int | None = strawberry.field(
        default=None, description="With OWN: at most so many messages of the channel, 1 to 1000."
    )
    window_seconds: int | None = strawberry.field(
        default=None, description="With OWN: within so long before, from a minute to 30 days."
    )


@strawberry.input(description="A code of a pool for each message, in its templates as `{{ voucher.code }}`.")
class StepVoucherInput:
    pool: str = strawberry.field(description="The name of the pool, which has to exist.")
    remember_as: str | None = strawberry.field(
        default=None, description="An attribute of the user that keeps the code."
    )


@strawberry.type(description="How a message step stands to frequency caps.")
class StepFrequencyCap:
    rule: CapRule = strawberry.field(description="What holds.")
    most: int | None = strawberry.field(description="Its own limit; null if it has none.")
    window_seconds: int | None = strawberry.field(description="The window of its own limit.")


@strawberry.type(description="Where the code of each message comes from.")
class StepVoucher:
    pool: str = strawberry.field(description="The name of the pool.")
    remember_as: str | None = strawberry.field(description="The attribute of the user that keeps the code.")


def rules_of(item: Data) -> Data:
    """These fields of a stored message step."""
    cap, voucher = item.get("frequency_cap") or {}, item.get("voucher")
    window = cap.get("window_ms")
    return {
        "send_to": EndpointChoice(item.get("send_to") or EndpointChoice.ALL.value),
        "frequency_cap": StepFrequencyCap(
            rule=CapRule(cap.get("rule") or CapRule.OBEY.value),
            most=cap.get("most"),
            window_seconds=None if window is None else window // 1000,
        ),
        "voucher": StepVoucher(pool=voucher["pool"], remember_as=voucher.get("remember_as"))
        if voucher
        else None,
    }
