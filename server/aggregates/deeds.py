"""What is kept of what people do: the dimensions of deed sets, with their limits.

A deed is something that a user or a device did, or was, on a day of the project's zone. Its set has the
numbers of those who did, and beside each number how often or how much.
"""

from enum import StrEnum

from .calendar import ALL_TIME, month_of


class Unit(StrEnum):
    """Whose numbers a set holds."""

    USER = "user"
    DEVICE = "device"


class Deed(StrEnum):
    """The dimensions. In brackets what the value is, after the semicolon what the amount counts."""

    VISITED = "visited"
    """[empty]; sessions begun that day."""
    DEVICE = "device"
    """[pc_web, mobile_web, hybrid_app, app] of the session in which something was done; sessions begun."""
    SOURCE = "source"
    """[search, social, referral, direct, ad, email, message]; as for DEVICE, and so down to LANDING."""
    ORIGIN = "origin"
    """[google, naver, a domain, utm_source]."""
    MEDIUM = "medium"
    CAMPAIGN = "campaign"
    KEYWORD = "keyword"
    AD = "ad"
    """[the network]."""
    LANDING = "landing"
    """[host and path of the session's first page]."""
    DID = "did"
    """[the event's name; `$page` and `$screen`, and the name of the page or screen]; times."""
    ORDERED = "ordered"
    """[empty]; orders."""
    SPENT = "spent"
    """[currency]; in ten-thousandths of its unit."""
    REFUNDED = "refunded"
    """[currency]; likewise, and positive."""
    SIGNED_UP = "signed_up"
    """[empty]."""
    MEMBER = "member"
    """[empty]: acted while known by a user id."""
    PROPERTY = "property"
    """[event, property and value, with SEPARATOR between]; times. Only what the project declares."""
    MASKED = "masked"
    """[empty], all time alone: who turned out to be another. Readings leave them out; nobody else asks."""


SEPARATOR = "\x1f"
OTHER = "(other)"
"""Gathers what comes up when a dimension has as many values as it may."""
MOST_VALUES = 1000
"""Values of a limited dimension in a project; of a declared property as well."""
LONGEST_VALUE = 500
"""Characters: an index of PostgreSQL's takes no more than 2,700 bytes."""
LIMITED = frozenset(
    (Deed.KEYWORD, Deed.LANDING, Deed.CAMPAIGN, Deed.ORIGIN, Deed.DID, Deed.PROPERTY),
)
"""Dimensions whose values are anything that people and pages come up with."""


def spread(day: int) -> tuple[int, int, int]:
    """The spans into which falls what was done on a day."""
    return day, month_of(day), ALL_TIME


def property_value(event: str, name: str, value: str) -> str:
    """The value of PROPERTY for one value of an event's property."""
    return f"{event}{SEPARATOR}{name}{SEPARATOR}{value}"


def others_of(dimension: str, value: str) -> str:
    """The value under which this one is gathered, should there be too many."""
    return f"{value.rpartition(SEPARATOR)[0]}{SEPARATOR}{OTHER}" if dimension == Deed.PROPERTY else OTHER
