"""In-app messages as apps see them, and the tokens that open them."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Annotated, Any

import orjson
import strawberry
from strawberry.scalars import JSON

from channels.contract import ReceiptKind
from server.clock import HOUR, SECOND, Instant, to_datetime
from server.delivery.in_app import LOOK_SECONDS, Shelf, Told
from server.delivery.readers import Readers, Who
from server.errors import BadInput, NotFound, Refused
from server.resolvers.refusals import Invalid, Missing, Refusal
from server.store import in_app
from server.store.projects import ADMIN
from server.store.receipts import MessageKey
from server.user_tokens import is_user_id

from .fields import Input, mutation, subscription
from .ids import key_in, to_id
from .info import Info
from .problems import InputProblem, NotFoundProblem, to_problem

LONGEST_TOKEN = 24 * HOUR
_OVERLAP = 10 * SECOND
"""A message may become visible this much later than the time it bears."""


@strawberry.type(description="A message that an app shows to its reader.")
class InAppMessage:
    id: strawberry.ID = strawberry.field(description="Names it when the app tells what became of it.")
    title: str = strawberry.field(description="May be empty.")
    text: str = strawberry.field(description="What it says.")
    url: str | None = strawberry.field(description="Where it leads.")
    image_url: str | None = strawberry.field(description="A picture.")
    data: JSON = strawberry.field(description="What the journey hands to the app besides.")
    sent_at: datetime = strawberry.field(description="When it was put there.")
    expires_at: datetime | None = strawberry.field(description="When it goes away by itself.")

    @classmethod
    def from_row(cls, row: Any) -> "InAppMessage":
        content: dict[str, Any] = orjson.loads(row.content)
        return cls(
            id=to_id("Message", row.shard, row.message_id),
            title=content.get("title", ""),
            text=content.get("text", ""),
            url=content.get("url") or None,
            image_url=content.get("image_url") or None,
            data=JSON(content.get("data") or {}),
            sent_at=to_datetime(row.sent_at),
            expires_at=to_datetime(row.expires_at) if row.expires_at else None,
        )


UserToken = Annotated[
    str, strawberry.argument(description="Signed by the shop's own server, or made by `createUserToken`.")
]


@strawberry.type
class InAppSubscription:
    @subscription(
        "The reader's in-app messages: those that nobody has fetched yet, then each new one. "
        "A message that was sent counts as delivered. Needs no key. It ends with the token."
    )
    async def inbox(self, info: Info, user_token: UserToken) -> AsyncGenerator[InAppMessage, None]:
        readers, shelf = _readers(info), _shelf(info)
        who = await readers.who(user_token)
        async with shelf.waiting(who.reader) as arrived:
            sent: dict[MessageKey, Instant] = {}
            since = shelf.clock.now()
            while await _still(readers, user_token):
                arrived.clear()
                rows = await _new(shelf, who, since, sent)
                for row in rows:
                    yield InAppMessage.from_row(row)
                since = max([since, *(row.sent_at - _OVERLAP for row in rows)])
                sent = {key: at for key, at in sent.items() if at >= since - _OVERLAP}
                if not rows:
                    await _wait(arrived)


async def _still(readers: Readers, token: str) -> bool:
    """Whether the token still opens anything: it may have expired, and its secret or connection be gone."""
    try:
        await readers.who(token)
    except Refused:
        return False
    return True


async def _new(shelf: Shelf, who: Who, since: Instant, sent: dict[MessageKey, Instant]) -> list[Any]:
    """What this subscription has not sent yet. It is delivered with that."""
    now = shelf.clock.now()
    async with shelf.db.read() as session:
        found = await in_app.since(session, who.reader, since, now)
    rows = [row for row in found if (row.shard, row.message_id) not in sent]
    keys = [(row.shard, row.message_id) for row in rows]
    await shelf.hear(who.project_id, who.reader, [Told(key, ReceiptKind.DELIVERED, now) for key in keys])
    sent.update(zip(keys, (row.sent_at for row in rows), strict=True))
    return rows


async def _wait(arrived: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(arrived.wait(), LOOK_SECONDS)
    except TimeoutError:
        return


@strawberry.input(description="A token for one reader.")
class CreateUserTokenInput:
    connection_id: strawberry.ID = strawberry.field(description="The in-app connection.")
    user_id: str = strawberry.field(description="The user whose messages it opens.")
    expires_in_seconds: int = strawberry.field(default=3600, description="60 to 86400; an hour by default.")


@strawberry.type(description="The token was made.")
class CreateUserTokenPayload:
    user_token: str = strawberry.field(description="For the app of this one reader.")
    expires_at: datetime = strawberry.field(description="It opens nothing from then on.")


CreateUserTokenResult = Annotated[
    CreateUserTokenPayload | NotFoundProblem | InputProblem,
    strawberry.union("CreateUserTokenResult", description="The token, or why there is none."),
]


@strawberry.type(description="What can be made for apps.")
class InAppMutation:
    @mutation(
        "A token with which a reader's app fetches in-app messages. The shop's server can sign one as well."
    )
    async def create_user_token(
        self, info: Info, input: Annotated[CreateUserTokenInput, Input]
    ) -> CreateUserTokenResult:
        info.context.require(ADMIN)
        try:
            return await _token(info, input)
        except Refusal as error:
            return to_problem(error)


async def _token(info: Info, input: CreateUserTokenInput) -> CreateUserTokenPayload:
    lasts = input.expires_in_seconds * SECOND
    if not 60 * SECOND <= lasts <= LONGEST_TOKEN:
        raise Invalid("A user token lasts from 60 seconds to a day.", ("input", "expiresInSeconds"))
    if not is_user_id(input.user_id):
        raise Invalid("A user id has 1 to 255 characters that can be printed.", ("input", "userId"))
    expires_at = info.context.clock.now() + lasts
    try:
        [connection_id] = key_in(input.connection_id, "Connection")
        token = await _readers(info).token(info.context.project_id, connection_id, input.user_id, expires_at)
    except (NotFound, BadInput) as error:
        raise Missing("There is no such in-app connection here.", ("input", "connectionId")) from error
    return CreateUserTokenPayload(user_token=token, expires_at=to_datetime(expires_at))


def _readers(info: Info) -> Readers:
    context = info.context
    return Readers(context.db, context.clock, context.plugged_in, context.box)


def _shelf(info: Info) -> Shelf:
    if info.context.shelf is None:
        raise BadInput("This server shows no in-app messages.")
    return info.context.shelf
