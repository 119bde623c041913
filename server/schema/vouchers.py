"""Pools of vouchers, and whose a code is."""

from datetime import datetime
from typing import Annotated

import strawberry

from server.clock import to_datetime, to_datetime_if_any
from server.errors import BadInput
from server.resolvers import messages, voucher_codes
from server.resolvers import vouchers as resolve
from server.resolvers.refusals import Invalid, Missing, Refusal
from server.resolvers.vouchers import Filled
from server.store.projects import WRITE
from server.store.tables import Voucher as VoucherRow

from .fields import ONCE, Input, field, mutation
from .ids import key_in, to_id
from .info import Info
from .messages import Message
from .nodes import Node
from .problems import (
    IdempotencyConflictProblem,
    InputProblem,
    NameTakenProblem,
    NotFoundProblem,
    to_problem,
)


@strawberry.type(description="A pool of codes, each for one message; message steps name it.")
class VoucherPool(Node):
    name: str = strawberry.field(description="The name by which steps ask for it.")
    total: int = strawberry.field(description="How many codes were ever put in.")
    left: int = strawberry.field(description="How many nobody has yet.")
    used: int = strawberry.field(description="How many were given out.")
    low_water: int = strawberry.field(
        description="When no more than this are left, a notice says so; a message that finds none is skipped."
    )
    created_at: datetime = strawberry.field(description="When it was made.")

    @classmethod
    def from_record(cls, record: Filled) -> "VoucherPool":
        pool, stock = record.pool, record.stock
        return cls(
            id=to_id("VoucherPool", pool.id),
            name=pool.name,
            total=stock.total,
            left=stock.left,
            used=stock.total - stock.left,
            low_water=pool.low_water,
            created_at=to_datetime(pool.created_at),
        )


@strawberry.type(description="One code of a pool.")
class Voucher:
    record: strawberry.Private[VoucherRow]
    code: str = strawberry.field(description="The code.")
    taken_at: datetime | None = strawberry.field(description="When it was given out; null until then.")

    @field("The message that took it; null until then. Others of the same passage may carry it, too.")
    async def message(self, info: Info) -> Message | None:
        shard, message_id = self.record.message_shard, self.record.message_id
        if shard is None or message_id is None:
            return None
        found = await messages.by_key(info.context, (shard, message_id))
        return Message.from_record(found) if found else None

    @field("The pool that it comes from.")
    async def pool(self, info: Info) -> VoucherPool:
        found = await resolve.by_id(info.context, self.record.pool_id)
        assert found is not None
        return VoucherPool.from_record(found)


@strawberry.input(description="A new pool of vouchers.")
class CreateVoucherPoolInput:
    name: str = strawberry.field(description="The name by which steps ask for it: 1 to 100 characters.")
    low_water: int = strawberry.field(
        default=0, description="When no more codes than this are left, a notice says so."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.input(description="Codes for a pool: a list, or a text with one a line.")
class AddVoucherCodesInput:
    id: strawberry.ID = strawberry.field(description="The pool.")
    codes: list[str] | None = strawberry.field(default=None, description="The codes; this or `csv`.")
    csv: str | None = strawberry.field(
        default=None,
        description="A CSV text: its column `code`, or the first one if no heading names that. "
        "`sojourn vouchers add` takes files of any size.",
    )
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.type(description="A code that was not taken.")
class RefusedVoucherCode:
    line: int = strawberry.field(description="Its place in what was handed in, from 1.")
    code: str = strawberry.field(description="The code, as far as it can be shown.")
    message: str = strawberry.field(description="What is wrong with it.")


@strawberry.type(description="The pool was made.")
class CreateVoucherPoolPayload:
    pool: VoucherPool = strawberry.field(description="The new pool; it is empty.")


@strawberry.type(description="The good codes are in the pool.")
class AddVoucherCodesPayload:
    pool: VoucherPool = strawberry.field(description="The pool as it is now.")
    added: int = strawberry.field(description="How many codes are new.")
    refused: list[RefusedVoucherCode] = strawberry.field(
        description="The others: bad, repeated, or there already.", metadata={"list_size": 50}
    )


CreateVoucherPoolResult = Annotated[
    CreateVoucherPoolPayload | InputProblem | NameTakenProblem | IdempotencyConflictProblem,
    strawberry.union("CreateVoucherPoolResult", description="The new pool, or why there is none."),
]
AddVoucherCodesResult = Annotated[
    AddVoucherCodesPayload | NotFoundProblem | InputProblem | IdempotencyConflictProblem,
    strawberry.union("AddVoucherCodesResult", description="What was taken, or why nothing was."),
]


@strawberry.type(description="What can be asked about vouchers.")
class VoucherQuery:
    @field("The project's pools of vouchers, by name.", list_size=20)
    async def voucher_pools(self, info: Info) -> list[VoucherPool]:
        return [VoucherPool.from_record(one) for one in await resolve.listed(info.context)]

    @field("One code, and who has it; null if no pool of the project has it.")
    async def voucher(
        self, info: Info, code: Annotated[str, strawberry.argument(description="As it was put in.")]
    ) -> Voucher | None:
        found = await resolve.by_code(info.context, code)
        if found is None:
            return None
        return Voucher(record=found, code=found.code, taken_at=to_datetime_if_any(found.taken_at))


@strawberry.type(description="What can be changed in vouchers.")
class VoucherMutation:
    @mutation("Makes an empty pool of vouchers.")
    async def create_voucher_pool(
        self, info: Info, input: Annotated[CreateVoucherPoolInput, Input]
    ) -> CreateVoucherPoolResult:
        info.context.require(WRITE)
        try:
            about = (input.name, input.low_water, input.idempotency_key)
            answer = await resolve.create(info.context, *about)
            return CreateVoucherPoolPayload(pool=await _pool(info, answer["pool_id"]))
        except Refusal as error:
            return to_problem(error)

    @mutation("Puts codes into a pool. The good ones are taken; each of the others is named.")
    async def add_voucher_codes(
        self, info: Info, input: Annotated[AddVoucherCodesInput, Input]
    ) -> AddVoucherCodesResult:
        info.context.require(WRITE)
        try:
            pool_id = _pool_id(input.id)
            answer = await resolve.add(info.context, pool_id, _codes(input), input.idempotency_key)
            refused = [
                RefusedVoucherCode(line=one[0], code=one[1], message=one[2]) for one in answer["refused"]
            ]
            pool = await _pool(info, pool_id)
            return AddVoucherCodesPayload(pool=pool, added=answer["added"], refused=refused)
        except Refusal as error:
            return to_problem(error)


async def _pool(info: Info, pool_id: int) -> VoucherPool:
    found = await resolve.by_id(info.context, pool_id)
    assert found is not None
    return VoucherPool.from_record(found)


def _pool_id(id: strawberry.ID) -> int:
    try:
        return key_in(id, "VoucherPool")[0]
    except BadInput as error:
        raise Missing(error.message, ("input", "id")) from error


def _codes(input: AddVoucherCodesInput) -> list[voucher_codes.Code]:
    if (input.codes is None) is (input.csv is None):
        raise Invalid("Give `codes` or `csv`.", ("input", "codes"))
    if input.codes is not None:
        return [voucher_codes.checked(line, code) for line, code in enumerate(input.codes, 1)]
    return list(voucher_codes.in_text((input.csv or "").splitlines()))
