"""Why a change was not made. One interface, one type for each thing that a client can act on."""

from collections.abc import Mapping
from typing import Any, TypeVar

import strawberry

from channels import contract
from server.journey import moment
from server.resolvers import refusals

from .ids import to_id
from .segment_inputs import to_conditions_path
from .to_data import to_graphql_path
from .words import JourneyAction, JourneyStatus, ProblemCode, word

P = TypeVar("P")


@strawberry.interface(description="An expected refusal: nothing has been changed.")
class Problem:
    message: str = strawberry.field(description="For people: what was wanted, what was found, what to do.")
    code: ProblemCode = strawberry.field(description="For programs.")
    path: list[str] | None = strawberry.field(description="Where in the arguments the cause lies.")


@strawberry.type(description="There is no such thing in this project.")
class NotFoundProblem(Problem):
    pass


@strawberry.type(description="One value of the input cannot be used.")
class InputProblem(Problem):
    pass


@strawberry.type(description="Not in the present status.")
class NotAllowedProblem(Problem):
    status: JourneyStatus = strawberry.field(description="The present status.")
    allowed_actions: list[JourneyAction] = strawberry.field(description="What can be done instead.")


@strawberry.type(description="Somebody else has saved meanwhile.")
class RevisionConflictProblem(Problem):
    expected_revision: int = strawberry.field(description="What you had.")
    actual_revision: int = strawberry.field(description="What there is.")


@strawberry.type(description="Somebody else has published meanwhile.")
class VersionConflictProblem(Problem):
    expected_version: int = strawberry.field(description="What you had.")
    actual_version: int = strawberry.field(description="What people enter now; 0 for none.")


@strawberry.type(description="This idempotency key was used for another input.")
class IdempotencyConflictProblem(Problem):
    pass


@strawberry.type(description="One thing that is wrong with a graph.")
class GraphProblem(Problem):
    pass


@strawberry.type(description="Everything that is wrong with a graph, at once.")
class GraphProblems(Problem):
    problems: list[GraphProblem] = strawberry.field(description="All of it, each with its path.")


@strawberry.type(description="Another thing of this project has the name.")
class NameTakenProblem(Problem):
    pass


@strawberry.type(description="One thing that is wrong with settings.")
class SettingsProblem(Problem):
    pass


@strawberry.type(description="Everything that is wrong with settings, at once.")
class SettingsProblems(Problem):
    problems: list[SettingsProblem] = strawberry.field(description="All of it, each with its path.")


@strawberry.type(description="Something else needs the connection as it is.")
class ConnectionInUseProblem(Problem):
    journeys: list[strawberry.ID] = strawberry.field(
        description="The running and paused journeys that send through it.", metadata={"list_size": 10}
    )
    queued_messages: int = strawberry.field(description="Messages that wait to be sent through it.")


@strawberry.type(description="Journeys, segments or saved reports name it, so it stays as it is.")
class NamedProblem(Problem):
    journeys: list[strawberry.ID] = strawberry.field(
        description="The journeys that are not over and name it.", metadata={"list_size": 10}
    )
    segments: list[strawberry.ID] = strawberry.field(
        description="The segments that name it.", metadata={"list_size": 10}
    )
    cohort_reports: list[strawberry.ID] = strawberry.field(
        description="The saved cohort reports that name it.", metadata={"list_size": 10}
    )


@strawberry.type(description="One thing that is wrong with conditions.")
class ConditionProblem(Problem):
    pass


@strawberry.type(description="Everything that is wrong with a segment's conditions, at once.")
class ConditionProblems(Problem):
    problems: list[ConditionProblem] = strawberry.field(description="All of it, each with its path.")


@strawberry.type(description="Whoever reads this address wants nothing from us.")
class SuppressedProblem(Problem):
    pass


def to_graph_problem(problem: moment.Problem, data: Mapping[str, Any]) -> GraphProblem:
    return GraphProblem(
        message=problem.message,
        code=word(ProblemCode, problem.code, ProblemCode.INVALID),
        path=["input", "graph", *to_graphql_path(problem.path, dict(data))],
    )


