"""What messages cost and what they brought, by currency: amounts of different ones are never added up."""

from collections import defaultdict
from decimal import Decimal

from server.aggregates import costs
from server.aggregates.messages import how_many
from server.aggregates.metrics import Metric as M
from server.journey.goals import AMOUNT_SCALE

from .figures import Money
from .source import Source


def cost_of(source: Source, channel: str | None = None, step_key: str | None = None) -> list[Money]:
    return [to_money(one.amount, one.currency) for one in costs.charged(source.answer, channel, step_key)]


def priced(source: Source, channel: str | None = None, step_key: str | None = None) -> int:
    return how_many(source.answer, M.COST, channel, step_key)


def revenue_per_message(
    source: Source, channel: str | None = None, step_key: str | None = None
) -> list[Money]:
    """Of the goals that name an amount, each in its currency; nothing where nothing was sent."""
    sent = how_many(source.answer, M.SENT, channel, step_key)
    found: defaultdict[str, int] = defaultdict(int)
    credited = costs.credited(source.answer, channel, step_key)
    for goal in source.goals if sent else ():
        if goal.amount_property:
            found[goal.currency] += credited.get(str(goal.key), 0)
    return [to_money(round(Decimal(amount) / sent), currency) for currency, amount in sorted(found.items())]


def to_money(amount: int, currency: str) -> Money:
    """From the ten-thousandths in which amounts are kept."""
    return Money(amount=Decimal(amount) / AMOUNT_SCALE, currency=currency)
