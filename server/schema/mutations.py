"""Everything that can be changed in journeys. One input each; a payload, or a typed problem."""

from typing import Annotated

import strawberry

from server.resolvers import drafts
from server.resolvers.refusals import Refusal

from .alimtalk_campaigns import AlimtalkCampaignMutation
from .alimtalk_library import AlimtalkLibraryMutation
from .alimtalk_reviews import AlimtalkReviewMutation
from .alimtalk_saving import AlimtalkSavingMutation
from .alimtalk_trials import AlimtalkTrialMutation
from .applying import ApplyMutation
from .caps import CapMutation
from .changing import changed, journey_key, writing
from .cohort_people import CohortPeopleMutation
from .cohort_reports import CohortReportMutation
from .commerce_events import CommerceMutation
from .connection_changes import ConnectionMutation
from .consents import ConsentMutation
from .coupons import CouponMutation
from .declared import DeclaredMutation
from .entry_requests import EnteringMutation
from .erasing import ErasureMutation
from .experiments import ExperimentMutation
from .exports import ExportMutation
from .fields import ONCE, Input, mutation
from .graph_inputs import GraphInput
from .guards import GuardMutation
from .in_app import InAppMutation
from .info import Info
from .journeys import Journey
from .law import LawMutation
from .library import LibraryMutation
from .lifecycle import LifeMutation
from .named_journeys import with_ids
from .notices import NoticeMutation
from .prices import PriceMutation
from .problems import (
    IdempotencyConflictProblem,
    InputProblem,
    NameTakenProblem,
    NotAllowedProblem,
    NotFoundProblem,
    RevisionConflictProblem,
    to_problem,
)
from .publishing import PublishingMutation
from .removing import RemovalMutation
from .retention import RetentionMutation
from .segments import SegmentMutation
from .sender_profile_changes import SenderProfileMutation
from .suppressions import SuppressionMutation
from .to_data import to_data
from .trials import TrialMutation
from .user_lists import UserListMutation
from .vouchers import VoucherMutation


