"""Cohort reports as files: the page that somebody looks at, and everything of its period."""

from enum import Enum
from typing import Any, NamedTuple

import strawberry

from server.cohorts.stored import to_data
from server.context import Context
from server.errors import BadInput
from server.exports.cohort_lines import View
from server.exports.cohorts import CohortArguments, EveryCohortArguments
from server.exports.heat import Scale
from server.exports.sheets import Arguments
from server.resolvers import cohort_reports as resolve
from server.resolvers.refusals import Invalid, Missing

from .cohort_inputs import CohortInput, to_definition
from .cohort_reports import KIND, CohortView
from .ids import key_in
from .words import value

Path = tuple[str, ...]


@strawberry.enum(description="Among which cells a workbook's colours tell low from high.")
class CohortHeat(Enum):
    ROW = value("row", description="Those of the same base date.")
    COLUMN = value("column", description="Those of the same period.")
    TABLE = value("table", description="All of them.")


@strawberry.input(description="A saved cohort report, or any: one of the two.")
class CohortFileInput:
    report_id: strawberry.ID | None = strawberry.field(default=None, description="A saved report.")
    cohort: CohortInput | None = strawberry.field(
        default=None, description="What the report is asked for, as `cohort` takes it."
    )
    heat: CohortHeat = strawberry.field(
        default=CohortHeat.TABLE, description="Among which cells a workbook's colours tell low from high."
    )


@strawberry.input(
    description="One cohort report as somebody looks at it: a row for each base date, whole, however large."
)
class CohortExport(CohortFileInput):
    view: CohortView | None = strawberry.field(
        default=None, description="What the cells show; as the report is saved, or else ratios."
    )

    async def arguments(self, context: Context, path: Path) -> Arguments:
        found = await _asked(context, self, path)
        view = self.view.value if self.view else found.view
        return CohortArguments(view=View(view), scale=Scale(self.heat.value), **found.about)


@strawberry.input(
    description="Everything of a cohort report's period: each metric on each device, values and ratios."
)
class EveryCohortExport(CohortFileInput):
    async def arguments(self, context: Context, path: Path) -> Arguments:
        found = await _asked(context, self, path)
        return EveryCohortArguments(scale=Scale(self.heat.value), **found.about)


@strawberry.input(description="Those exports that are cohort reports.")
class CohortExports:
    cohort: CohortExport | None = strawberry.field(
        default=strawberry.UNSET, description="One cohort report, as somebody looks at it."
    )
    every_cohort: EveryCohortExport | None = strawberry.field(
        default=strawberry.UNSET, description="Everything of a cohort report's period."
    )


class _Asked(NamedTuple):
    about: dict[str, Any]
    """The definition as it is stored, and what the report is called."""
    view: str


async def _asked(context: Context, said: CohortFileInput, path: Path) -> _Asked:
    """Raises Missing, Invalid."""
    if (said.report_id is None) == (said.cohort is None):
        raise Invalid("Give `reportId` or `cohort`: one of the two.", path)
    if said.cohort is not None:
        asked = to_definition(said.cohort, (*path, "cohort"))
        return _Asked({"definition": to_data(asked)}, View.RATIO.value)
    try:
        (report_id,) = key_in(said.report_id or "", KIND)
        found = await resolve.by_id(context, report_id)
    except BadInput as error:
        raise Missing(error.message, (*path, "reportId")) from error
    if found is None:
        raise Missing("There is no such report in this project.", (*path, "reportId"))
    about = {"definition": to_data(resolve.definition_of(found)), "title": found.name}
    return _Asked(about, found.view)
