"""Rehearsals: what would happen, person by person, and the figures that the canvas would show."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry.scalars import JSON

from server.aggregates.ask import Span
from server.clock import to_datetime, to_datetime_if_any
from server.errors import BadInput
from server.journey.goals import AMOUNT_SCALE
from server.rehearsal import traces
from server.rehearsal.rehearse import Rehearsed
from server.rehearsal.stand_in import OBSERVES
from server.resolvers import simulations as resolve
from server.resolvers.periods import Period
from server.resolvers.refusals import InvalidRehearsal, Missing, Refusal
from server.resolvers.simulations import Wanted

from .fields import Input, field
from .figure_words import Clock
from .from_data import to_step
from .ids import key_in
from .info import Info
from .named_journeys import with_ids
from .named_texts import NamedText
from .problems import (
    GraphProblems,
    InputProblem,
    NotFoundProblem,
    Problem,
    to_problem,
)
from .runs import Conversion, to_money
from .simulation_inputs import SimulateInput, to_said, to_spelled
from .source import Source
from .stats import JourneyStats
from .steps import Step
from .to_data import to_data
from .words import (
    ChannelName,
    DeliveryStatus,
    EndReason,
    FailureReason,
    ProblemCode,
    ReceiptKind,
    RefusedEntry,
    word,
)

MOST_TRACES = 100
Steps = Mapping[str, Step]


@strawberry.type(description="One thing heard about a message of a rehearsal.")
class HeardTrace:
    kind: ReceiptKind = strawberry.field(description="What was heard.")
    occurred_at: datetime = strawberry.field(description="When.")
    reason: FailureReason | None = strawberry.field(description="Why, for bad news.")
    detail: str | None = strawberry.field(description="More about it, in words.")


@strawberry.type(description="A message that would have gone out, word for word.")
class MessageTrace:
    channel: ChannelName = strawberry.field(description="The channel.")
    address: str = strawberry.field(description="Where to; nobody's, and empty if there is none.")
    status: DeliveryStatus = strawberry.field(description="What became of it.")
    reason: FailureReason | None = strawberry.field(description="Why it did not arrive; null if it did.")
    detail: str | None = strawberry.field(description="The same in words, e.g. what a template lacks.")
    decided_at: datetime = strawberry.field(description="When the journey decided to send it.")
    content: list[NamedText] = strawberry.field(
        description="What it says; empty if it was never written.", metadata={"list_size": 3}
    )
    variables: list[NamedText] = strawberry.field(
        description="The values for a template that the provider keeps.", metadata={"list_size": 2}
    )
    heard: list[HeardTrace] = strawberry.field(
        description="What was heard of it, in order.", metadata={"list_size": 3}
    )


@strawberry.type(description="One passage through a step.")
class VisitTrace:
    step: Step = strawberry.field(description="The step.")
    arrived_at: datetime = strawberry.field(description="When the run came to it.")
    left_at: datetime | None = strawberry.field(description="When it left; null while it waits there.")
    output: str | None = strawberry.field(description="By which output; null if it did not go on.")
    because: str | None = strawberry.field(description="Why, where there is more to say.")
    saw: JSON = strawberry.field(description="What the decision looked at.")
    end_reason: EndReason | None = strawberry.field(description="Why the run ended here; null if it did not.")
    messages: list[MessageTrace] = strawberry.field(
        description="What the step sent.", metadata={"list_size": 1}
    )


@strawberry.type(description="One passage of a person through the journey.")
class RunTrace:
    event_name: str = strawberry.field(description="The event that let it in; empty if none did.")
    event_properties: JSON = strawberry.field(description="Its properties.")
    entered_at: datetime = strawberry.field(description="When it entered.")
    ended_at: datetime | None = strawberry.field(description="When it ended; null while inside.")
    end_reason: EndReason | None = strawberry.field(description="Why it ended; null while inside.")
    waiting_until: datetime | None = strawberry.field(
        description="When its present wait is over; null if it has ended."
    )
    visits: list[VisitTrace] = strawberry.field(
        description="The steps in order; the last one is where it waits or ended.", metadata={"list_size": 8}
    )
    conversions: list[Conversion] = strawberry.field(
        description="Every hit of a goal.", metadata={"list_size": 2}
    )


@strawberry.type(description="An entry that was refused.")
class RefusalTrace:
    reason: RefusedEntry = strawberry.field(description="Why.")
    step_key: strawberry.ID = strawberry.field(description="The entry.")
    at: datetime = strawberry.field(description="When.")


@strawberry.type(description="What happened to one person.")
class PersonTrace:
    name: str = strawberry.field(description="What the rehearsal calls the person.")
    attributes: JSON = strawberry.field(description="What is known of it in the end.")
    runs: list[RunTrace] = strawberry.field(description="Its runs in order.", metadata={"list_size": 1})
    refusals: list[RefusalTrace] = strawberry.field(
        description="Where it would have entered and did not.", metadata={"list_size": 1}
    )


@strawberry.type(description="How many messages of a step have one fate.")
class SimulatedMessages:
    step_key: strawberry.ID = strawberry.field(description="The step.")
    channel: ChannelName = strawberry.field(description="The channel.")
    status: DeliveryStatus = strawberry.field(description="What became of them.")
    reason: FailureReason | None = strawberry.field(description="Why they did not arrive; null if they did.")
    count: int = strawberry.field(description="How many.")


@strawberry.type(description="What came of a rehearsal. Nothing was sent, and nothing is kept.")
class Simulation:
    rehearsed: strawberry.Private[Rehearsed]
    started_at: datetime = strawberry.field(description="When it began, by its own clock.")
    reached_at: datetime = strawberry.field(description="How far it came; all figures are true up to then.")
    is_complete: bool = strawberry.field(
        description="Whether it came to its end; false if its time of computing was over before."
    )
    people: int = strawberry.field(description="How many people came.")
    troubles: list[str] = strawberry.field(
        description="What the engine had to put aside; a sound journey has none.", metadata={"list_size": 1}
    )

    notes: list[str] = strawberry.field(
        description="What to know when reading it, e.g. that a template was played that is not approved.",
        metadata={"list_size": 1},
    )

    @field("The figures, as the canvas and the reports of a real journey show them.")
    def stats(self) -> JourneyStats:
        plan = self.rehearsed.plan
        observes = {one.channel: OBSERVES for one in self.rehearsed.messages}
        period = Period("all", Span(plan.zone))
        source = Source(plan.journey_id, period, self.rehearsed.figures, None, observes)
        return JourneyStats.from_source(source, Clock.HAPPENED)

    @field("Messages by what became of them, step by step.", list_size=20)
    def messages(self) -> list[SimulatedMessages]:
        found = Counter(
            (one.step_key, one.channel, one.status, one.reason) for one in self.rehearsed.messages
        )
        return [
            SimulatedMessages(
                step_key=strawberry.ID(step_key),
                channel=word(ChannelName, channel, ChannelName.OTHER),
                status=DeliveryStatus(status),
                reason=_reason(reason),
                count=count,
            )
            for (step_key, channel, status, reason), count in sorted(found.items())
        ]

    @field("What happened, person by person, in the order in which they were named.", list_size=20)
    def traces(
        self,
        first: Annotated[int, strawberry.argument(description="How many people, at most 100.")] = 20,
        names: Annotated[
            list[str] | None, strawberry.argument(description="Only these people; everybody by default.")
        ] = None,
        passing: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only people who came to this step.")
        ] = None,
        end_reason: Annotated[
            EndReason | None, strawberry.argument(description="Only people with a run that ended so.")
        ] = None,
    ) -> list[PersonTrace]:
        if not 0 < first <= MOST_TRACES:
            raise BadInput(f"`first` is 1 to {MOST_TRACES}, found {first}.")
        wanted = [
            one
            for one in self.rehearsed.people
            if (names is None or one.name in names)
            and (passing is None or passing in one.path)
            and (end_reason is None or any(run.end_reason == end_reason.value for run in one.runs))
        ]
        steps = {item["key"]: to_step(item) for item in self.rehearsed.plan.graph["steps"]}
        return [_person(one, steps) for one in wanted[:first]]


@strawberry.type(description="Everything that is wrong with what shall be played, at once.")
class SimulationProblems(Problem):
    problems: list[InputProblem] = strawberry.field(description="All of it, each with its path.")


SimulateResult = Annotated[
    Simulation | SimulationProblems | GraphProblems | NotFoundProblem | InputProblem,
    strawberry.union("SimulateResult", description="What came of it, or why nothing was played."),
]


@strawberry.type
class SimulationQuery:
    @field(
        "Plays a journey with people who are made up or copied, on the real engine, through weeks in "
        "seconds. Nothing is sent to anybody, and nothing is kept. One at a time in a process."
    )
    async def simulate(self, info: Info, input: Annotated[SimulateInput, Input]) -> SimulateResult:
        try:
            wanted = await _wanted(info, input)
            return _simulation(await resolve.simulate(info.context, wanted))
        except InvalidRehearsal as error:
            return _problems(error, input)
        except Refusal as error:
            return to_problem(error)


async def _wanted(info: Info, input: SimulateInput) -> Wanted:
    graph = await with_ids(info.context, to_data(input.graph)) if input.graph else None
    return Wanted(
        to_said(input),
        graph=graph,
        journey_id=_journey_id(input.journey),
        version=input.version,
        title=input.title or "",
        sampled=input.sample or 0,
    )


def _journey_id(id: strawberry.ID | None) -> int | None:
    if id is None:
        return None
    try:
        return key_in(id, "Journey")[0]
    except BadInput as error:
        raise Missing(error.message, ("input", "journey")) from error


def _problems(error: InvalidRehearsal, input: SimulateInput) -> SimulationProblems:
    return SimulationProblems(
        message=error.message,
        code=ProblemCode.INVALID,
        path=["input"],
        problems=[
            InputProblem(
                message=one.message,
                code=word(ProblemCode, one.code, ProblemCode.INVALID),
                path=to_spelled(one.path, input),
            )
            for one in error.problems
        ],
    )


def _simulation(rehearsed: Rehearsed) -> Simulation:
    return Simulation(
        rehearsed=rehearsed,
        started_at=to_datetime(rehearsed.plan.start),
        reached_at=to_datetime(rehearsed.reached_at),
        is_complete=rehearsed.is_complete,
        people=len(rehearsed.people),
        troubles=rehearsed.troubles,
        notes=list(rehearsed.plan.notes),
    )


# Traces


def _person(found: traces.PersonTrace, steps: Steps) -> PersonTrace:
    return PersonTrace(
        name=found.name,
        attributes=JSON(found.attributes),
        runs=[_run(run, steps) for run in found.runs],
        refusals=[
            RefusalTrace(
                reason=word(RefusedEntry, one.reason, RefusedEntry.OTHER),
                step_key=strawberry.ID(one.entry_key),
                at=to_datetime(one.at),
            )
            for one in found.refusals
        ],
    )


def _run(found: traces.RunTrace, steps: Steps) -> RunTrace:
    return RunTrace(
        event_name=found.event,
        event_properties=JSON(found.properties),
        entered_at=to_datetime(found.entered_at),
        ended_at=to_datetime_if_any(found.ended_at),
        end_reason=EndReason(found.end_reason) if found.end_reason else None,
        waiting_until=to_datetime_if_any(found.waiting_until),
        visits=[_visit(visit, steps) for visit in found.visits],
        conversions=[
            Conversion(
                goal_key=strawberry.ID(hit.goal_key),
                occurred_at=to_datetime(hit.at),
                amount=to_money(round(hit.amount * AMOUNT_SCALE)),
            )
            for hit in found.reached
        ],
    )


def _visit(found: traces.VisitTrace, steps: Steps) -> VisitTrace:
    return VisitTrace(
        step=steps[found.step_key],
        arrived_at=to_datetime(found.arrived_at),
        left_at=to_datetime_if_any(found.left_at),
        output=found.output or None,
        because=found.because or None,
        saw=JSON(found.saw),
        end_reason=EndReason(found.end_reason) if found.end_reason else None,
        messages=[_message(message) for message in found.messages],
    )


def _message(found: traces.MessageTrace) -> MessageTrace:
    return MessageTrace(
        channel=word(ChannelName, found.channel, ChannelName.OTHER),
        address=found.address,
        status=DeliveryStatus(found.status),
        reason=_reason(found.reason),
        detail=found.detail or None,
        decided_at=to_datetime(found.decided_at),
        content=_texts(found.content),
        variables=_texts(found.variables),
        heard=[
            HeardTrace(
                kind=word(ReceiptKind, one.kind, ReceiptKind.UNMAPPED),
                occurred_at=to_datetime(one.at),
                reason=_reason(one.reason),
                detail=one.detail or None,
            )
            for one in found.heard
        ],
    )


def _texts(values: Mapping[str, Any]) -> list[NamedText]:
    return [NamedText(name=name, value=text) for name, text in values.items()]


def _reason(stored: str) -> FailureReason | None:
    return word(FailureReason, stored, FailureReason.UNKNOWN) if stored else None
