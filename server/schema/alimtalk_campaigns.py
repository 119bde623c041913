"""Campaigns of Alimtalk: one template to an audience, at once, at a time, or again and again."""

from typing import Annotated, Any

import strawberry

from server.resolvers import campaigns, journeys
from server.resolvers.campaigns import CAMPAIGN, Campaign
from server.resolvers.refusals import Invalid, Refusal
from server.store.journeys import Wanted
from server.store.projects import WRITE

from .changing import changed
from .entry_inputs import EntryCouponInput, ScheduleInput
from .entry_words import LaunchZone
from .fallbacks import FallbackInput
from .fields import ONCE, Input, field, mutation
from .info import Info
from .journeys import Journey, JourneyConnection, JourneyOrder
from .named_texts import NamedTextInput
from .pages import After, Before, First, Last, page_of
from .problems import IdempotencyConflictProblem, InputProblem, NotFoundProblem, to_problem
from .sending_inputs import AlimtalkStepInput
from .sending_rules import StepFrequencyCapInput
from .spelling import to_stored


@strawberry.input(description="To whom: an uploaded list, a segment, or everybody; perhaps by their coupons.")
class AlimtalkAudienceInput:
    list: str | None = strawberry.field(
        default=None, description="The name of an uploaded list; its columns fill variables of their names."
    )
    segment: str | None = strawberry.field(default=None, description="The name of a segment.")
    members: bool = strawberry.field(
        default=True, description="Only users with a user id. Whoever is on a list is sent to as named."
    )
    coupon: EntryCouponInput | None = strawberry.field(
        default=None, description="Only who has such a coupon; it is what `{{ coupon }}` shows."
    )


@strawberry.input(description="One template of the project, sent to an audience.")
class SendAlimtalkInput:
    title: str = strawberry.field(description="What people call it: 1 to 200 characters.")
    template: str = strawberry.field(description="The key of a template of the project.")
    audience: AlimtalkAudienceInput = strawberry.field(description="To whom.")
    when: ScheduleInput | None = strawberry.field(
        default=None, description="At which times; at once if left out."
    )
    zone: LaunchZone = strawberry.field(
        default=LaunchZone.PROJECT, description="In which zone the times are meant."
    )
    variables: list[NamedTextInput] | None = strawberry.field(
        default=None,
        description="Liquid texts for its variables; they go before its bindings. A variable without either "
        "is filled from the column of its name of the list.",
    )
    connection: str | None = strawberry.field(
        default=None,
        description="The name of the connection that sends it; the project's order decides without.",
    )
    frequency_cap: StepFrequencyCapInput | None = strawberry.field(
        default=None, description="How it stands to the project's frequency caps: it obeys them by default."
    )
    fallback: FallbackInput | None = strawberry.field(
        default=None, description="What goes out in its place where it does not arrive (대체발송)."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.type(description="It is under way, or will be at its time.")
class SendAlimtalkPayload:
    journey: Journey = strawberry.field(
        description="The campaign as a journey: its figures, its end, its people. Stop it to cancel it."
    )


SendAlimtalkResult = Annotated[
    SendAlimtalkPayload | NotFoundProblem | InputProblem | IdempotencyConflictProblem,
    strawberry.union("SendAlimtalkResult", description="The campaign, or why nothing is sent."),
]


@strawberry.type(description="Campaigns of Alimtalk.")
class AlimtalkCampaignQuery:
    @field("Campaigns: journeys that were made as one sending, the newest first.")
    async def alimtalk_campaigns(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> JourneyConnection:
        order = JourneyOrder()
        page = page_of(order.name, first, after, last, before)
        wanted = Wanted(kind=CAMPAIGN)
        found = await journeys.page(info.context, wanted, order.by.value, page, descending=True)
        return JourneyConnection.from_slice(found, order)


@strawberry.type(description="What can be sent at once.")
class AlimtalkCampaignMutation:
    @mutation(
        "Sends a template to an audience: a journey of one step is made, published and started. Stopping it "
        "cancels what has not left."
    )
    async def send_alimtalk(
        self, info: Info, input: Annotated[SendAlimtalkInput, Input]
    ) -> SendAlimtalkResult:
        info.context.require(WRITE)
        try:
            answer = await campaigns.send(info.context, campaign_of(input), input.idempotency_key)
            return SendAlimtalkPayload(journey=await changed(info.context, answer))
        except Refusal as error:
            return to_problem(error)


def campaign_of(input: SendAlimtalkInput) -> Campaign:
    """The steps of its journey, spelled as those of every graph. Raises Invalid."""
    entry = entry_of(input.audience)
    if input.when is not None:
        entry |= {"when": to_stored(input.when, ScheduleInput), "zone": input.zone.value}
    rules = {
        "connection": input.connection,
        "frequency_cap": input.frequency_cap,
        "fallback": input.fallback,
    }
    return Campaign(input.title, entry, step_of(input.template, input.title, input.variables, **rules))


def step_of(
    template: str, title: str, variables: list[NamedTextInput] | None, **rules: Any
) -> dict[str, Any]:
    """The step that sends it, as it is stored."""
    key = strawberry.ID(campaigns.MESSAGE)
    step = AlimtalkStepInput(key=key, title=title, template=template, variables=variables, **rules)
    return dict(to_stored(step, AlimtalkStepInput))


def entry_of(audience: AlimtalkAudienceInput) -> dict[str, object]:
    if audience.list is not None and audience.segment is not None:
        raise Invalid("Either a list or a segment, found both.", ("input", "audience", "list"))
    return {
        **({"list": audience.list} if audience.list is not None else {}),
        **({"segment": audience.segment} if audience.segment is not None else {}),
        **({"coupon": to_stored(audience.coupon, EntryCouponInput)} if audience.coupon is not None else {}),
        "members": audience.members,
    }
