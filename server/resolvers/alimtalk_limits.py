"""Which limits hold for a template: those of the relay that is to register it."""

from channels.alimtalk.desk import WithDesk
from channels.alimtalk.limits import KAKAO, Limits
from server.context import Context
from server.errors import NotFound

from . import connections


async def of_connection(context: Context, connection_id: int | None) -> Limits:
    """Of the relay at this connection; KakaoTalk's own for none. Raises NotFound."""
    if connection_id is None:
        return KAKAO
    found = await connections.by_id(context, connection_id)
    if found is None:
        raise NotFound("There is no such connection in this project.")
    channel = context.plugged_in.channels.get(found.adapter)
    return channel.desk_can.limits if isinstance(channel, WithDesk) else KAKAO
