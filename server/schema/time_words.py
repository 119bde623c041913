"""The closed sets of words about times. Each value is the word that is stored."""

from enum import Enum

import strawberry

from .words import value


@strawberry.enum(description="A day of the week, which begins on Monday.")
class Weekday(Enum):
    MONDAY = value("monday", description="월요일.")
    TUESDAY = value("tuesday", description="화요일.")
    WEDNESDAY = value("wednesday", description="수요일.")
    THURSDAY = value("thursday", description="목요일.")
    FRIDAY = value("friday", description="금요일.")
    SATURDAY = value("saturday", description="토요일.")
    SUNDAY = value("sunday", description="일요일.")


@strawberry.enum(description="What follows for whoever arrives after today's time.")
class IfTimePassed(Enum):
    TOMORROW = value("tomorrow", description="Waits until it is that time tomorrow.")
    GO_ON = value("go_on", description="Goes on at once.")


@strawberry.enum(description="What follows for whoever arrives after the date.")
class IfDatePassed(Enum):
    GO_ON = value("go_on", description="Goes on at once by `next`.")
    LEAVE = value("leave", description="Leaves at once by the output `passed`.")


@strawberry.enum(description="What follows where no date can be read.")
class IfUnreadable(Enum):
    END = value("end", description="The run ends as INTERNAL_ERROR, and says why.")
    LEAVE = value("leave", description="Leaves at once by the output `unreadable`.")


@strawberry.enum(description="Where a value stands.")
class ValueSource(Enum):
    ATTRIBUTE = value("attribute", description="In what is known of the user.")
    PROPERTY = value("property", description="In the event that let the run in.")


@strawberry.enum(description="Which messages keep silent hours.")
class SilenceAppliesTo(Enum):
    ALL = value("all", description="Every message.")
    ADVERTISEMENT = value("advertisement", description="Only those whose purpose is ADVERTISEMENT.")
