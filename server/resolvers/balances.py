"""What is left on the account of a relay, as its desk tells now."""

from channels.alimtalk.desk import Balance, Does
from server.context import Context
from server.desks.office import desk_of
from server.errors import NotFound

from . import connections
from .alimtalk_reviews import desks_of


async def balance(context: Context, connection_id: int) -> Balance | None:
    """None where the relay tells none: it is at its console. Raises ServerError."""
    view = await connections.by_id(context, connection_id)
    if view is None:
        raise NotFound("There is no such connection in this project.")
    if Does.BALANCE not in desk_of(context.plugged_in.channels.get(view.adapter)).does:
        return None
    async with desks_of(context).at(connection_id) as at:
        return await at.ask(at.desk.balance())
