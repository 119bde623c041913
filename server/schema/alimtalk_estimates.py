"""What a campaign of Alimtalk would come to before it goes."""

from datetime import date
from enum import Enum
from typing import Annotated

import strawberry

from server.resolvers import alimtalk_estimates as resolve
from server.resolvers.alimtalk_estimates import Estimate
from server.resolvers.campaigns import Campaign
from server.resolvers.refusals import Refusal
from server.store.prices import ListPrice

from .alimtalk_campaigns import AlimtalkAudienceInput, entry_of, step_of
from .costs import to_money
from .fields import Input, field
from .figures import Money
from .info import Info
from .named_texts import NamedTextInput
from .problems import InputProblem, NotFoundProblem, to_problem
from .words import value


@strawberry.enum(description="Why somebody of an audience would get nothing; of several the first counts.")
class AlimtalkLeftOut(Enum):
    NOT_MEMBER = value("not_member", description="No user id, where only members are sent to.")
    OPTED_OUT = value("opted_out", description="The user has opted out of the channel.")
    INVALID_ADDRESS = value("invalid_address", description="The number is known not to work.")
    NO_PHONE = value("no_phone", description="No phone number is known.")
    SUPPRESSED = value("suppressed", description="Nobody writes to the number.")
    NO_CONSENT = value("no_consent", description="The user has not agreed to notices about benefits.")


@strawberry.type(description="How many are left out for one reason.")
class AlimtalkLeftOutCount:
    reason: AlimtalkLeftOut = strawberry.field(description="Why.")
    count: int = strawberry.field(description="How many.")


@strawberry.input(description="A template of the project, and to whom it would be sent.")
class EstimateAlimtalkInput:
    template: str = strawberry.field(description="The key of a template of the project.")
    audience: AlimtalkAudienceInput = strawberry.field(description="To whom.")
    variables: list[NamedTextInput] | None = strawberry.field(
        default=None, description="Liquid texts for its variables, as `sendAlimtalk` takes them."
    )


@strawberry.type(
    description="What would come of it now. Frequency caps and silent hours are not looked at: they decide "
    "when each message leaves."
)
class AlimtalkEstimate:
    audience: int = strawberry.field(description="Who belongs to the audience.")
    recipients: int = strawberry.field(description="Who would be sent to.")
    left_out: list[AlimtalkLeftOutCount] = strawberry.field(
        description="Who would not, by the first reason that holds.", metadata={"list_size": 6}
    )
    sampled: int = strawberry.field(description="How many recipients were filled to try it: 20 at most.")
    without_value: int = strawberry.field(description="Of those, for whom a variable had no value.")
    unfit: int = strawberry.field(
        description="Of those, whose message would be refused, e.g. because it is too long when filled."
    )
    example: str | None = strawberry.field(description="The text of the first of those that has every value.")
    price: Money | None = strawberry.field(
        description="What one costs by the price list, without VAT; null if it says nothing of it."
    )
    cost: Money | None = strawberry.field(description="What all of them would cost if all arrive.")
    fallback_cost: Money | None = strawberry.field(
        description="What it would cost if every one arrived as a long text message instead; null if the "
        "price list says nothing of those."
    )
    daily_cap: int | None = strawberry.field(
        description="How many a day the sender profile may send; null if nobody said."
    )
    last_day: date = strawberry.field(
        description="On which day the last would leave under that cap, begun today."
    )

    @classmethod
    def from_estimate(cls, found: Estimate) -> "AlimtalkEstimate":
        sample = found.sample
        return cls(
            audience=found.audience,
            recipients=found.recipients,
            left_out=[
                AlimtalkLeftOutCount(reason=AlimtalkLeftOut(reason.value), count=count)
                for reason, count in found.left_out.items()
            ],
            sampled=sample.filled,
            without_value=sample.no_value,
            unfit=sample.unfit,
            example=sample.example or None,
            price=_money(found.price, 1),
            cost=_money(found.price, found.recipients),
            fallback_cost=_money(found.fallback_price, found.recipients),
            daily_cap=found.daily_cap,
            last_day=found.last_day,
        )


def _money(price: ListPrice | None, count: int) -> Money | None:
    return None if price is None else to_money(price.amount * count, price.currency)


EstimateAlimtalkResult = Annotated[
    AlimtalkEstimate | NotFoundProblem | InputProblem,
    strawberry.union("EstimateAlimtalkResult", description="The estimate, or why there is none."),
]


@strawberry.type(description="What campaigns would come to.")
class AlimtalkEstimateQuery:
    @field("To how many a template would go, to whom not and why, and what it would cost.", cost=50)
    async def estimate_alimtalk(
        self, info: Info, input: Annotated[EstimateAlimtalkInput, Input]
    ) -> EstimateAlimtalkResult:
        try:
            step = step_of(input.template, input.template, input.variables)
            campaign = Campaign(input.template, entry_of(input.audience), step)
            return AlimtalkEstimate.from_estimate(await resolve.estimate(info.context, campaign))
        except Refusal as error:
            return to_problem(error)
