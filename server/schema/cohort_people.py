"""The people behind a cell of a cohort report: listed, or kept as a segment."""

from datetime import date
from typing import Annotated

import strawberry

from server.cohorts.people import Side
from server.resolvers import cohorts as resolve
from server.resolvers import segments, user_lists
from server.resolvers.refusals import Missing, Refusal
from server.store.projects import WRITE

from .cohort_inputs import CohortInput, to_definition
from .cohort_words import CohortSide
from .fields import ONCE, Input, field, mutation
from .info import Info
from .pages import After, Before, First, Last, PageInfo, cursor_of, page_info, page_of
from .problems import (
    ConditionProblems,
    IdempotencyConflictProblem,
    InputProblem,
    NameTakenProblem,
    NotFoundProblem,
    to_problem,
)
from .scalars import Count
from .segments import Segment
from .user_lists import UserList
from .users import User

ORDER = "cohort_people"


@strawberry.input(description="One cell of a report.")
class CohortCellInput:
    base_date: date = strawberry.field(description="A day of the cohort's base period.")
    period: int | None = strawberry.field(
        default=None, description="The period, or the first of a bracket; none for the whole cohort."
    )
    value: str | None = strawberry.field(
        default=None, description="The value of the breakdown; everybody by default."
    )
    side: CohortSide = strawberry.field(default=CohortSide.RETURNED, description="Which people of it.")


@strawberry.input(description="A segment of the people behind a cell.")
class CreateSegmentFromCohortInput:
    name: str = strawberry.field(description="What segment and list are called: 1 to 100 characters.")
    report: CohortInput = strawberry.field(description="The report.")
    cell: CohortCellInput = strawberry.field(description="The cell.")
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.type(description="A user and its place in the list.")
class CohortPersonEdge:
    node: User = strawberry.field(description="The user.")
    cursor: str = strawberry.field(description="Its place, for `after` and `before`.")


@strawberry.type(description="A page of the people behind a cell.")
class CohortPeople:
    edges: list[CohortPersonEdge] = strawberry.field(description="The page.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")
    count: Count = strawberry.field(
        description="How many there are, of the report's unit. Several devices may be one person's, and "
        "whoever was erased is counted and not listed."
    )

    @classmethod
    def from_behind(cls, behind: resolve.Behind) -> "CohortPeople":
        edges = [
            CohortPersonEdge(node=User.from_record(row), cursor=cursor_of(ORDER, row.shard, row.number))
            for row in behind.found.rows
        ]
        told = page_info(behind.found, [edge.cursor for edge in edges])
        return cls(edges=edges, page_info=told, count=behind.units)


@strawberry.type(description="The segment was made, and its list fills.")
class CreateSegmentFromCohortPayload:
    segment: Segment = strawberry.field(description="Whoever is on the list.")
    user_list: UserList = strawberry.field(description="The list: those who were behind the cell just now.")
    people: Count = strawberry.field(description="How many are put on it, within moments.")


CohortPeopleResult = Annotated[
    CohortPeople | ConditionProblems | NotFoundProblem | InputProblem,
    strawberry.union("CohortPeopleResult", description="The people, or why nobody is told."),
]
CreateSegmentFromCohortResult = Annotated[
    CreateSegmentFromCohortPayload
    | ConditionProblems
    | NotFoundProblem
    | NameTakenProblem
    | InputProblem
    | IdempotencyConflictProblem,
    strawberry.union("CreateSegmentFromCohortResult", description="The segment, or why there is none."),
]


@strawberry.type
class CohortPeopleQuery:
    @field("The people behind a cell of a report, as it is now.", cost=100)
    async def cohort_people(
        self,
        info: Info,
        input: Annotated[CohortInput, strawberry.argument(description="The report.")],
        cell: Annotated[CohortCellInput, strawberry.argument(description="The cell.")],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> CohortPeopleResult:
        page = page_of(ORDER, first, after, last, before)
        try:
            asked, wanted = to_definition(input), _cell(cell, ("cell",))
            found = await resolve.behind(info.context, asked, wanted, page, ("input",))
            return CohortPeople.from_behind(found)
        except Refusal as error:
            return to_problem(error)


@strawberry.type
class CohortPeopleMutation:
    @mutation("Keeps the people behind a cell as a segment: on a list, which stays as it is from now on.")
    async def create_segment_from_cohort(
        self, info: Info, input: Annotated[CreateSegmentFromCohortInput, Input]
    ) -> CreateSegmentFromCohortResult:
        info.context.require(WRITE)
        try:
            path = ("input", "report")
            asked, cell = to_definition(input.report, path), _cell(input.cell, ("input", "cell"))
            about = (input.name, asked, cell, path, input.idempotency_key)
            answer = await resolve.make_segment(info.context, *about)
            segment = await segments.by_id(info.context, answer["segment_id"])
            user_list = await user_lists.by_id(info.context, answer["list_id"])
            if segment is None or user_list is None:
                path = ("input", "idempotencyKey")
                raise Missing("It was taken away since the key was first used.", path)
            return CreateSegmentFromCohortPayload(
                segment=Segment.from_record(segment),
                user_list=UserList.from_record(user_list),
                people=answer["people"],
            )
        except Refusal as error:
            return to_problem(error)


def _cell(given: CohortCellInput, path: tuple[str, ...]) -> resolve.Cell:
    return resolve.Cell(given.base_date, given.period, given.value, Side(given.side.value), path)
