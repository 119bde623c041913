"""What changes of journeys share: the right to make them, which journey, and how it is afterwards."""

import strawberry

from server.context import Context
from server.errors import BadInput
from server.resolvers import journeys
from server.resolvers.once import Answer
from server.resolvers.refusals import Missing
from server.store.projects import WRITE

from .ids import key_in
from .info import Info
from .journeys import Journey


def writing(info: Info) -> Context:
    info.context.require(WRITE)
    return info.context


def journey_key(id: strawberry.ID) -> int:
    """The number in a journey's id. Whatever else is handed in is no journey of this project."""
    try:
        return key_in(id, "Journey")[0]
    except BadInput as error:
        raise Missing(error.message, ("input", "id")) from error


async def changed(context: Context, answer: Answer) -> Journey:
    """The journey that an answer is about, as it is now."""
    context.forget()
    found = await journeys.by_id(context, answer["journey_id"])
    assert found is not None
    return Journey.from_record(found)
