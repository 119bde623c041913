"""Lists of users that somebody has uploaded."""

from dataclasses import asdict
from datetime import datetime
from io import StringIO
from typing import Annotated

import orjson
import strawberry
from strawberry.scalars import JSON

from server.clock import to_datetime
from server.errors import BadInput
from server.lists import audience
from server.resolvers import records
from server.resolvers import user_lists as resolve
from server.resolvers.once import Answer, repeatable
from server.resolvers.refusals import Invalid, Missing, Refusal
from server.resolvers.segments import checked_name
from server.store.paging import Slice
from server.store.projects import WRITE

from .fields import ONCE, Input, field, mutation
from .ids import key_in, to_id
from .info import Info
from .nodes import Node
from .pages import After, Before, First, Last, PageInfo, cursor_of, page_info, page_of
from .problems import (
    IdempotencyConflictProblem,
    InputProblem,
    NamedProblem,
    NotFoundProblem,
    to_problem,
)

ORDER = "userLists"


@strawberry.type(description="A list of users that somebody has uploaded.")
class UserList(Node):
    record: strawberry.Private[records.UserList]
    name: str = strawberry.field(description="What people call it; graphs and segments name it so.")
    columns: list[str] = strawberry.field(
        description="Of which columns its lines keep the values, which `{{ row }}` shows.",
        metadata={"list_size": 5},
    )
    created_at: datetime = strawberry.field(description="When it was made.")
    changed_at: datetime = strawberry.field(description="When something was last uploaded to it.")

    @classmethod
    def from_record(cls, record: records.UserList) -> "UserList":
        assert record.id is not None
        return cls(
            id=to_id("UserList", record.id),
            record=record,
            name=record.name,
            columns=orjson.loads(record.columns or "[]"),
            created_at=to_datetime(record.created_at),
            changed_at=to_datetime(record.changed_at),
        )

    @field("How many users are on it; what was uploaded just now shows within moments.")
    async def size(self, info: Info) -> int:
        assert self.record.id is not None
        return await resolve.size(info.context, self.record.id)

    @field("The values of its first five lines that have any, to see what texts will show.", list_size=5)
    async def preview(self, info: Info) -> list[JSON]:
        assert self.record.id is not None
        return [JSON(one) for one in await resolve.preview(info.context, self.record.id)]


@strawberry.type(description="A list and its place among the lists.")
class UserListEdge:
    node: UserList = strawberry.field(description="The list.")
    cursor: str = strawberry.field(description="Its place, for `after` and `before`.")


@strawberry.type(description="A page of lists.")
class UserListConnection:
    edges: list[UserListEdge] = strawberry.field(description="The page, by name.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")

    @classmethod
    def from_slice(cls, found: Slice) -> "UserListConnection":
        edges = [
            UserListEdge(node=UserList.from_record(row), cursor=cursor_of(ORDER, row.name, row.id))
            for row in found.rows
        ]
        return cls(edges=edges, page_info=page_info(found, [edge.cursor for edge in edges]))


@strawberry.input(
    description="A text in CSV that names users. The same text again changes nothing. Large files, and in "
    "whatever encoding: `sojourn audience upload`."
)
class UploadUserListInput:
    name: str = strawberry.field(description="The list: a new one, or one that there is.")
    csv: str = strawberry.field(
        description="With a heading, and one or several of the columns user_id, anonymous_id, email, phone; "
        "of a line's cells the first that is not empty counts. An address counts if only one user has it. "
        "What other columns say is kept with the line, and texts show it as `{{ row }}`; a column may be "
        "written as `#{name}`, and then every line has to have a value there."
    )
    replaces: bool = strawberry.field(
        default=False, description="Whether everybody else is taken off the list."
    )
    create_users: bool = strawberry.field(
        default=False,
        description="Whether a phone number that nobody has makes a user, under an anonymous id of ours.",
    )
    required_columns: list[str] | None = strawberry.field(
        default=None,
        description="Of which columns every line has to have a value, beside those that are written as "
        "`#{name}`.",
    )
    dry_run: bool = strawberry.field(default=False, description="Only says what would come of it.")
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.input(description="A list to take away.")
class DeleteUserListInput:
    id: strawberry.ID = strawberry.field(description="The list.")
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.type(description="The text was taken, as far as its lines could be.")
class UploadUserListPayload:
    user_list: UserList | None = strawberry.field(description="The list; null on a dry run.")
    taken: int = strawberry.field(description="Lines that name a user whom no earlier line names.")
    known: int = strawberry.field(description="Lines that name a user whom an earlier line names.")
    created: int = strawberry.field(description="Of those taken, phone numbers of whom a user is made.")
    refused: int = strawberry.field(description="Lines that cannot be used.")
    bad_lines: list[str] = strawberry.field(
        description="The first 1000 of those, each with its number and why.", metadata={"list_size": 100}
    )


