"""The price list of a project: looked at, and changed from an instant on."""

import re
from dataclasses import dataclass
from decimal import Decimal

from channels.contract import Price
from server.clock import Instant
from server.context import Context
from server.delivery.costs import to_amount
from server.errors import Conflict, NotFound
from server.store import connected, prices
from server.store.paging import Page, Slice
from server.store.prices import VAT_SCALE, ListPrice, Slot
from server.store.same_address import same_channel
from server.store.sessions import ReadSession, WriteSession

from .once import Answer, once
from .refusals import Invalid, Missing

_KIND = re.compile("[a-z0-9_]{0,40}")
_INPUT = ("input",)


@dataclass(frozen=True, slots=True)
class NewPrice:
    """A price as it is asked for."""

    channel: str
    connection_id: int | None
    kind: str
    amount: Decimal
    currency: str
    vat_percent: Decimal
    valid_from: Instant | None


async def page(context: Context, channel: str | None, page: Page) -> Slice:
    async with context.db.read() as session:
        return await prices.page(session, context.project_id, channel, page)


async def by_id(context: Context, entry_id: int) -> ListPrice | None:
    async with context.db.read() as session:
        return await prices.by_id(session, context.project_id, entry_id)


async def put(context: Context, wanted: NewPrice, key: str | None) -> Answer:
    """A price from an instant on, now by default. Raises Missing, Invalid, IdempotencyConflict."""
    slot, price = checked(wanted)

    async def work(session: WriteSession) -> Answer:
        await refuse_foreign(session, context.project_id, slot)
        now = context.clock.now()
        at = now if wanted.valid_from is None else wanted.valid_from
        return {"entry_id": await store(session, context.project_id, slot, price, (at, now))}

    return await once(context, key, ("setPrice", [*slot, *price, wanted.valid_from]), work)


async def remove(context: Context, entry_id: int, key: str | None) -> Answer:
    """Raises Missing, Invalid, IdempotencyConflict."""

    async def work(session: WriteSession) -> Answer:
        try:
            await prices.remove(session, context.project_id, entry_id, context.clock.now())
        except NotFound as error:
            raise Missing(error.message, ("input", "id")) from error
        except Conflict as error:
            raise Invalid(error.message, ("input", "id")) from error
        return {"entry_id": entry_id}

    return await once(context, key, ("removePrice", [entry_id]), work)


async def store(
    session: WriteSession,
    project_id: int,
    slot: Slot,
    price: tuple[int, str, int],
    times: tuple[Instant, Instant],
) -> int:
    """Puts it on the list, from the first of `times` on, as of the second. Raises Invalid."""
    try:
        return (await prices.put(session, project_id, slot, price, *times)).id
    except Conflict as error:
        raise Invalid(error.message, (*_INPUT, "validFrom")) from error


def checked(wanted: NewPrice) -> tuple[Slot, tuple[int, str, int]]:
    """As it is kept. Raises Invalid."""
    channel, kind = same_channel(wanted.channel), wanted.kind.strip().lower()
    if channel is None:
        message = f"A channel like kakao or sms was wanted, found {wanted.channel[:40]!r}."
        raise Invalid(message, (*_INPUT, "channel"))
    if not _KIND.fullmatch(kind):
        raise Invalid("A kind like alimtalk or lms was wanted.", (*_INPUT, "kind"))
    try:
        price = Price(wanted.amount, wanted.currency)
    except ValueError as error:
        raise Invalid(f"This is no price: {error}.", (*_INPUT, "amount")) from error
    rate = wanted.vat_percent * 100
    if not 0 <= rate <= VAT_SCALE or rate != int(rate):
        raise Invalid("0 to 100 per cent were wanted, with two decimals at most.", (*_INPUT, "vatPercent"))
    amount = to_amount(price)
    assert amount is not None
    return Slot(channel, wanted.connection_id, kind), (amount, price.currency, int(rate))


async def refuse_foreign(session: ReadSession, project_id: int, slot: Slot) -> None:
    if slot.connection_id is None:
        return
    known = await connected.of_project(session, project_id)
    if not any(one.id == slot.connection_id and one.channel == slot.channel for one in known):
        message = f"There is no such connection of {slot.channel} in this project."
        raise Missing(message, (*_INPUT, "connectionId"))
