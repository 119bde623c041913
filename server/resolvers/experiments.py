"""Chooses a branch of a split by chance by hand, and opens the split again."""

import orjson

from server.aggregates import comparing, experiments
from server.aggregates.comparing import Comparison
from server.aggregates.experiments import Success
from server.context import Context
from server.journey.status import JourneyStatus, allowed
from server.store import verdicts, versions
from server.store.sessions import ReadSession, WriteSession
from server.store.tables import Journey, Verdict

from .drafts import wanted
from .once import Answer, once
from .refusals import Invalid, NotAllowed

_OPEN = (JourneyStatus.RUNNING, JourneyStatus.PAUSED)
MOST_EXPLORED = 50


async def choose(
    context: Context, journey_id: int, step_key: str, output: str, explore: int, key: str | None
) -> Answer:
    """Sends newcomers to the branch. Raises Missing, NotAllowed, Invalid."""
    if not 0 <= explore <= MOST_EXPLORED:
        message = f"The others may get 0 to {MOST_EXPLORED} of a hundred newcomers, found {explore}."
        raise Invalid(message, ("input", "explorePercent"))

    async def work(session: WriteSession) -> Answer:
        journey, compared = await _open_split(session, context, journey_id, step_key)
        outputs = compared.experiment.step.outputs()
        if output not in outputs:
            message = f"The split has no branch {output!r}; its branches: {', '.join(outputs)}."
            raise Invalid(message, ("input", "output"))
        return await _give(session, context, journey, compared, output, explore)

    return await once(context, key, ("chooseWinner", [journey_id, step_key, output, explore]), work)


async def reopen(context: Context, journey_id: int, step_key: str, key: str | None) -> Answer:
    """Draws newcomers by the percentages again. Raises Missing, NotAllowed, Invalid."""

    async def work(session: WriteSession) -> Answer:
        journey, compared = await _open_split(session, context, journey_id, step_key)
        if not compared.experiment.verdict.winner:
            raise Invalid("No branch was chosen: the split is open.", ("input", "step"))
        return await _give(session, context, journey, compared, "", 0)

    return await once(context, key, ("reopenExperiment", [journey_id, step_key]), work)


async def verdict(context: Context, answer: Answer) -> Verdict:
    """The decision that a change has made."""
    async with context.db.read() as session:
        found = await verdicts.by_journeys(session, context.project_id, [answer["journey_id"]])
    rows: list[Verdict] = found[answer["journey_id"], answer["step"]]
    return rows[int(answer["round"]) - 1]


async def _open_split(
    session: WriteSession, context: Context, journey_id: int, step_key: str
) -> tuple[Journey, Comparison]:
    """The split as the newest version draws it, with how it stands; held for this transaction."""
    journey = await wanted(session, context, journey_id)
    status = JourneyStatus(journey.status)
    if status not in _OPEN:
        message = f"A journey that is {status.value} lets nobody in for whom a branch could be chosen."
        raise NotAllowed(message, status, allowed(status))
    graphs = await _graphs(session, context, journey_id)
    found = await comparing.comparisons(session, context.project_id, context.shards, {journey_id: graphs})
    compared = found.get(journey_id, {}).get(step_key)
    if compared is None or not step_key or journey.version not in compared.experiment.versions:
        raise Invalid(f"The newest version has no A/B/n split {step_key!r}.", ("input", "step"))
    return journey, compared


async def _graphs(session: ReadSession, context: Context, journey_id: int) -> comparing.Graphs:
    rows = (await versions.by_journeys(session, context.project_id, [journey_id])).get(journey_id, [])
    return {row.number: orjson.loads(row.graph) for row in rows}


async def _give(
    session: WriteSession, context: Context, journey: Journey, compared: Comparison, winner: str, explore: int
) -> Answer:
    assert journey.id is not None
    number = len(compared.verdicts) + 1
    row = Verdict(
        project_id=context.project_id,
        journey_id=journey.id,
        step_key=compared.experiment.step.key,
        round=number,
        winner=winner,
        explore_percent=explore,
        decided_at=context.clock.now(),
        decided_by=verdicts.PEOPLE,
        evidence=orjson.dumps(_evidence(compared)).decode(),
    )
    if not await verdicts.give(session, row):
        raise Invalid("The split was decided otherwise at the same moment: look again.", ("input", "step"))
    return {"journey_id": journey.id, "step": row.step_key, "round": number}


def _evidence(compared: Comparison) -> dict[str, object]:
    """How the branches stand by what the split itself would choose by; empty if it says nothing."""
    decides = compared.experiment.step.decides
    if decides is None:
        return {}
    return experiments.told(compared.experiment, compared.outcomes(Success.of(decides)), decides)
