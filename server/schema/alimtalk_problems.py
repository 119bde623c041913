"""Why a template was not handed in, or not changed at its relay."""

from typing import Any

import strawberry

from server.resolvers import refusals

from .alimtalk_lint import AlimtalkFinding
from .alimtalk_standing import AlimtalkAct
from .problems import P, Problem, to_problem
from .words import FailureReason, ProblemCode, word


@strawberry.type(description="A relay would refuse the template: it has errors.")
class AlimtalkProblems(Problem):
    findings: list[AlimtalkFinding] = strawberry.field(
        description="Every error, in the order of the rules.", metadata={"list_size": 10}
    )


@strawberry.type(description="A notice of coupons or points may not be sent without a complete declaration.")
class AlimtalkDeclarationProblem(Problem):
    missing: list[str] = strawberry.field(
        description="What the declaration lacks, in words.", metadata={"list_size": 5}
    )


@strawberry.type(description="Not as the template stands at its relay, or not at this relay at all.")
class AlimtalkStandingProblem(Problem):
    allowed_acts: list[AlimtalkAct] = strawberry.field(
        description="What can be asked of the relay now.", metadata={"list_size": 5}
    )


@strawberry.type(description="The relay refuses, or it does not answer.")
class DeskProblem(Problem):
    reason: FailureReason = strawberry.field(description="Why.")
    relay_code: str | None = strawberry.field(description="The relay's own code.")
    detail: str | None = strawberry.field(description="The relay's own words.")
    is_open: bool = strawberry.field(
        description="Whether it may have been done all the same: then the next look at the relay settles it."
    )


def to_alimtalk_problem(error: refusals.Refusal) -> P:  # type: ignore[type-var]  # the refusal says which it is
    """As `to_problem`, with what can go wrong about templates."""
    found: P = _problem(error)
    return found


def _problem(error: refusals.Refusal) -> Any:
    about: dict[str, Any] = {"message": error.message, "path": [str(part) for part in error.path]}
    if isinstance(error, refusals.Unfit):
        findings = [AlimtalkFinding.from_record(one, error.data) for one in error.findings]
        return AlimtalkProblems(code=ProblemCode.INVALID, findings=findings, **about)
    if isinstance(error, refusals.Undeclared):
        told = [message for _, message in error.missing]
        return AlimtalkDeclarationProblem(code=ProblemCode.MISSING, missing=told, **about)
    if isinstance(error, refusals.NotAsItStands):
        actions = [word(AlimtalkAct, one, AlimtalkAct.OTHER) for one in error.allowed]
        return AlimtalkStandingProblem(code=ProblemCode.NOT_ALLOWED, allowed_acts=actions, **about)
    if isinstance(error, refusals.DeskSaysNo):
        return DeskProblem(
            code=ProblemCode.DESK_REFUSED,
            reason=word(FailureReason, error.reason, FailureReason.UNKNOWN),
            relay_code=error.relay_code or None,
            detail=error.text or None,
            is_open=error.is_open,
            **about,
        )
    return to_problem(error)