@strawberry.type(description="The list was taken away.")
class DeleteUserListPayload:
    id: strawberry.ID = strawberry.field(description="What its id was.")


UploadUserListResult = Annotated[
    UploadUserListPayload | InputProblem | IdempotencyConflictProblem,
    strawberry.union("UploadUserListResult", description="How the lines fared, or why none was read."),
]
DeleteUserListResult = Annotated[
    DeleteUserListPayload | NotFoundProblem | NamedProblem | InputProblem | IdempotencyConflictProblem,
    strawberry.union("DeleteUserListResult", description="That it is gone, or why it stays."),
]


@strawberry.type(description="Uploaded lists.")
class UserListQuery:
    @field("The project's uploaded lists, by name.")
    async def user_lists(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> UserListConnection:
        page = page_of(ORDER, first, after, last, before)
        return UserListConnection.from_slice(await resolve.page(info.context, page))


@strawberry.type(description="What can be changed in uploaded lists.")
class UserListMutation:
    @mutation("Puts users on a list. A bad line is told of, and the others are taken.")
    async def upload_user_list(
        self, info: Info, input: Annotated[UploadUserListInput, Input]
    ) -> UploadUserListResult:
        info.context.require(WRITE)
        try:
            return await _upload(info, input)
        except Refusal as error:
            return to_problem(error)

    @mutation("Takes a list away that no journey and no segment names.")
    async def delete_user_list(
        self, info: Info, input: Annotated[DeleteUserListInput, Input]
    ) -> DeleteUserListResult:
        info.context.require(WRITE)
        try:
            await resolve.remove(info.context, _id(input.id), input.idempotency_key)
            return DeleteUserListPayload(id=input.id)
        except Refusal as error:
            return to_problem(error)


async def _upload(info: Info, input: UploadUserListInput) -> UploadUserListPayload:
    context, name = info.context, checked_name(input.name)
    required = input.required_columns or []
    how = audience.Wish(name, input.replaces, input.create_users, required, input.dry_run)
    about = (context.db, StringIO(input.csv), context.project_id, context.shards, how, context.clock.now())

    async def work() -> Answer:
        try:
            found = await audience.take_in(*about)
        except BadInput as error:
            raise Invalid(error.message, ("input", "csv")) from error
        return {"list_id": found.list_id, "created": found.created, **asdict(found.taken)}

    more = [input.create_users, required] if input.create_users or required else []
    wish = ("uploadUserList", [name, input.csv, input.replaces, input.dry_run, *more])
    answer = await repeatable(context, input.idempotency_key, wish, work)
    context.wake()
    made = None if input.dry_run else await resolve.by_id(context, answer["list_id"])
    return UploadUserListPayload(
        user_list=UserList.from_record(made) if made else None,
        taken=answer["changed"],
        known=answer["known"],
        created=answer.get("created", 0),
        refused=answer["refused"],
        bad_lines=answer["problems"],
    )


def _id(id: strawberry.ID) -> int:
    try:
        return key_in(id, "UserList")[0]
    except BadInput as error:
        raise Missing(error.message, ("input", "id")) from error
