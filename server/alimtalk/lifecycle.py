"""How a template stands at a relay, and what may be done with it then.

Two axes that KakaoTalk keeps apart: how far its review is, and whether it is in use; beside them two flags.
What a relay tells is folded in here; what we ask of a relay is allowed here first. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from channels.alimtalk.desk import DeskCan, Does, Inspection, Operation
from server.clock import Instant


@dataclass(frozen=True, slots=True)
class Standing:
    """How a version stands at one relay."""

    inspection: Inspection = Inspection.DRAFT
    operation: Operation = Operation.READY
    is_blocked: bool = False
    is_dormant: bool = False
    as_of: Instant = 0
    """As of when this is true."""

    @property
    def is_sendable(self) -> bool:
        """As far as the template itself is concerned."""
        in_use = self.operation is not Operation.STOPPED
        return self.inspection is Inspection.APPROVED and in_use and not (self.is_blocked or self.is_dormant)

    @property
    def is_under_review(self) -> bool:
        return self.inspection in UNDER_REVIEW


UNDER_REVIEW = frozenset({Inspection.REQUESTED, Inspection.IN_REVIEW})
OPEN = frozenset({Inspection.DRAFT, Inspection.REJECTED})
"""Nobody has it before them: it can be changed."""
IN_USE = frozenset({Operation.READY, Operation.ACTIVE})


def folded(known: Standing, told: Standing) -> Standing:
    """The later of two. Of what is told as of one instant the same wins in any order."""
    return max(told, known, key=_place)


def _place(standing: Standing) -> tuple[int, ...]:
    return (
        standing.as_of,
        standing.is_blocked,
        standing.is_dormant,
        list(Inspection).index(standing.inspection),
        list(Operation).index(standing.operation),
    )


class Act(StrEnum):
    """What may be asked of a relay about a template that it has."""

    EDIT = "edit"
    REVISE = "revise"
    """Changing an approved one, which is sent on until the change is approved."""
    REQUEST = "request"
    CANCEL = "cancel"
    COMMENT = "comment"
    STOP = "stop"
    REUSE = "reuse"
    CANCEL_APPROVAL = "cancel_approval"
    RELEASE = "release"
    DELETE = "delete"


OF_THE_CODE = frozenset({Act.DELETE, Act.STOP, Act.REUSE, Act.RELEASE, Act.CANCEL_APPROVAL})
"""What a relay does to all that is under a code: to the one that is live, if it is asked for its revision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line of the table: when it may be asked, who can do it, and what comes of it."""

    needs: Does
    """What the desk has to be able to do."""
    inspections: frozenset[Inspection] = frozenset(Inspection)
    operations: frozenset[Operation] = frozenset(Operation)
    is_dormant: bool = False
    """Whether it is for dormant templates; others are for those that are not."""
    becomes: Mapping[str, object] = field(default_factory=dict)
    """What changes at once, before the relay says more."""
    only: str = ""
    """What it is for, in words."""


_APPROVED = frozenset({Inspection.APPROVED})
RULES: Mapping[Act, Rule] = {
    Act.EDIT: Rule(
        needs=Does.UPDATE,
        inspections=OPEN,
        operations=frozenset({Operation.READY}),
        only="a draft, or one that was rejected, can be edited",
    ),
    Act.REVISE: Rule(
        needs=Does.REVISE,
        inspections=_APPROVED,
        operations=IN_USE,
        only="an approved one that is in use can be revised",
    ),
    Act.REQUEST: Rule(
        needs=Does.REQUEST,
        inspections=OPEN,
        operations=frozenset({Operation.READY}),
        becomes={"inspection": Inspection.REQUESTED},
        only="a review is asked for a draft, or again for one that was rejected",
    ),
    Act.CANCEL: Rule(
        needs=Does.CANCEL,
        inspections=UNDER_REVIEW,
        becomes={"inspection": Inspection.DRAFT},
        only="only a review that was asked for and is not decided can be cancelled",
    ),
    Act.COMMENT: Rule(
        needs=Does.COMMENT,
        inspections=OPEN,
        becomes={"inspection": Inspection.REQUESTED},
        only="nothing is said while a review goes on, or once it is approved",
    ),
    Act.STOP: Rule(
        needs=Does.STOP,
        inspections=_APPROVED,
        operations=IN_USE,
        becomes={"operation": Operation.STOPPED},
        only="an approved one that is in use can be stopped",
    ),
    Act.REUSE: Rule(
        needs=Does.REUSE,
        inspections=_APPROVED,
        operations=frozenset({Operation.STOPPED}),
        becomes={"operation": Operation.READY},
        only="an approved one that was stopped can be used again",
    ),
    Act.CANCEL_APPROVAL: Rule(
        needs=Does.CANCEL_APPROVAL,
        inspections=_APPROVED,
        operations=frozenset({Operation.READY}),
        becomes={"inspection": Inspection.DRAFT},
        only="an approval can be taken back until the first message was sent",
    ),
    Act.RELEASE: Rule(
        needs=Does.RELEASE,
        is_dormant=True,
        becomes={"is_dormant": False},
        only="only a dormant one is woken",
    ),
    Act.DELETE: Rule(
        needs=Does.DELETE,
        inspections=OPEN,
        operations=frozenset({Operation.READY}),
        only="a draft, or one that was rejected, can be deleted",
    ),
}


class Why(StrEnum):
    """Why something may not be asked."""

    NOT_HERE = "not_here"
    """This relay does not offer it."""
    NOT_NOW = "not_now"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Refused:
    why: Why
    message: str


def refused(act: Act, standing: Standing, desk: DeskCan) -> Refused | None:
    """Why this may not be asked of a desk that can do such things; None if it may."""
    rule = RULES[act]
    if not offers(desk, act):
        return Refused(Why.NOT_HERE, "The relay does not offer this; it may at its own console.")
    if standing.is_blocked:
        return Refused(Why.BLOCKED, "KakaoTalk has sanctioned the template: only its support can help.")
    fits = standing.inspection in _inspections(act, desk) and standing.operation in rule.operations
    if fits and standing.is_dormant == rule.is_dormant:
        return None
    now = f"{standing.inspection.value}, {standing.operation.value}"
    now += ", dormant" if standing.is_dormant else ""
    return Refused(Why.NOT_NOW, f"Not while it is {now}: {rule.only}.")


def offers(desk: DeskCan, act: Act) -> bool:
    """Whether such a desk can do it at all."""
    # Where there are no drafts, handing a template in is asking for its review.
    at_once = act is Act.REQUEST and Does.DRAFT not in desk.does
    return at_once or RULES[act].needs in desk.does


def _inspections(act: Act, desk: DeskCan) -> frozenset[Inspection]:
    """Relays differ in when they let people say something."""
    told = desk.more.get("comment_in") if act is Act.COMMENT else None
    return RULES[act].inspections if told is None else frozenset(map(Inspection, told))


def allowed(standing: Standing, desk: DeskCan) -> list[Act]:
    """What may be asked now, in the order of the table."""
    return [act for act in RULES if refused(act, standing, desk) is None]


def after(act: Act, standing: Standing, now: Instant) -> Standing:
    """What it is once the relay has done it and has not said how it stands."""
    if act is Act.COMMENT and standing.inspection is not Inspection.REJECTED:
        return replace(standing, as_of=now)
    changes: dict[str, object] = dict(RULES[act].becomes)
    return replace(standing, as_of=now, **changes)  # type: ignore[arg-type]  # the table names its fields


class News(StrEnum):
    """What has happened to a template, worth telling an operator."""

    APPROVED = "approved"
    REJECTED = "rejected"
    STOPPED = "stopped"
    BLOCKED = "blocked"
    DORMANT = "dormant"


def news(before: Standing, now: Standing) -> list[News]:
    """What is new."""
    found = []
    if before.inspection is not now.inspection:
        decided = {Inspection.APPROVED: News.APPROVED, Inspection.REJECTED: News.REJECTED}
        found += [decided[now.inspection]] if now.inspection in decided else []
    if now.operation is Operation.STOPPED and before.operation is not Operation.STOPPED:
        found.append(News.STOPPED)
    if now.is_blocked and not before.is_blocked:
        found.append(News.BLOCKED)
    if now.is_dormant and not before.is_dormant:
        found.append(News.DORMANT)
    return found