# What comes back is one of the caller's union, which the caller's own return type names.
def to_problem(error: refusals.Refusal) -> P:  # type: ignore[type-var]  # the refusal says which it is
    """The type that says this. A mutation's union has to name every one that it can meet."""
    problem: P = _problem(error)
    return problem


def _problem(error: refusals.Refusal) -> Any:
    about: dict[str, Any] = {"message": error.message, "path": [str(part) for part in error.path]}
    if isinstance(error, refusals.Missing):
        return NotFoundProblem(code=ProblemCode.NOT_FOUND, **about)
    if isinstance(error, refusals.NotAllowed):
        actions = [JourneyAction(action.value) for action in error.allowed]
        status = JourneyStatus(error.status)
        return NotAllowedProblem(
            code=ProblemCode.NOT_ALLOWED, status=status, allowed_actions=actions, **about
        )
    if isinstance(error, refusals.RevisionConflict):
        revisions: dict[str, Any] = {"expected_revision": error.expected, "actual_revision": error.actual}
        return RevisionConflictProblem(code=ProblemCode.REVISION_CONFLICT, **revisions, **about)
    if isinstance(error, refusals.VersionConflict):
        versions: dict[str, Any] = {"expected_version": error.expected, "actual_version": error.actual}
        return VersionConflictProblem(code=ProblemCode.VERSION_CONFLICT, **versions, **about)
    if isinstance(error, refusals.IdempotencyConflict):
        return IdempotencyConflictProblem(code=ProblemCode.IDEMPOTENCY_CONFLICT, **about)
    if isinstance(error, refusals.InvalidGraph):
        problems = [to_graph_problem(problem, error.data) for problem in error.problems]
        return GraphProblems(code=ProblemCode.INVALID_GRAPH, problems=problems, **about)
    if isinstance(error, refusals.Taken):
        return NameTakenProblem(code=ProblemCode.TAKEN, **about)
    if isinstance(error, refusals.InvalidSettings):
        settings = [to_settings_problem(problem) for problem in error.problems]
        return SettingsProblems(code=ProblemCode.INVALID_SETTINGS, problems=settings, **about)
    if isinstance(error, refusals.Unwanted):
        return SuppressedProblem(code=ProblemCode.UNWANTED, **about)
    if isinstance(error, refusals.Named):
        named: dict[str, Any] = {
            "journeys": [to_id("Journey", one) for one, _ in error.journeys],
            "segments": [to_id("Segment", one) for one, _ in error.segments],
            "cohort_reports": [to_id("SavedCohortReport", one) for one, _ in error.reports],
        }
        return NamedProblem(code=ProblemCode.IN_USE, **named, **about)
    if isinstance(error, refusals.InvalidConditions):
        found = [to_condition_problem(problem, error.path) for problem in error.problems]
        return ConditionProblems(code=ProblemCode.INVALID, problems=found, **about)
    if isinstance(error, refusals.InUse):
        journeys = [to_id("Journey", journey_id) for journey_id, _ in error.journeys]
        use: dict[str, Any] = {"journeys": journeys, "queued_messages": error.messages}
        return ConnectionInUseProblem(code=ProblemCode.IN_USE, **use, **about)
    return InputProblem(code=ProblemCode.INVALID, **about)


def to_condition_problem(problem: moment.Problem, path: moment.Path) -> ConditionProblem:
    return ConditionProblem(
        message=problem.message,
        code=word(ProblemCode, problem.code, ProblemCode.INVALID),
        path=[*map(str, path), *to_conditions_path(problem.path)],
    )


def to_settings_problem(problem: contract.Problem) -> SettingsProblem:
    path = ["input", "settings", *(problem.path.split(".") if problem.path else [])]
    return SettingsProblem(message=problem.message, code=ProblemCode.INVALID, path=path)
