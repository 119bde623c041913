"""The words in which a cohort report is asked for."""

from enum import StrEnum


class Kind(StrEnum):
    """What somebody did."""

    EVENT = "event"
    VISIT = "visit"
    FIRST_VISIT = "first_visit"
    REVISIT = "revisit"
    PURCHASE = "purchase"
    FIRST_PURCHASE = "first_purchase"
    REPURCHASE = "repurchase"
    SIGN_UP = "sign_up"
    DEED = "deed"
    """Whatever else is kept by day: a dimension and its value."""
    JOURNEY = "journey"
    """Something that a journey brought about."""


class JourneyDeed(StrEnum):
    """What a journey brings about, as user sets call it."""

    ENTERED = "entered"
    GOT = "sent"
    OPENED = "opened"
    CLICKED = "clicked"
    CONVERTED = "reached"


class Occurrence(StrEnum):
    """Which entries of one and the same unit count."""

    EVERY = "every"
    FIRST_EVER = "first_ever"
    FIRST_MATCHING = "first_matching"


class Unit(StrEnum):
    """Who is counted."""

    DEVICE = "device"
    USER = "user"
    MEMBER = "member"


class Metric(StrEnum):
    """What is counted of those who came in."""

    PEOPLE = "people"
    TIMES = "times"
    VISITS = "visits"
    PURCHASES = "purchases"
    REVENUE = "revenue"


class Mode(StrEnum):
    """Which periods a cell is about."""

    ON = "on"
    ON_OR_AFTER = "on_or_after"
    ON_OR_BEFORE = "on_or_before"
    STREAK = "streak"
    BRACKETS = "brackets"


class Denominator(StrEnum):
    """What a cell's numerator is divided by."""

    COHORT_SIZE = "cohort_size"
    ELIGIBLE = "eligible"
    PREVIOUS = "previous"
    BASE_METRIC = "base_metric"


class Granularity(StrEnum):
    """How long a period is."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Alignment(StrEnum):
    """Where periods begin."""

    CALENDAR = "calendar"
    ROLLING = "rolling"


class DeviceFilter(StrEnum):
    """Which devices count."""

    ALL = "all"
    PC_WEB = "pc_web"
    MOBILE_WEB = "mobile_web"
    APP = "app"
    """Apps, and pages within apps."""


class Binds(StrEnum):
    """What a filter or a breakdown binds."""

    ENTRY = "entry"
    BOTH = "both"


class AsOf(StrEnum):
    """As of when a segment is asked."""

    ENTRY = "entry"
    NOW = "now"