@strawberry.input(description="A new journey.")
class CreateJourneyInput:
    title: str = strawberry.field(description="What people call it: 1 to 200 characters.")
    category: str | None = strawberry.field(default=None, description="By which people sort journeys.")
    handle: str | None = strawberry.field(
        default=None,
        description="What files call it: 1 to 100 letters, digits, - and _; of no other journey.",
    )
    graph: GraphInput | None = strawberry.field(
        default=None, description="A first drawing; may have problems."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.input(description="A copy of a journey.")
class CloneJourneyInput:
    id: strawberry.ID = strawberry.field(description="The journey to copy.")
    title: str | None = strawberry.field(
        default=None, description="What people call the copy; the same title if left out."
    )
    with_draft: bool = strawberry.field(
        default=True,
        description="Whether what is drawn and unpublished is copied; else the newest version.",
    )
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.input(description="Another title, category or handle for a journey.")
class RenameJourneyInput:
    id: strawberry.ID = strawberry.field(description="The journey.")
    title: str | None = strawberry.field(default=None, description="The new title; stays if left out.")
    category: str | None = strawberry.field(
        default=None, description="The new category, empty for none; stays if left out."
    )
    handle: str | None = strawberry.field(
        default=None, description="The new handle, empty for none; stays if left out."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.input(description="What is drawn now.")
class SaveDraftInput:
    id: strawberry.ID = strawberry.field(description="The journey.")
    graph: GraphInput = strawberry.field(description="The whole drawing; may have problems.")
    expected_revision: int = strawberry.field(
        description="The revision that the drawing was made from; 0 for the first. Another one is refused."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.type(description="The journey was created.")
class CreateJourneyPayload:
    journey: Journey = strawberry.field(description="The new journey, a draft.")


@strawberry.type(description="The copy was made.")
class CloneJourneyPayload:
    journey: Journey = strawberry.field(description="The copy, a draft.")


@strawberry.type(description="The journey was renamed.")
class RenameJourneyPayload:
    journey: Journey = strawberry.field(description="The journey.")


@strawberry.type(description="The draft was saved.")
class SaveDraftPayload:
    journey: Journey = strawberry.field(description="The journey.")
    revision: int = strawberry.field(description="The draft's new revision.")


CreateJourneyResult = Annotated[
    CreateJourneyPayload | NameTakenProblem | InputProblem | IdempotencyConflictProblem,
    strawberry.union("CreateJourneyResult", description="The new journey, or why there is none."),
]
CloneJourneyResult = Annotated[
    CloneJourneyPayload | NotFoundProblem | InputProblem | IdempotencyConflictProblem,
    strawberry.union("CloneJourneyResult", description="The copy, or why there is none."),
]
RenameJourneyResult = Annotated[
    RenameJourneyPayload | NotFoundProblem | NameTakenProblem | InputProblem | IdempotencyConflictProblem,
    strawberry.union("RenameJourneyResult", description="The journey, or why it keeps its name."),
]
SaveDraftResult = Annotated[
    SaveDraftPayload
    | NotFoundProblem
    | NotAllowedProblem
    | RevisionConflictProblem
    | InputProblem
    | IdempotencyConflictProblem,
    strawberry.union("SaveDraftResult", description="The new revision, or why nothing was saved."),
]


@strawberry.type(description="Everything that can be changed. Needs a key with the scope `write`.")
class Mutation(
    AlimtalkSavingMutation,
    AlimtalkCampaignMutation,
    AlimtalkReviewMutation,
    SenderProfileMutation,
    AlimtalkTrialMutation,
    ApplyMutation,
    LibraryMutation,
    AlimtalkLibraryMutation,
    LifeMutation,
    PublishingMutation,
    RemovalMutation,
    ErasureMutation,
    ConnectionMutation,
    TrialMutation,
    SuppressionMutation,
    ConsentMutation,
    ExperimentMutation,
    InAppMutation,
    NoticeMutation,
    SegmentMutation,
    EnteringMutation,
    UserListMutation,
    CapMutation,
    CommerceMutation,
    DeclaredMutation,
    CouponMutation,
    RetentionMutation,
    VoucherMutation,
    GuardMutation,
    ExportMutation,
    CohortReportMutation,
    CohortPeopleMutation,
    PriceMutation,
    LawMutation,
):
    @mutation("Makes a journey, as a draft.")
    async def create_journey(
        self, info: Info, input: Annotated[CreateJourneyInput, Input]
    ) -> CreateJourneyResult:
        context, key = writing(info), input.idempotency_key
        graph = await with_ids(context, to_data(input.graph)) if input.graph else None
        try:
            about = input.title, input.category or "", graph, key
            answer = await drafts.create(context, *about, handle=input.handle)
            return CreateJourneyPayload(journey=await changed(context, answer))
        except Refusal as error:
            return to_problem(error)

    @mutation("Makes a draft with the same drawing and category. People, figures and times are not copied.")
    async def clone_journey(
        self, info: Info, input: Annotated[CloneJourneyInput, Input]
    ) -> CloneJourneyResult:
        context, key = writing(info), input.idempotency_key
        try:
            about = (journey_key(input.id), input.title, key)
            answer = await drafts.clone(context, *about, with_draft=input.with_draft)
            return CloneJourneyPayload(journey=await changed(context, answer))
        except Refusal as error:
            return to_problem(error)

    @mutation("Gives a journey another title, category or handle.")
    async def rename_journey(
        self, info: Info, input: Annotated[RenameJourneyInput, Input]
    ) -> RenameJourneyResult:
        context, key = writing(info), input.idempotency_key
        try:
            about = journey_key(input.id), input.title, input.category, key
            answer = await drafts.rename(context, *about, handle=input.handle)
            return RenameJourneyPayload(journey=await changed(context, answer))
        except Refusal as error:
            return to_problem(error)

    @mutation("Keeps what is drawn, whatever is wrong with it; nobody is concerned yet.")
    async def save_draft(self, info: Info, input: Annotated[SaveDraftInput, Input]) -> SaveDraftResult:
        context, key = writing(info), input.idempotency_key
        graph = await with_ids(context, to_data(input.graph))
        try:
            answer = await drafts.save(context, journey_key(input.id), graph, input.expected_revision, key)
            return SaveDraftPayload(journey=await changed(context, answer), revision=answer["revision"])
        except Refusal as error:
            return to_problem(error)
