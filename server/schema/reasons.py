"""Why messages do not arrive, and what follows from it: the same for every channel."""

from enum import Enum

import strawberry

from channels.reasons import POLICIES

from .words import FailureReason, value


@strawberry.enum(description="Where the cause of a failure lies.")
class ReasonClass(Enum):
    RECIPIENT = value("recipient", description="With the person's address or device.")
    PERMISSION = value("permission", description="We may not write, or not now.")
    SENDER = value("sender", description="With our account at the provider.")
    CONTENT = value("content", description="With what the message says.")
    TRANSPORT = value("transport", description="On the way to the provider, or at the provider.")
    INDETERMINATE = value("indeterminate", description="Cannot be told.")


@strawberry.enum(description="Whether the same message may be tried again on the same channel.")
class RetryPolicy(Enum):
    NEVER = value("never", description="No.")
    ONCE = value("once", description="One more time.")
    BOUNDED = value("bounded", description="Later, a small number of times.")
    BACKOFF = value("backoff", description="With growing pauses.")
    NEXT_WINDOW = value("next_window", description="When sending is next allowed.")
    AFTER_RESET = value("after_reset", description="When the quota starts anew.")


@strawberry.enum(description="Whether the message may go out another way.")
class FallbackPolicy(Enum):
    NEVER = value("never", description="No.")
    YES = value("yes", description="Yes.")
    OTHER_ADDRESS = value("other_address", description="To another address.")
    OTHER_SENDER = value("other_sender", description="Through another connection.")
    BY_POLICY = value("by_policy", description="Where the project and the purpose allow it.")
    INFORMATION_ONLY = value("information_only", description="Information only, never advertisement.")
    IF_IT_FITS = value("if_it_fits", description="Where the other channel can hold the content.")
    IF_STILL_USEFUL = value("if_still_useful", description="If it still helps anybody.")
    AFTER_RETRIES = value("after_retries", description="When every retry has failed.")
    MUST_ARRIVE = value("must_arrive", description="Only if it must arrive and may arrive twice.")


@strawberry.enum(description="Whether the address is left alone from now on.")
class SuppressPolicy(Enum):
    NO = value("no", description="No.")
    COUNT = value("count", description="Not yet; repetitions count.")
    ADDRESS = value("address", description="The address, until something new is known.")
    CHANNEL_FOR_A_WHILE = value("channel_for_a_while", description="For `suppressDays`.")
    PURPOSE = value("purpose", description="For messages of this purpose.")


@strawberry.enum(description="Whether an operator has to hear of it.")
class PagePolicy(Enum):
    NO = value("no", description="No.")
    YES = value("yes", description="Yes.")
    IF_SUSTAINED = value("if_sustained", description="If it goes on.")
    ONCE_PER_TEMPLATE = value("once_per_template", description="Once for each template.")


@strawberry.type(description="A reason of the closed set, and what it allows on every channel.")
class FailureReasonPolicy:
    reason: FailureReason = strawberry.field(description="The reason.")
    reason_class: ReasonClass = strawberry.field(name="class", description="Where the cause lies.")
    retry: RetryPolicy = strawberry.field(description="Whether it is tried again.")
    fallback: FallbackPolicy = strawberry.field(description="Whether it may go another way.")
    suppress: SuppressPolicy = strawberry.field(description="Whether the address is left alone.")
    suppress_days: int | None = strawberry.field(description="For how long; null if that has no end.")
    page: PagePolicy = strawberry.field(description="Whether an operator has to hear of it.")
    description: str = strawberry.field(description="What it means.")


def failure_reasons() -> list[FailureReasonPolicy]:
    return [
        FailureReasonPolicy(
            reason=FailureReason(reason.value),
            reason_class=ReasonClass(policy.reason_class.value),
            retry=RetryPolicy(policy.retry.value),
            fallback=FallbackPolicy(policy.fallback.value),
            suppress=SuppressPolicy(policy.suppress.value),
            suppress_days=policy.suppress_days,
            page=PagePolicy(policy.page.value),
            description=_DESCRIPTIONS[reason.value],
        )
        for reason, policy in POLICIES.items()
    ]


def _descriptions() -> dict[str, str]:
    definition = FailureReason.__strawberry_definition__  # type: ignore[attr-defined]  # strawberry.enum
    return {one.value: one.description for one in definition.values}


_DESCRIPTIONS = _descriptions()
