"""Closed sets of words in the conditions of segments."""

from enum import Enum

import strawberry

from .words import value


@strawberry.enum(description="Which of the times at which something happened are looked at.")
class SegmentWhich(Enum):
    EVERY = value("every", description="All of them.")
    FIRST = value("first", description="Only the first there ever was.")
    LAST = value("last", description="Only the last until the moment of asking.")


@strawberry.enum(description="What is made of the numbers that events carry.")
class SegmentSum(Enum):
    SUM = value("sum", description="All of them together; 0 if there are none.")
    AVERAGE = value("average", description="Their mean; nothing fits if there are none.")
    MIN = value("min", description="The smallest; nothing fits if there are none.")
    MAX = value("max", description="The largest; nothing fits if there are none.")


@strawberry.enum(description="What became of a message. Each counts for a message once, at its first time.")
class SegmentMessageAct(Enum):
    SENT = value("sent", description="The provider took it over.")
    DELIVERED = value("delivered", description="The provider reports it as delivered.")
    OPENED = value("opened", description="A person opened it, or followed a link in it.")
    CLICKED = value("clicked", description="A person followed a link in it.")
