"""`sojourn export`: cohort reports, as files."""

from typing import Any

import click

from .exporting import FILE, to_file, write_file
from .exporting_figures import export


def _a_report(command: Any) -> Any:
    """The options that say which report, and how it is coloured."""
    report = click.option(
        "--report", help="The name of a saved one; without, devices and their visits on the 7 days after."
    )
    heat = click.option(
        "--heat",
        type=click.Choice(["row", "column", "table"]),
        default="table",
        show_default=True,
        help="Among which cells a workbook's colours tell low from high.",
    )
    return report(heat(command))


@export.command("cohort")
@_a_report
@click.option("--view", type=click.Choice(["value", "ratio"]), help="As the report is saved, or else ratios.")
@to_file
def export_cohort(view: str | None, **said: Any) -> None:
    """One cohort report, as somebody looks at it."""
    _write("cohort", said, view=view)


@export.command("every-cohort")
@_a_report
@to_file
def export_every_cohort(**said: Any) -> None:
    """Everything of a report's period: each metric on each device, values and ratios."""
    _write("every_cohort", said)


def _write(kind: str, said: dict[str, Any], **more: Any) -> None:
    file = {name: said.pop(name) for name in FILE}

    async def arguments(db: Any, project_id: int) -> Any:
        from server.exports.kinds import KINDS

        found = await _report(db, project_id, said["report"])
        if "view" in more:
            found["view"] = more["view"] or found.get("view", "ratio")
        else:
            found.pop("view", None)
        return KINDS[kind].arguments(scale=said["heat"], **found)

    write_file(kind, arguments, **file)


async def _report(db: Any, project_id: int, name: str | None) -> dict[str, Any]:
    """What is asked for, as it is stored. Raises NotFound."""
    import orjson

    from server.cohorts.definition import RETENTION_7_DAYS
    from server.cohorts.stored import to_data
    from server.errors import NotFound
    from server.store import cohort_reports

    if name is None:
        return {"definition": to_data(RETENTION_7_DAYS)}
    async with db.read() as session:
        for one in await cohort_reports.of_project(session, project_id):
            if one.name == name:
                return {"definition": orjson.loads(one.definition), "title": name, "view": one.view}
    raise NotFound(f"There is no saved report {name!r} in this project.")


__all__ = ["export"]
