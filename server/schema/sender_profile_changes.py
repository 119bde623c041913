"""Sender profiles are registered, and relays are looked at."""

from typing import Annotated

import strawberry

from server.desks.profiles import Administrator
from server.errors import BadInput
from server.resolvers import sender_profiles as resolve
from server.resolvers.refusals import Invalid, Missing, Refusal
from server.store.projects import WRITE

from .alimtalk_problems import AlimtalkStandingProblem, DeskProblem, to_alimtalk_problem
from .fields import ONCE, Input, mutation
from .ids import key_in
from .info import Info
from .problems import IdempotencyConflictProblem, InputProblem, NotFoundProblem
from .sender_profiles import SenderProfile

LONGEST = 100


@strawberry.input(description="Whose channel is to be proved: a token goes to its administrator.")
class RequestProfileTokenInput:
    connection_id: strawberry.ID = strawberry.field(description="The connection of the relay.")
    search_id: str = strawberry.field(description="The channel's `@name`.")
    phone: str = strawberry.field(description="The administrator's phone, on which the token arrives.")
    category: str = strawberry.field(
        default="", description="The code of the channel's category; some relays want it here already."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.input(description="A channel to register as the sender profile of a connection.")
class RegisterSenderProfileInput:
    connection_id: strawberry.ID = strawberry.field(description="The connection of the relay.")
    search_id: str = strawberry.field(description="The channel's `@name`.")
    phone: str = strawberry.field(description="The administrator's phone.")
    token: str = strawberry.field(description="The token that arrived there.")
    category: str = strawberry.field(
        default="", description="The code of its category; `senderProfileCategories` lists them."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.input(description="What a shop says of its sender profile.")
class SetSenderProfileInput:
    id: strawberry.ID = strawberry.field(description="The sender profile.")
    company: str = strawberry.field(
        description="The name of the shop, as its readers know it; empty for none."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.input(description="A relay to look at now.")
class SyncAlimtalkInput:
    connection_id: strawberry.ID = strawberry.field(description="The connection of the relay.")
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.type(description="The relay has sent the token.")
class RequestProfileTokenPayload:
    connection_id: strawberry.ID = strawberry.field(description="The connection.")


@strawberry.type(description="The sender profile is registered, and its key is in the connection's settings.")
class RegisterSenderProfilePayload:
    profile: SenderProfile = strawberry.field(description="The sender profile.")


@strawberry.type(description="The sender profile was changed.")
class SetSenderProfilePayload:
    profile: SenderProfile = strawberry.field(description="The sender profile.")


@strawberry.type(description="The relay was looked at.")
class SyncAlimtalkPayload:
    profile: SenderProfile = strawberry.field(description="The sender profile.")
    changed: int = strawberry.field(description="How many templates stand otherwise now.")
    adopted: int = strawberry.field(description="How many templates of the relay are new to the project.")
    is_complete: bool = strawberry.field(description="Whether that was all; if not, the next look goes on.")


RequestProfileTokenResult = Annotated[
    RequestProfileTokenPayload | NotFoundProblem | DeskProblem | InputProblem | IdempotencyConflictProblem,
    strawberry.union("RequestProfileTokenResult", description="That it was sent, or why not."),
]
RegisterSenderProfileResult = Annotated[
    RegisterSenderProfilePayload
    | NotFoundProblem
    | AlimtalkStandingProblem
    | DeskProblem
    | InputProblem
    | IdempotencyConflictProblem,
    strawberry.union("RegisterSenderProfileResult", description="The sender profile, or why there is none."),
]
SetSenderProfileResult = Annotated[
    SetSenderProfilePayload | NotFoundProblem | InputProblem | IdempotencyConflictProblem,
    strawberry.union("SetSenderProfileResult", description="The profile, or why it stays as it is."),
]
SyncAlimtalkResult = Annotated[
    SyncAlimtalkPayload | NotFoundProblem | DeskProblem | InputProblem | IdempotencyConflictProblem,
    strawberry.union("SyncAlimtalkResult", description="What was new, or why nobody answered."),
]


@strawberry.type(description="What can be changed in sender profiles.")
class SenderProfileMutation:
    @mutation("Has the relay send a token to the administrator of a channel.")
    async def request_profile_token(
        self, info: Info, input: Annotated[RequestProfileTokenInput, Input]
    ) -> RequestProfileTokenResult:
        info.context.require(WRITE)
        try:
            number = _connection_key(input.connection_id)
            await resolve.ask_token(info.context, number, _who(input), input.idempotency_key)
            return RequestProfileTokenPayload(connection_id=input.connection_id)
        except Refusal as error:
            return to_alimtalk_problem(error)

    @mutation("Registers a channel by its token, and writes its key into the connection's settings.")
    async def register_sender_profile(
        self, info: Info, input: Annotated[RegisterSenderProfileInput, Input]
    ) -> RegisterSenderProfileResult:
        info.context.require(WRITE)
        try:
            number, token = _connection_key(input.connection_id), _short(input.token, "token")
            await resolve.register(info.context, number, _who(input), token, input.idempotency_key)
            return RegisterSenderProfilePayload(profile=await _profile(info, number))
        except Refusal as error:
            return to_alimtalk_problem(error)

    @mutation("Says how the shop of a sender profile is called.")
    async def set_sender_profile(
        self, info: Info, input: Annotated[SetSenderProfileInput, Input]
    ) -> SetSenderProfileResult:
        info.context.require(WRITE)
        try:
            number = _profile_key(input.id)
            answer = await resolve.set_company(info.context, number, input.company, input.idempotency_key)
            return SetSenderProfilePayload(profile=await _profile(info, answer["connection_id"]))
        except Refusal as error:
            return to_alimtalk_problem(error)

    @mutation("Looks at a relay now: its sender profile, and all of its templates.")
    async def sync_alimtalk(
        self, info: Info, input: Annotated[SyncAlimtalkInput, Input]
    ) -> SyncAlimtalkResult:
        info.context.require(WRITE)
        try:
            number = _connection_key(input.connection_id)
            answer = await resolve.sync(info.context, number, input.idempotency_key)
            about = {name: answer[name] for name in ("changed", "adopted", "is_complete")}
            return SyncAlimtalkPayload(profile=await _profile(info, number), **about)
        except Refusal as error:
            return to_alimtalk_problem(error)


async def _profile(info: Info, connection_id: int) -> SenderProfile:
    found = await resolve.by_connection(info.context, connection_id)
    assert found is not None
    return SenderProfile.from_record(found)


def _who(input: RequestProfileTokenInput | RegisterSenderProfileInput) -> Administrator:
    names = {"search_id": "searchId", "phone": "phone"}
    told = {name: _short(getattr(input, name), spelled) for name, spelled in names.items()}
    if len(input.category) > LONGEST or not (input.category + "x").isprintable():
        raise Invalid("The code of a category is wanted.", ("input", "category"))
    return Administrator(**told, category=input.category.strip())


def _short(text: str, name: str) -> str:
    text = text.strip()
    if not 0 < len(text) <= LONGEST or not text.isprintable():
        raise Invalid(f"1 to {LONGEST} visible characters are wanted.", ("input", name))
    return text


def _connection_key(id: strawberry.ID) -> int:
    try:
        return key_in(id, "Connection")[0]
    except BadInput as error:
        raise Missing(error.message, ("input", "connectionId")) from error


def _profile_key(id: strawberry.ID) -> int:
    try:
        return key_in(id, "SenderProfile")[0]
    except BadInput as error:
        raise Missing(error.message, ("input", "id")) from error
