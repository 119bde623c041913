"""Questions of messages: got, opened, clicked, or none of it."""

from enum import StrEnum

from ..moment import Predicate
from ..reading import Reader
from .happened import Happened
from .journeys import LONGEST_KEY, read_journey
from .person import Facts
from .times import read_times

MESSAGE = "message"


class Act(StrEnum):
    """What became of a message; each counts for a message once, at its first time."""

    SENT = "sent"
    DELIVERED = "delivered"
    OPENED = "opened"
    """By a person: opened, or a link in it followed."""
    CLICKED = "clicked"


def read_message(reader: Reader) -> Happened:
    act = reader.choice("act", tuple(Act))
    told = {name: reader.text(name, required=False, longest=LONGEST_KEY) for name in ("step", "channel")}
    where = tuple(Predicate(name, "equals", found) for name, found in told.items() if found)
    journey = read_journey(reader, required=False)
    if told["step"] and not journey:
        reader.refuse("journey", "Of which journey the step is has to be said", "missing")
    return Happened(Facts(MESSAGE, act, journey), read_times(reader), where)
