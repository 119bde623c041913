"""What makes a template lawful: what kind of notice it is, and on which ground it may be sent.

An Alimtalk is for information that its reader has asked for. A notice about coupons or points is that only if
it is declared: why it is given, to whom it is promised, and by whom.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any


class NoticeOf(StrEnum):
    """What a template tells of."""

    INFORMATION = "information"
    COUPON = "coupon"
    POINTS = "points"
    AUTHENTICATION = "authentication"


class Ground(StrEnum):
    """Why its reader has a right to the coupon or the points."""

    NONE = ""
    CONSENT = "consent"
    EVENT_PRIZE = "event_prize"
    TERMS = "terms"
    SURVEY = "survey"
    PURCHASE_GIFT = "purchase_gift"


BENEFITS = frozenset({NoticeOf.COUPON, NoticeOf.POINTS})
ASKED_BEFORE = frozenset({Ground.CONSENT, Ground.TERMS})
"""Grounds on which each reader must have agreed before."""
BENEFIT_NOTICE = "benefit_notice"
"""The purpose of the consent that such a message demands."""
LONGEST = 500


@dataclass(frozen=True, slots=True)
class Declaration:
    """What the shop declares of a template."""

    kind: NoticeOf = NoticeOf.INFORMATION
    ground: Ground = Ground.NONE
    issue_condition: str = ""
    """What one has done to be given it, in the words of the message."""
    terms_version: str = ""
    terms_at: str = ""
    """The day since when those terms hold, as YYYY-MM-DD."""
    is_expiry_notice: bool = False
    company: str = ""
    """The name of the shop, with which the message begins."""

    @property
    def is_of_benefit(self) -> bool:
        """Whether it goes to members only, and only on a declared ground."""
        return self.kind in BENEFITS

    @property
    def demands(self) -> str:
        """The purpose of the consent that a reader must have given; empty for none."""
        return BENEFIT_NOTICE if self.is_of_benefit and self.ground in ASKED_BEFORE else ""


@dataclass(frozen=True, slots=True)
class Missing:
    """A part of a declaration without which its template is not submitted."""

    field: str
    message: str


def missing(declaration: Declaration) -> list[Missing]:
    """What a declaration still lacks; nothing if it is complete."""
    if not declaration.is_of_benefit:
        return []
    found = [Missing(name, why) for name, why in _ALWAYS.items() if not getattr(declaration, name)]
    if declaration.ground is Ground.TERMS:
        found += [Missing(name, why) for name, why in _OF_TERMS.items() if not getattr(declaration, name)]
    return found


_ALWAYS = {
    "ground": "A notice about coupons or points has to say on which ground its reader gets them.",
    "issue_condition": "A notice about coupons or points has to say what they are given for.",
    "company": "A notice about coupons or points begins with the name of the shop: say which it is.",
}
_OF_TERMS = {
    "terms_version": "Where terms are the ground, say which version of them promises it.",
    "terms_at": "Where terms are the ground, say since when they hold.",
}


def read_declaration(data: Mapping[str, Any]) -> Declaration:
    """From what `to_data` gives. Words that it does not know raise ValueError."""
    known = {one.name for one in fields(Declaration)}
    given = {name: value for name, value in data.items() if name in known}
    given["kind"] = NoticeOf(given.get("kind", NoticeOf.INFORMATION))
    given["ground"] = Ground(given.get("ground", Ground.NONE))
    return Declaration(**given)


def to_data(declaration: Declaration) -> dict[str, Any]:
    """As plain data, which is how a version keeps it."""
    return asdict(declaration)
