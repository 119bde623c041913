"""What a shop declares of a template: what makes a notice about coupons or points lawful."""

from enum import Enum

import strawberry

from server.alimtalk.declaration import Declaration, Ground, NoticeOf, missing
from server.resolvers.refusals import Invalid

from .alimtalk_words import AlimtalkNoticeOf
from .words import value

LONGEST = 500


@strawberry.enum(description="Why its reader has a right to the coupon or the points.")
class AlimtalkGround(Enum):
    CONSENT = value("consent", description="They agreed to such notices; each must have, to be written to.")
    EVENT_PRIZE = value("event_prize", description="The prize of an event in which they took part.")
    TERMS = value("terms", description="Terms that they agreed to promise it; each must have agreed.")
    SURVEY = value("survey", description="They took part in a survey.")
    PURCHASE_GIFT = value("purchase_gift", description="A gift for something that they bought.")


@strawberry.type(description="What makes a template lawful. It is kept with each message that is sent by it.")
class AlimtalkDeclaration:
    notice_of: AlimtalkNoticeOf = strawberry.field(description="What the template tells of.")
    ground: AlimtalkGround | None = strawberry.field(description="Why it may be told; null for none.")
    issue_condition: str = strawberry.field(description="What the coupon or the points are given for.")
    terms_version: str = strawberry.field(description="Which version of the terms promises it.")
    terms_at: str = strawberry.field(description="The day since when those terms hold.")
    is_expiry_notice: bool = strawberry.field(description="Whether it tells that something lapses.")
    company: str = strawberry.field(description="The name of the shop, with which the message begins.")
    missing: list[str] = strawberry.field(
        description="What it still lacks, in words: with any, no review is asked for.",
        metadata={"list_size": 3},
    )

    @classmethod
    def from_record(cls, record: Declaration) -> "AlimtalkDeclaration":
        return cls(
            notice_of=AlimtalkNoticeOf(record.kind.value),
            ground=AlimtalkGround(record.ground.value) if record.ground else None,
            issue_condition=record.issue_condition,
            terms_version=record.terms_version,
            terms_at=record.terms_at,
            is_expiry_notice=record.is_expiry_notice,
            company=record.company,
            missing=[one.message for one in missing(record)],
        )


@strawberry.input(description="What makes a template lawful. Notices of coupons and points need all of it.")
class AlimtalkDeclarationInput:
    notice_of: AlimtalkNoticeOf = strawberry.field(
        default=AlimtalkNoticeOf.INFORMATION, description="What the template tells of."
    )
    ground: AlimtalkGround | None = strawberry.field(
        default=None, description="Why its reader has a right to the coupon or the points."
    )
    issue_condition: str = strawberry.field(
        default="", description="What they are given for, in the words of the message."
    )
    terms_version: str = strawberry.field(
        default="", description="Which version of the terms promises it, where terms are the ground."
    )
    terms_at: str = strawberry.field(
        default="", description="The day since when those terms hold, as YYYY-MM-DD."
    )
    is_expiry_notice: bool = strawberry.field(
        default=False, description="Whether it tells that something lapses."
    )
    company: str = strawberry.field(
        default="", description="The name of the shop, with which the message begins."
    )


def to_declaration(given: AlimtalkDeclarationInput) -> Declaration:
    """Raises Invalid."""
    texts = {name: getattr(given, name).strip() for name in _TEXTS}
    for name, text in texts.items():
        if len(text) > LONGEST or "\0" in text:
            raise Invalid(f"At most {LONGEST} characters.", ("input", "declaration", _TEXTS[name]))
    return Declaration(
        kind=NoticeOf(given.notice_of.value),
        ground=Ground(given.ground.value) if given.ground else Ground.NONE,
        is_expiry_notice=given.is_expiry_notice,
        **texts,
    )


_TEXTS = {
    "issue_condition": "issueCondition",
    "terms_version": "termsVersion",
    "terms_at": "termsAt",
    "company": "company",
}
