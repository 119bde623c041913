"""The schema, gathered, and its text."""

import strawberry

from .connections import Connection
from .from_data import STEPS
from .in_app import Subscription
from .messages import Message
from .mutations import Mutation
from .queries import Query
from .runs import Run
from .trials import OUTCOMES
from .users import User
from .versions import Version

SCHEMA = strawberry.Schema(
    Query, Mutation, Subscription, types=[*STEPS, *OUTCOMES, Version, Run, User, Message, Connection]
)


def print_schema_text() -> str:
    """The text of `schema.graphql`."""
    return SCHEMA.as_str().strip() + "\n"
