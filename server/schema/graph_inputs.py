"""A drawn graph as it comes in: its steps, edges and goals."""

import strawberry

from .chance_inputs import AbSplitStepInput, RandomSplitStepInput
from .entry_inputs import EntryApiStepInput, EntryAudienceStepInput
from .flow_inputs import (
    GoToJourneyStepInput,
    ReachabilityStepInput,
    TriggerInput,
    UpdateUserStepInput,
    WaitStepInput,
)
from .reentry import ReentryRulesInput
from .sending_inputs import (
    AlimtalkStepInput,
    BrandMessageStepInput,
    EmailStepInput,
    InAppStepInput,
    MessageStepInput,
    PushStepInput,
    SmsStepInput,
    WebhookStepInput,
    WhatsappStepInput,
)
from .step_inputs import EntryEventStepInput, ExitStepInput, PredicateInput, SplitStepInput
from .time_inputs import DelayStepInput, SilentHoursInput, TimeWindowStepInput
from .words import Reentry


@strawberry.input(one_of=True, description="A step of one kind.")
class StepInput:
    entry_event: EntryEventStepInput | None = strawberry.field(
        default=strawberry.UNSET, description="Lets in whoever does something."
    )
    entry_audience: EntryAudienceStepInput | None = strawberry.field(
        default=strawberry.UNSET, description="Lets in an audience, at its times."
    )
    entry_api: EntryApiStepInput | None = strawberry.field(
        default=strawberry.UNSET, description="Lets in those whom `enterJourney` names."
    )
    delay: DelayStepInput | None = strawberry.field(
        default=strawberry.UNSET, description="Waits for a length of time, or until a time."
    )
    time_window: TimeWindowStepInput | None = strawberry.field(
        default=strawberry.UNSET, description="Waits until one of its windows of time is open."
    )
    split: SplitStepInput | None = strawberry.field(
        default=strawberry.UNSET, description="Takes one of several ways."
    )
    ab_split: AbSplitStepInput | None = strawberry.field(
        default=strawberry.UNSET,
        description="Compares ways with each other: each person always gets the same.",
    )
    random_split: RandomSplitStepInput | None = strawberry.field(
        default=strawberry.UNSET, description="Takes one of several ways by chance."
    )
    email: EmailStepInput | None = strawberry.field(default=strawberry.UNSET, description="Sends one e-mail.")
    push: PushStepInput | None = strawberry.field(
        default=strawberry.UNSET, description="Notifies each of the user's devices."
    )
    sms: SmsStepInput | None = strawberry.field(default=strawberry.UNSET, description="Sends a text message.")
    whatsapp: WhatsappStepInput | None = strawberry.field(
        default=strawberry.UNSET, description="Sends a WhatsApp message."
    )
    alimtalk: AlimtalkStepInput | None = strawberry.field(
        default=strawberry.UNSET, description="Sends an Alimtalk by KakaoTalk."
    )
    brand_message: BrandMessageStepInput | None = strawberry.field(
        default=strawberry.UNSET, description="Sends an advertisement by KakaoTalk."
    )
    in_app: InAppStepInput | None = strawberry.field(
        default=strawberry.UNSET, description="Puts a message into the user's inbox inside the app."
    )
    webhook: WebhookStepInput | None = strawberry.field(
        default=strawberry.UNSET, description="Tells another server about the user."
    )
    message: MessageStepInput | None = strawberry.field(
        default=strawberry.UNSET, description="Sends a message on any channel by its name."
    )
    wait: WaitStepInput | None = strawberry.field(
        default=strawberry.UNSET, description="Waits until something happens."
    )
    update_user: UpdateUserStepInput | None = strawberry.field(
        default=strawberry.UNSET, description="Changes what is known of the user."
    )
    reachability: ReachabilityStepInput | None = strawberry.field(
        default=strawberry.UNSET, description="Asks whether anything can be sent to the user."
    )
    go_to_journey: GoToJourneyStepInput | None = strawberry.field(
        default=strawberry.UNSET, description="Leads to another journey."
    )
    exit: ExitStepInput | None = strawberry.field(
        default=strawberry.UNSET, description="The journey is completed."
    )


@strawberry.input(description="One output of a step, leading to the next step.")
class EdgeInput:
    source: strawberry.ID = strawberry.field(name="from", description="The key of the step it leaves.")
    output: str = strawberry.field(default="next", description="By which output.")
    target: strawberry.ID = strawberry.field(name="to", description="The key of the step it leads to.")


@strawberry.input(description="What a journey is for.")
class GoalInput:
    key: strawberry.ID = strawberry.field(description="The same in every version.")
    title: str | None = strawberry.field(default=None, description="What people call it; the key by default.")
    event: str = strawberry.field(description="The event that reaches it.")
    where: list[PredicateInput] | None = strawberry.field(
        default=None, description="What has to be true of the event's properties: all of it."
    )
    window_seconds: int | None = strawberry.field(
        default=None,
        description="How long after leaving the event still counts: 30 days by default, at most 90.",
    )
    ends_journey: bool = strawberry.field(default=False, description="Whether reaching it ends the run.")
    amount_property: str | None = strawberry.field(
        default=None, description="The event's property that says what it is worth."
    )
    currency: str | None = strawberry.field(default=None, description="Of the amount, e.g. KRW.")


@strawberry.input(description="A whole graph: steps, edges, goals, and who may come again.")
class GraphInput:
    steps: list[StepInput] = strawberry.field(description="1 to 300 steps.")
    edges: list[EdgeInput] = strawberry.field(description="One for every output of every step.")
    goals: list[GoalInput] | None = strawberry.field(default=None, description="Up to 20.")
    cancel_events: list[TriggerInput] | None = strawberry.field(
        default=None,
        description="Whoever does one of these leaves at once, wherever the run waits: up to 20.",
    )
    reentry: Reentry = strawberry.field(
        default=Reentry.AFTER_LEAVING, description="Whether somebody who has left may come in again."
    )
    holdout_percent: int = strawberry.field(
        default=0,
        description="How many of a hundred people get nothing, so that the rest can be compared: 0 to 50.",
    )
    reentry_rules: ReentryRulesInput | None = strawberry.field(
        default=None, description="When and how often those may who may come in again."
    )
    silence: list[SilentHoursInput] | None = strawberry.field(
        default=None, description="When it sends nothing: up to 20 rules, and each has its say."
    )
