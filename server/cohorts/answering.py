"""Answers a report from whatever can: from sets by day where they say enough, else from the facts."""

from server.errors import BadInput
from server.segments import reading
from server.segments.reading import Askable

from . import asking, by_moments
from .asking import Asker
from .buckets import base_days, date_of
from .definition import Definition
from .listed import refuse_untold
from .moments import is_by_moments
from .report import Report


async def report(
    asker: Asker,
    asked: Definition,
    segment: Askable | None,
    *,
    has_base: bool = True,
    most_cells: int | None = None,
) -> Report:
    """`segment` are the conditions of the definition's. Raises BadInput for what cannot be answered."""
    answering = asking.report
    if is_by_moments(asked):
        await _refuse(asker, asked, segment, most_cells)
        answering = by_moments.report
    return await answering(asker, asked, segment, has_base=has_base, most_cells=most_cells)


async def _refuse(asker: Asker, asked: Definition, segment: Askable | None, most_cells: int | None) -> None:
    """What is refused of reports by day, too: facts are found by sets, segments asked day by day."""
    await refuse_untold(asker.where, asked)
    if segment is not None and asking.looks_back(asked, segment):
        first, last = base_days(asked.days, date_of(asker.now, asker.zone))
        asking.refuse_many_moments((last - first).days + 1, most_cells)


async def answer(asker: Asker, asked: Definition) -> Report:
    """Whole, whatever its size. Raises BadInput, also for a segment that is gone."""
    return await report(asker, asked, await segment_of(asker, asked))


async def segment_of(asker: Asker, asked: Definition) -> Askable | None:
    """The conditions that are asked, whether they have a name or are the report's own. Raises BadInput."""
    if asked.segment is None:
        return None
    if asked.segment.conditions is None:
        found = await reading.stored(asker.session, asker.project_id, asked.segment.name)
        if found is None:
            raise BadInput(f"There is no segment {asked.segment.name!r}.")
        return found
    own, problems = await reading.read(asker.session, asker.project_id, asked.segment.conditions)
    if problems:
        raise BadInput(" ".join(problem.message for problem in problems))
    return own
