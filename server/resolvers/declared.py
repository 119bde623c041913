"""Which properties of events a project declares, so that people are counted by their values."""

from collections.abc import Sequence

from server.aggregates.deeds import SEPARATOR
from server.context import Context
from server.ingest.messages import MAX_NAME_CHARS
from server.store import declared
from server.store.declared import MOST, Declared
from server.store.sessions import WriteSession

from .once import Answer, once
from .refusals import Invalid

LONGEST_PROPERTY = 100


async def of_project(context: Context) -> list[Declared]:
    async with context.db.read() as session:
        return await declared.of_project(session, context.project_id)


async def declare(context: Context, wanted: Sequence[tuple[str, str]], key: str | None) -> Answer:
    """These and no others from now on. Raises Invalid, IdempotencyConflict."""
    if len(set(wanted)) > MOST:
        raise Invalid(f"At most {MOST} properties were wanted.", ("input", "properties"))
    for number, (event, name) in enumerate(wanted):
        if not 0 < len(event) <= MAX_NAME_CHARS or SEPARATOR in event:
            raise Invalid("The name of an event was wanted.", ("input", "properties", number, "event"))
        if not 0 < len(name) <= LONGEST_PROPERTY or SEPARATOR in name:
            message = f"A property's name of 1 to {LONGEST_PROPERTY} characters was wanted."
            raise Invalid(message, ("input", "properties", number, "property"))

    async def work(session: WriteSession) -> Answer:
        await declared.declare(session, context.project_id, wanted, context.clock.now())
        return {}

    return await once(context, key, ("declareProperties", [list(one) for one in wanted]), work)
