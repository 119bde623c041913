"""The schema, gathered, and its text."""

from typing import Any

import strawberry
from strawberry.schema.config import StrawberryConfig

from .alimtalk_templates import AlimtalkRegistration, AlimtalkTemplate
from .cohort_reports import SavedCohortReport
from .connections import Connection
from .entry_requests import EntryRequest
from .executing import Executor
from .exports import Export
from .from_data import STEPS
from .messages import Message
from .mutations import Mutation
from .notices import Notice
from .prices import Price
from .queries import Query
from .runs import Run
from .scalars import SCALARS
from .segments import Segment
from .sender_profiles import SenderProfile
from .subscriptions import Subscription
from .trials import OUTCOMES
from .user_lists import UserList
from .users import User
from .versions import Version
from .vouchers import VoucherPool


class _Schema(strawberry.Schema):
    def process_errors(self, *about: Any) -> None:
        """Errors are logged where they are masked; this would write down every wrong token that is shown."""


SCHEMA = _Schema(
    Query,
    Mutation,
    Subscription,
    config=StrawberryConfig(scalar_map=SCALARS),
    execution_context_class=Executor,
    types=[
        *STEPS,
        *OUTCOMES,
        Version,
        Run,
        User,
        Message,
        Connection,
        Notice,
        VoucherPool,
        Segment,
        UserList,
        EntryRequest,
        Export,
        SavedCohortReport,
        AlimtalkTemplate,
        AlimtalkRegistration,
        SenderProfile,
        Price,
    ],
)


def print_schema_text() -> str:
    """The text of `schema.graphql`."""
    return SCHEMA.as_str().strip() + "\n"
