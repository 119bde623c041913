"""The closed sets of words about how runs stand. Each value is the word of the journey core."""

from enum import Enum

import strawberry

from .words import value


@strawberry.enum(description="How a run stands, in one word; `endReason` says it exactly.")
class RunMark(Enum):
    IN_PROGRESS = value("in_progress", description="It is inside; `waitsFor` says what it waits for.")
    FINISHED = value("finished", description="It came to an end of the journey, or went on in another.")
    LEFT_EARLY = value(
        "left_early", description="By what the person did: a goal that ends the journey, or a cancel event."
    )
    TAKEN_OUT = value(
        "taken_out",
        description="By a decision: stopped, edited, removed, erased, overdue, merged, or held out.",
    )
    DROPPED_OFF = value("dropped_off", description="By an error: an internal one, or one of sending.")


@strawberry.enum(description="What has to come for a run to go on.")
class Awaited(Enum):
    TIME = value("time", description="A time: `until`.")
    EVENT = value("event", description="Something that the person does, or `until`, whichever is earlier.")
    MESSAGE = value("message", description="What becomes of the step's message, or `until`.")
    SILENCE = value("silence", description="The end of silent hours: `until`.")
