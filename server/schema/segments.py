"""Segments: saved conditions over users."""

import asyncio
from datetime import datetime
from typing import Annotated

import orjson
import strawberry
from strawberry.scalars import JSON

from server.clock import to_datetime
from server.errors import BadInput
from server.resolvers import records, users
from server.resolvers import segments as resolve
from server.resolvers.refusals import Missing, Refusal
from server.segments.uses import Uses
from server.store.paging import Slice
from server.store.projects import WRITE

from .fields import ONCE, Input, field, mutation
from .ids import key_in, to_id
from .info import Info
from .journeys import Journey
from .nodes import Node
from .pages import After, Before, First, Last, PageInfo, cursor_of, page_info, page_of
from .problems import (
    ConditionProblems,
    IdempotencyConflictProblem,
    InputProblem,
    NamedProblem,
    NameTakenProblem,
    NotFoundProblem,
    to_problem,
)
from .segment_inputs import SegmentConditionInput, to_conditions, to_given
from .suppressions import to_instant
from .users import User

ORDER = "segments"


@strawberry.type(description="A saved condition over users. Who meets it is asked anew each time.")
class Segment(Node):
    record: strawberry.Private[records.Segment]
    name: str = strawberry.field(description="What people call it; graphs name it so.")
    created_at: datetime = strawberry.field(description="When it was made.")
    changed_at: datetime = strawberry.field(description="When it was last changed.")

    @classmethod
    def from_record(cls, record: records.Segment) -> "Segment":
        assert record.id is not None
        return cls(
            id=to_id("Segment", record.id),
            record=record,
            name=record.name,
            created_at=to_datetime(record.created_at),
            changed_at=to_datetime(record.changed_at),
        )

    @field("Its conditions, as `SegmentConditionInput` takes them.")
    def conditions(self) -> JSON:
        return JSON(to_given(orjson.loads(self.record.conditions)))

    @field("How many users belong to it now, exactly.", cost=20)
    async def size(self, info: Info) -> int:
        return await resolve.size(info.context, self.record)

    @field("What needs it as it is.")
    async def used_by(self, info: Info) -> "SegmentUses":
        return SegmentUses(found=await resolve.used_by(info.context, self.record))


@strawberry.type(description="What needs a segment as it is: while there is any of it, the segment stays.")
class SegmentUses:
    found: strawberry.Private[Uses]

    @field("The journeys that are not over and name it: as an audience, or in a split.", list_size=10)
    async def journeys(self, info: Info) -> list[Journey]:
        loader = info.context.loaders.journey_by_id
        rows = await loader.load_many([one for one, _ in self.found.journeys])
        return [Journey.from_record(row) for row in rows if row is not None]

    @field("The ids of the segments that name it.", list_size=10)
    def segments(self) -> list[strawberry.ID]:
        return [to_id("Segment", one) for one, _ in self.found.segments]

    @field("The ids of the saved cohort reports that name it.", list_size=10)
    def cohort_reports(self) -> list[strawberry.ID]:
        return [to_id("SavedCohortReport", one) for one, _ in self.found.reports]


@strawberry.type(description="A segment and its place in the list.")
class SegmentEdge:
    node: Segment = strawberry.field(description="The segment.")
    cursor: str = strawberry.field(description="Its place, for `after` and `before`.")


@strawberry.type(description="A page of segments.")
class SegmentConnection:
    edges: list[SegmentEdge] = strawberry.field(description="The page, by name.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")

    @classmethod
    def from_slice(cls, found: Slice) -> "SegmentConnection":
        edges = [
            SegmentEdge(node=Segment.from_record(row), cursor=cursor_of(ORDER, row.name, row.id))
            for row in found.rows
        ]
        return cls(edges=edges, page_info=page_info(found, [edge.cursor for edge in edges]))


@strawberry.type(description="Who meets a condition.")
class SegmentPreview:
    count: int = strawberry.field(description="How many users meet it, exactly.")
    of: int = strawberry.field(description="How many users there are.")
    as_of: datetime = strawberry.field(
        description="As of when it is asked: what happened later does not exist. Attributes, lists and "
        "addresses are today's."
    )
    sample: list[User] = strawberry.field(
        description="Some of those who meet it: at most 10.", metadata={"list_size": 10}
    )


