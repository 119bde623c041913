"""Why: a run's turns, a person's entry or absence, a message's fate; as lists of facts."""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry.scalars import JSON

from server.clock import to_datetime_if_any
from server.resolvers.explaining import facts

from .words import value, word

if TYPE_CHECKING:
    from .users import User


@strawberry.enum(description="What kind of fact it is. Texts may change; these do not.")
class FactCode(Enum):
    STATUS = value("status", description="The journey's status, and the version that was looked at.")
    ENTRY = value("entry", description="A way in, and what it asks for.")
    EVENT = value("event", description="An event of the person that was looked at.")
    NO_EVENT = value("no_event", description="The person has never done what an entry asks for.")
    CONDITION_HELD = value("condition_held", description="A condition that was met.")
    CONDITION_FAILED = value("condition_failed", description="A condition that was not met.")
    REENTRY = value("reentry", description="Who may come in again.")
    ENTERED = value("entered", description="The person entered.")
    REFUSED = value("refused", description="The person would have entered, and was refused.")
    HELD_OUT = value("held_out", description="A share of people that gets nothing.")
    DECIDED = value("decided", description="A step has decided, or asked for the message.")
    SENT = value("sent", description="A step has asked for a message.")
    CONVERTED = value("converted", description="A goal was reached.")
    ENDED = value("ended", description="The run ended.")
    WAITS = value("waits", description="What the run waits for, and until when.")
    CAN_END = value("can_end", description="What would end the wait or the run before.")
    ADDRESS = value("address", description="Where the message was to go.")
    CONNECTION = value("connection", description="Through which connection.")
    TEMPLATE = value("template", description="Of which template it is made, and in which version.")
    EVIDENCE = value("evidence", description="What made it lawful when it left.")
    CONSENT = value("consent", description="What the user has decided about such messages.")
    SUPPRESSED = value("suppressed", description="The address is suppressed.")
    DUE = value("due", description="When it leaves at the earliest, or what it waits for.")
    EXPIRES = value("expires", description="When it would be too late.")
    ATTEMPTED = value("attempted", description="That it was handed over, and how often.")
    HEARD = value("heard", description="One thing that was heard of it.")
    OUTCOME = value("outcome", description="What became of it, in one sentence.")
    FALLBACK = value(
        "fallback", description="What it goes in the place of, or what goes in its place, and how that fared."
    )
    OTHER = value("other", description="A kind that this version of the API does not know.")


@strawberry.type(description="One fact of an explanation.")
class Fact:
    code: FactCode = strawberry.field(description="What kind of fact it is; for programs.")
    text: str = strawberry.field(description="The fact in plain words.")
    at: datetime | None = strawberry.field(description="When it became so, where that is known.")
    step_key: strawberry.ID | None = strawberry.field(description="The step that it is about, if it is.")
    values: JSON = strawberry.field(description="What it was read from, e.g. what a decision looked at.")


def to_facts(found: Sequence[facts.Fact]) -> list[Fact]:
    return [
        Fact(
            code=word(FactCode, one.code.value, FactCode.OTHER),
            text=one.text,
            at=to_datetime_if_any(one.at),
            step_key=strawberry.ID(one.step_key) if one.step_key else None,
            values=JSON(one.values),
        )
        for one in found
    ]


@strawberry.enum(description="Whether somebody entered a journey, in one word.")
class EntryVerdict(Enum):
    ENTERED = value("entered", description="The person entered by the event that was looked at.")
    REFUSED = value("refused", description="The event would have let the person in, and was refused.")
    NO_EVENT = value("no_event", description="The person has never done what the entries ask for.")
    CONDITIONS = value("conditions", description="The event did not meet the conditions of the entries.")
    NOT_RUNNING = value("not_running", description="The journey let nobody in at that time.")
    UNDECIDED = value(
        "undecided", description="The facts do not tell: e.g. the journey has another way in, or has changed."
    )


@strawberry.type(description="Why somebody entered a journey, or did not.")
class EntryExplanation:
    user: Annotated["User", strawberry.lazy(".users")] = strawberry.field(description="The person.")
    verdict: EntryVerdict = strawberry.field(description="The answer in one word.")
    facts: list[Fact] = strawberry.field(
        description="The journey's status, each entry with its conditions one by one, the rule for coming "
        "again, and every entry and refusal that is recorded, at most 20 of each.",
        metadata={"list_size": 15},
    )
