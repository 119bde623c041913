"""The closed sets of words of entries."""

from enum import Enum

import strawberry

from .words import value


@strawberry.enum(description="In which zone the clock shows the time.")
class LaunchZone(Enum):
    PROJECT = value("project", description="The project's: for all at the same instant.")
    PERSON = value("person", description="Each person's own, or the project's where it is not known.")


@strawberry.enum(description="What becomes of a person whose time of that day has passed at the start.")
class IfMomentPassed(Enum):
    AT_ONCE = value("at_once", description="Comes in at once.")
    NEXT_DAY = value("next_day", description="Comes in at that time of the next day.")
    SKIP = value("skip", description="Is refused as TIME_PASSED.")


@strawberry.enum(description="How often an audience is let in.")
class ScheduleKind(Enum):
    ONCE = value("once", description="On one day.")
    DATES = value("dates", description="On several days.")
    EVERY_DAYS = value("every_days", description="Every so many days.")
    EVERY_WEEKS = value("every_weeks", description="Every so many weeks, on some weekdays.")
