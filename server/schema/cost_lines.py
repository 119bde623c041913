"""What messages cost, line by line: by connection and kind, with VAT apart, and what is still open."""

from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated

import strawberry

from server.aggregates.costs import Billed, Unbilled
from server.delivery import costs as core
from server.resolvers import connections
from server.resolvers import costs as resolve

from .connections import Connection
from .costs import to_money
from .fields import field
from .figures import Money
from .info import Info
from .scalars import Count
from .words import value


@strawberry.enum(description="Who says what a message costs.")
class CostSource(Enum):
    PROVIDER = value(core.Source.PROVIDER.value, description="Its provider has told. That wins.")
    PRICE_LIST = value(core.Source.PRICE_LIST.value, description="The project's price list, by the result.")


@strawberry.enum(description="Why nothing is booked for messages that went out.")
class OpenCostReason(Enum):
    OUTCOME = value(
        core.Open.OUTCOME.value,
        description="Nobody knows yet whether they arrived, and they are paid for when they have.",
    )
    PRICE = value(core.Open.PRICE.value, description="The price list says nothing of them: `setPrice`.")


@strawberry.type(description="Messages of one kind that went through one connection, and what they cost.")
class CostLine:
    channel: str = strawberry.field(description="The channel, e.g. `kakao`.")
    kind: str = strawberry.field(description="The kind that is paid for, e.g. `alimtalk`, `lms`.")
    source: CostSource = strawberry.field(description="Who says the price.")
    count: Count = strawberry.field(description="How many messages.")
    amount: Money = strawberry.field(description="What they cost together, without VAT as far as is known.")
    vat_percent: Decimal | None = strawberry.field(
        description="The rate of VAT; null where providers told the prices, who do not say."
    )
    vat: Money | None = strawberry.field(description="VAT on the whole; null where the rate is not known.")
    connection_id: strawberry.Private[int]

    @classmethod
    def of(cls, one: Billed) -> "CostLine":
        rate = one.line.vat_rate
        return cls(
            channel=one.channel,
            kind=one.line.kind,
            source=CostSource(one.line.source),
            count=Count(one.messages),
            amount=to_money(one.amount, one.currency),
            vat_percent=None if rate is None else Decimal(rate) / 100,
            vat=None if one.vat is None else to_money(one.vat, one.currency),
            connection_id=one.line.connection_id,
        )

    @field("Through this connection; null once it is gone.")
    async def connection(self, info: Info) -> Connection | None:
        found = await connections.by_id(info.context, self.connection_id)
        return Connection.from_record(found) if found else None


@strawberry.type(description="Messages of one kind that went through one connection and are not booked.")
class OpenCost:
    channel: str = strawberry.field(description="The channel, e.g. `kakao`.")
    kind: str = strawberry.field(description="The kind that would be paid for.")
    why: OpenCostReason = strawberry.field(description="Why they are not.")
    count: Count = strawberry.field(description="How many messages.")
    connection_id: strawberry.Private[int]

    @classmethod
    def of(cls, one: Unbilled) -> "OpenCost":
        return cls(
            channel=one.channel,
            kind=one.line.kind,
            why=OpenCostReason(one.why),
            count=Count(one.messages),
            connection_id=one.line.connection_id,
        )

    @field("Through this connection; null once it is gone.")
    async def connection(self, info: Info) -> Connection | None:
        found = await connections.by_id(info.context, self.connection_id)
        return Connection.from_record(found) if found else None


@strawberry.type(description="Amounts of one currency.")
class CostTotal:
    currency: str = strawberry.field(description="Three letters, e.g. KRW.")
    amount: Decimal = strawberry.field(description="Without VAT as far as is known.")
    vat: Decimal = strawberry.field(description="VAT, as far as rates are known.")


@strawberry.type(description="What all messages cost that were sent in a month of the project's zone.")
class MonthlyCosts:
    month: str = strawberry.field(description="As 2026-11.")
    as_of: datetime = strawberry.field(description="The figures are those of this instant.")
    lines: list[CostLine] = strawberry.field(
        description="By channel, connection, kind and source.", metadata={"list_size": 20}
    )
    totals: list[CostTotal] = strawberry.field(
        description="Of the lines, by currency.", metadata={"list_size": 2}
    )
    open: list[OpenCost] = strawberry.field(
        description="Messages that went out and are not booked.", metadata={"list_size": 10}
    )


def totals_of(lines: list[Billed]) -> list[CostTotal]:
    found = []
    for currency in sorted({one.currency for one in lines}):
        these = [one for one in lines if one.currency == currency]
        amount = to_money(sum(one.amount for one in these), currency)
        vat = to_money(sum(one.vat or 0 for one in these), currency)
        found.append(CostTotal(currency=currency, amount=amount.amount, vat=vat.amount))
    return found


@strawberry.type(description="What can be asked about costs.")
class CostQuery:
    @field("What the messages of a month cost, by connection and kind.", cost=10)
    async def costs(
        self,
        info: Info,
        month: Annotated[
            str | None, strawberry.argument(description="As 2026-11; the current one if left out.")
        ] = None,
    ) -> MonthlyCosts:
        found = await resolve.of_month(info.context, month)
        return MonthlyCosts(
            month=found.month,
            as_of=found.as_of,
            lines=[CostLine.of(one) for one in found.billed],
            totals=totals_of(found.billed),
            open=[OpenCost.of(one) for one in found.unbilled],
        )
