"""The price list of a project: what messages cost through a connection, and from when."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

import strawberry

from server.clock import to_datetime, to_datetime_if_any
from server.delivery.price_presets import Preset, presets
from server.errors import BadInput
from server.resolvers import connections
from server.resolvers import prices as resolve
from server.resolvers.prices import NewPrice
from server.resolvers.refusals import Missing, Refusal
from server.store.paging import Slice
from server.store.prices import ListPrice
from server.store.projects import WRITE

from .connections import Connection
from .costs import to_money
from .fields import ONCE, Input, field, mutation
from .figures import Money
from .ids import key_in, to_id
from .info import Info
from .nodes import Node
from .pages import After, Before, First, Last, PageInfo, cursor_of, page_info, page_of
from .problems import IdempotencyConflictProblem, InputProblem, NotFoundProblem, to_problem
from .suppressions import to_instant

KIND, ORDER = "Price", "prices"


@strawberry.type(description="What a message costs by the price list, in a stretch of time.")
class Price(Node):
    channel: str = strawberry.field(description="On this channel, e.g. `kakao`.")
    kind: str | None = strawberry.field(
        description="For this kind of message, e.g. `alimtalk`, `lms`; null for any without a line."
    )
    amount: Money = strawberry.field(description="Of one message, without VAT.")
    vat_percent: Decimal = strawberry.field(description="VAT that comes on top.")
    valid_from: datetime = strawberry.field(description="From this instant on.")
    valid_until: datetime | None = strawberry.field(description="Until then; null while no other follows.")
    connection_id: strawberry.Private[int | None]

    @classmethod
    def from_record(cls, record: ListPrice) -> "Price":
        return cls(
            id=to_id(KIND, record.id),
            channel=record.channel,
            kind=record.kind or None,
            amount=to_money(record.amount, record.currency),
            vat_percent=Decimal(record.vat_rate) / 100,
            valid_from=to_datetime(record.valid_from),
            valid_until=to_datetime_if_any(record.valid_until),
            connection_id=record.connection_id,
        )

    @field("Through this connection alone; null for any of the channel, or once it is gone.")
    async def connection(self, info: Info) -> Connection | None:
        found = await connections.by_id(info.context, self.connection_id)
        return Connection.from_record(found) if found else None


@strawberry.type(description="A price and its place in the list.")
class PriceEdge:
    node: Price = strawberry.field(description="The price.")
    cursor: str = strawberry.field(description="Its place, for `after` and `before`.")


@strawberry.type(description="A page of a price list.")
class PriceConnection:
    edges: list[PriceEdge] = strawberry.field(description="The page, by channel, in the order they were set.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")

    @classmethod
    def from_slice(cls, found: Slice) -> "PriceConnection":
        edges = [
            PriceEdge(node=Price.from_record(ListPrice(*row)), cursor=cursor_of(ORDER, row.channel, row.id))
            for row in found.rows
        ]
        return cls(edges=edges, page_info=page_info(found, [edge.cursor for edge in edges]))


@strawberry.type(description="A line of a published price list.")
class PresetPrice:
    channel: str = strawberry.field(description="The channel.")
    kind: str | None = strawberry.field(description="The kind of message; null for any.")
    amount: Money = strawberry.field(description="Of one message, without VAT.")


@strawberry.type(description="A price list that somebody has published. Nothing of it holds until it is set.")
class PricePreset:
    key: str = strawberry.field(description="By what programs know it.")
    title: str = strawberry.field(description="What people call it.")
    source: str = strawberry.field(description="Where it was read.")
    published: str = strawberry.field(description="As of when, e.g. 2026-01.")
    note: str = strawberry.field(description="What is worth knowing before it is taken over.")
    vat_percent: Decimal = strawberry.field(description="VAT that comes on top.")
    prices: list[PresetPrice] = strawberry.field(description="Its lines.", metadata={"list_size": 10})

    @classmethod
    def from_record(cls, record: Preset) -> "PricePreset":
        return cls(
            key=record.key,
            title=record.title,
            source=record.source,
            published=record.published,
            note=record.note,
            vat_percent=record.vat_percent,
            prices=[
                PresetPrice(
                    channel=one.channel,
                    kind=one.kind or None,
                    amount=Money(amount=one.amount, currency=record.currency),
                )
                for one in record.prices
            ],
        )


@strawberry.type(description="What can be asked about prices.")
class PriceQuery:
    @field("The price list: what holds, what held, and what will.")
    async def prices(
        self,
        info: Info,
        channel: Annotated[
            str | None, strawberry.argument(description="Of this channel; of all by default.")
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> PriceConnection:
        page = page_of(ORDER, first, after, last, before)
        return PriceConnection.from_slice(await resolve.page(info.context, channel, page))

    @field("Published price lists, ready to be taken over.", list_size=5)
    def price_presets(self) -> list[PricePreset]:
        return [PricePreset.from_record(one) for one in presets()]


@strawberry.input(description="A price from an instant on.")
class SetPriceInput:
    channel: str = strawberry.field(description="The channel, e.g. `kakao`.")
    kind: str = strawberry.field(
        default="",
        description="The kind of message, e.g. `alimtalk`, `sms`, `lms`, `mms`; any if left out. The most "
        "specific price counts: that of a connection, then that of a kind.",
    )
    connection_id: strawberry.ID | None = strawberry.field(
        default=None, description="Through this connection alone; any of the channel if left out."
    )
    amount: Decimal = strawberry.field(
        description="Of one message without VAT, in the currency's unit; four decimals are kept."
    )
    currency: str = strawberry.field(default="KRW", description="Three letters as in ISO 4217.")
    vat_percent: Decimal = strawberry.field(default=Decimal(10), description="VAT that comes on top.")
    valid_from: datetime | None = strawberry.field(
        default=None,
        description="From when on; now if left out. A price in the past is taken only where there was none.",
    )
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.input(description="A price to take back that does not hold yet.")
class RemovePriceInput:
    id: strawberry.ID = strawberry.field(description="The price.")
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.type(description="The price holds from its instant on, and the former one until then.")
class SetPricePayload:
    price: Price | None = strawberry.field(
        description="The price; null if it was removed since a key was first used."
    )


@strawberry.type(description="The price is taken back, and the former one goes on.")
class RemovePricePayload:
    id: strawberry.ID = strawberry.field(description="The price that is gone.")


SetPriceResult = Annotated[
    SetPricePayload | NotFoundProblem | InputProblem | IdempotencyConflictProblem,
    strawberry.union("SetPriceResult", description="The price, or why the list stays as it is."),
]
RemovePriceResult = Annotated[
    RemovePricePayload | NotFoundProblem | InputProblem | IdempotencyConflictProblem,
    strawberry.union("RemovePriceResult", description="The price that is gone, or why it stays."),
]


@strawberry.type(description="What can be changed in prices. What was booked never changes.")
class PriceMutation:
    @mutation("Sets what a message costs from an instant on. What was booked before stays as it was.")
    async def set_price(self, info: Info, input: Annotated[SetPriceInput, Input]) -> SetPriceResult:
        info.context.require(WRITE)
        try:
            connection_id = _key(input.connection_id, "Connection", "connectionId")
            at = to_instant(input.valid_from, "input", "validFrom")
            about = (input.channel, connection_id, input.kind, input.amount, input.currency)
            wanted = NewPrice(*about, input.vat_percent, at)
            answer = await resolve.put(info.context, wanted, input.idempotency_key)
            found = await resolve.by_id(info.context, answer["entry_id"])
            return SetPricePayload(price=Price.from_record(found) if found else None)
        except Refusal as error:
            return to_problem(error)

    @mutation("Takes a price back that does not hold yet; the former one then goes on.")
    async def remove_price(self, info: Info, input: Annotated[RemovePriceInput, Input]) -> RemovePriceResult:
        info.context.require(WRITE)
        try:
            entry_id = _key(input.id, KIND, "id")
            assert entry_id is not None
            await resolve.remove(info.context, entry_id, input.idempotency_key)
            return RemovePricePayload(id=input.id)
        except Refusal as error:
            return to_problem(error)


def _key(id: strawberry.ID | None, kind: str, name: str) -> int | None:
    """The number in an id. Whatever else is handed in is nothing of this project."""
    try:
        return key_in(id, kind)[0] if id is not None else None
    except BadInput as error:
        raise Missing(error.message, ("input", name)) from error