@strawberry.input(description="A new segment.")
class CreateSegmentInput:
    name: str = strawberry.field(description="What people call it: 1 to 100 characters.")
    conditions: SegmentConditionInput = strawberry.field(description="Who belongs to it.")
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.input(description="Another name or other conditions for a segment.")
class UpdateSegmentInput:
    id: strawberry.ID = strawberry.field(description="The segment.")
    name: str | None = strawberry.field(
        default=None, description="The new name; refused while anything names it. Stays if left out."
    )
    conditions: SegmentConditionInput | None = strawberry.field(
        default=None, description="The new conditions; stay if left out."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.input(description="A segment to take away.")
class DeleteSegmentInput:
    id: strawberry.ID = strawberry.field(description="The segment.")
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.type(description="The segment was made.")
class CreateSegmentPayload:
    segment: Segment = strawberry.field(description="The new segment.")


@strawberry.type(description="The segment was changed.")
class UpdateSegmentPayload:
    segment: Segment = strawberry.field(description="The segment.")


@strawberry.type(description="The segment was taken away.")
class DeleteSegmentPayload:
    id: strawberry.ID = strawberry.field(description="What its id was.")


CreateSegmentResult = Annotated[
    CreateSegmentPayload | ConditionProblems | NameTakenProblem | InputProblem | IdempotencyConflictProblem,
    strawberry.union("CreateSegmentResult", description="The new segment, or why there is none."),
]
UpdateSegmentResult = Annotated[
    UpdateSegmentPayload
    | ConditionProblems
    | NotFoundProblem
    | NamedProblem
    | NameTakenProblem
    | InputProblem
    | IdempotencyConflictProblem,
    strawberry.union("UpdateSegmentResult", description="The segment, or why it stays as it was."),
]
DeleteSegmentResult = Annotated[
    DeleteSegmentPayload | NotFoundProblem | NamedProblem | InputProblem | IdempotencyConflictProblem,
    strawberry.union("DeleteSegmentResult", description="That it is gone, or why it stays."),
]
SegmentPreviewResult = Annotated[
    SegmentPreview | ConditionProblems | InputProblem,
    strawberry.union("SegmentPreviewResult", description="Who meets the condition, or why nobody was asked."),
]


@strawberry.type(description="Segments.")
class SegmentQuery:
    @field("The project's segments, by name.")
    async def segments(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> SegmentConnection:
        page = page_of(ORDER, first, after, last, before)
        return SegmentConnection.from_slice(await resolve.page(info.context, page))

    @field(
        "Who meets a condition, whether or not it is saved: exactly, mostly in milliseconds.",
        cost=1000,
    )
    async def segment_preview(
        self,
        info: Info,
        conditions: Annotated[SegmentConditionInput, strawberry.argument(description="The condition.")],
        as_of: Annotated[
            datetime | None,
            strawberry.argument(description="As of when it is asked; now by default."),
        ] = None,
    ) -> SegmentPreviewResult:
        try:
            moment = to_instant(as_of, "asOf")
            found = await resolve.preview(info.context, to_conditions(conditions), moment)
            people = await asyncio.gather(*(users.by_key(info.context, key) for key in found.sample))
            sample = [User.from_record(one) for one in people if one is not None]
            return SegmentPreview(
                count=found.count, of=found.asked, as_of=to_datetime(found.as_of), sample=sample
            )
        except Refusal as error:
            return to_problem(error)


@strawberry.type(description="What can be changed in segments.")
class SegmentMutation:
    @mutation("Saves a condition over users.")
    async def create_segment(
        self, info: Info, input: Annotated[CreateSegmentInput, Input]
    ) -> CreateSegmentResult:
        info.context.require(WRITE)
        try:
            about = (input.name, to_conditions(input.conditions), input.idempotency_key)
            answer = await resolve.create(info.context, *about)
            return CreateSegmentPayload(segment=await _segment(info, answer["segment_id"]))
        except Refusal as error:
            return to_problem(error)

    @mutation("Changes a segment. From now on the new conditions are asked, by running journeys, too.")
    async def update_segment(
        self, info: Info, input: Annotated[UpdateSegmentInput, Input]
    ) -> UpdateSegmentResult:
        info.context.require(WRITE)
        try:
            conditions = to_conditions(input.conditions) if input.conditions else None
            about = (_id(input.id), input.name, conditions, input.idempotency_key)
            answer = await resolve.update(info.context, *about)
            return UpdateSegmentPayload(segment=await _segment(info, answer["segment_id"]))
        except Refusal as error:
            return to_problem(error)

    @mutation("Takes a segment away that nothing names.")
    async def delete_segment(
        self, info: Info, input: Annotated[DeleteSegmentInput, Input]
    ) -> DeleteSegmentResult:
        info.context.require(WRITE)
        try:
            await resolve.remove(info.context, _id(input.id), input.idempotency_key)
            return DeleteSegmentPayload(id=input.id)
        except Refusal as error:
            return to_problem(error)


async def _segment(info: Info, segment_id: int) -> Segment:
    found = await resolve.by_id(info.context, segment_id)
    if found is None:
        raise Missing("The segment was taken away since a key was first used.", ("input", "idempotencyKey"))
    return Segment.from_record(found)


def _id(id: strawberry.ID) -> int:
    try:
        return key_in(id, "Segment")[0]
    except BadInput as error:
        raise Missing(error.message, ("input", "id")) from error
