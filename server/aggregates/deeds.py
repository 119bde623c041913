"""What is kept of what people do: the dimensions of deed sets, with their limits.

A deed is something that a user or a device did, or was, on a day of the project's zone. Its set has the
numbers of those who did, and beside each number how often or how much.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from enum import StrEnum
from operator import attrgetter
from typing import NamedTuple, Protocol

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
    """[the network, or who the tags of the link name as its source]."""
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
LONGEST_PROPERTY = 120
"""The same of a property's value: with the names of the event and the property it has to fit, too."""
LIMITED = frozenset(
    (
        *(Deed.ORIGIN, Deed.MEDIUM, Deed.CAMPAIGN, Deed.KEYWORD, Deed.AD, Deed.LANDING),
        *(Deed.DID, Deed.PROPERTY),
    ),
)
"""Dimensions whose values are anything that people and pages come up with."""


def spread(day: int) -> tuple[int, int, int]:
    """The spans into which falls what was done on a day."""
    return day, month_of(day), ALL_TIME


def property_value(event: str, name: str, value: str) -> str:
    """The value of PROPERTY for one value of an event's property: it may be any text, the names may not."""
    return f"{event}{SEPARATOR}{name}{SEPARATOR}{value.replace(SEPARATOR, ' ')}"


def property_of(value: str) -> str:
    """The event and its property, of a value of PROPERTY."""
    return SEPARATOR.join(value.split(SEPARATOR, 2)[:2])


def others_of(dimension: str, value: str) -> str:
    """The value under which this one is gathered, should there be too many."""
    return f"{property_of(value)}{SEPARATOR}{OTHER}" if dimension == Deed.PROPERTY else OTHER


_ORIGINS = tuple(
    one.value
    for one in (Deed.SOURCE, Deed.ORIGIN, Deed.MEDIUM, Deed.CAMPAIGN, Deed.KEYWORD, Deed.AD, Deed.LANDING)
)
_origin_of = attrgetter(*_ORIGINS)


class Act(NamedTuple):
    """A deed of somebody on a day, and how much of it."""

    deed: str
    value: str
    day: int
    amount: int


OF_ORDERS = frozenset((Deed.ORDERED, Deed.SPENT, Deed.REFUNDED))
"""What is counted of a user by orders, and not by events: an order may be told several times."""
_DID, _MEMBER, _VISITED, _DEVICE = (one.value for one in (Deed.DID, Deed.MEMBER, Deed.VISITED, Deed.DEVICE))
_ANY_PAGE = {"page": "$page", "screen": "$screen"}


def acts_of_event(type: str, name: str, day: int, told: Iterable[Act], *, by_member: bool) -> list[Act]:
    """What an event is, whoever told it: `told` is what was recognised in it."""
    acts = [*told]
    any_page = _ANY_PAGE.get(type, "")
    if any_page:
        acts.append(Act(_DID, any_page, day, 1))
    if name and name != any_page and (any_page or type == "track"):
        acts.append(Act(_DID, name, day, 1))
    if by_member:
        acts.append(Act(_MEMBER, "", day, 0))
    return acts


class Visit(Protocol):
    """What a session was recognised as."""

    @property
    def device(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def origin(self) -> str: ...
    @property
    def medium(self) -> str: ...
    @property
    def campaign(self) -> str: ...
    @property
    def keyword(self) -> str: ...
    @property
    def ad(self) -> str: ...
    @property
    def landing(self) -> str: ...


def places_of(visit: Visit) -> list[tuple[str, str]]:
    """The dimensions and values of a session: where it came from only once that is known."""
    found = [(_VISITED, "")]
    if visit.device:
        found.append((_DEVICE, visit.device))
    return [*found, *(origins_of(visit) if visit.source else [])]


def origins_of(visit: Visit) -> list[tuple[str, str]]:
    """Those of where it came from."""
    values = zip(_ORIGINS, _origin_of(visit), strict=True)
    return [(deed, value) for deed, value in values if value]


def acts_of_session(visit: Visit, began: int | None, days: Iterable[int]) -> list[Act]:
    """`began` is the day on which it counts as begun, `days` are those on which something was done in it."""
    return [Act(deed, value, day, int(day == began)) for deed, value in places_of(visit) for day in days]


def days_between(first: int, last: int) -> list[int]:
    """Every day from the first up to and with the last."""
    if first == last:
        return [first]
    day, ends = _date(first), _date(last)
    found = []
    while day <= ends:
        found.append(day.year * 10_000 + day.month * 100 + day.day)
        day += timedelta(days=1)
    return found


def _date(day: int) -> date:
    return date(day // 10_000, day // 100 % 100, day % 100)
