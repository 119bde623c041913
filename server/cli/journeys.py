"""`sojourn journey`: journeys as files. Over GraphQL, on a server elsewhere or on the database."""

import sys
from pathlib import Path
from typing import Any

import click
import orjson

from server.errors import NotFound, ServerError

from .applying import apply_files
from .asking import Ask, asking, where
from .journey_files import PROBLEM, read_file, tell_answer
from .ready_journeys import list_templates, new_journey

Data = dict[str, Any]

DIFFERENT = 3
"""The exit code that says that something differs, where it is asked for."""

a_file = click.Path(exists=True, dir_okay=False, path_type=Path)
to_file = click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="A file, instead of the screen."
)


@click.group()
def journey() -> None:
    """Journeys as files: export, import, apply, compare.

    A journey is named by its handle or its id; `cart@3` is version 3 of it.
    """


journey.add_command(apply_files)
journey.add_command(list_templates)
journey.add_command(new_journey)


LIST = """query ($after: String) {
    journeys(first: 100, after: $after, orderBy: {by: TITLE, direction: ASCENDING}) {
        pageInfo { hasNextPage endCursor } edges { node { id handle title status versionNumber } } } }"""


@journey.command("list")
@where
def list_journeys(**whom: Any) -> None:
    """The project's journeys by title."""

    async def work(ask: Ask) -> None:
        after: str | None = None
        while True:
            page = (await ask(LIST, after=after))["journeys"]
            for edge in page["edges"]:
                click.echo(_line(edge["node"]))
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                return

    asking(work, **whom)


def _line(one: Data) -> str:
    version = f"version {one['versionNumber']}" if one["versionNumber"] else "never published"
    return f"{one['handle'] or one['id']}  {one['status'].lower()}, {version}  {one['title']}"


@journey.command("export")
@click.argument("name", metavar="JOURNEY")
@click.option("--format", "form", type=click.Choice(["yaml", "json"]), default="yaml", show_default=True)
@to_file
@where
def export_journey(name: str, form: str, output: Path | None, **whom: Any) -> None:
    """Writes a journey as a file: what is drawn last, or with @3 version 3.

    As JSON it is exactly the input of createJourney, to be handed in as a variable.
    """
    text = asking(lambda ask: file_of(ask, name, form.upper()), **whom)
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")


CREATE = f"""mutation ($input: CreateJourneyInput!) {{ answer: createJourney(input: $input) {{ {PROBLEM}
    ... on CreateJourneyPayload {{ journey {{ id title draft {{ problems {{ message path }} }} }} }} }} }}"""


@journey.command("import")
@click.argument("file", type=a_file)
@click.option("--handle", help="Another one than the file's; `-` for none.")
@where
def import_journey(file: Path, handle: str | None, **whom: Any) -> None:
    """Makes a new journey of a file, as a draft. What is wrong with the drawing is told and can be mended."""
    filed = read_file(file)
    if filed is None:
        sys.exit(1)
    if handle is not None:
        filed.variables["handle"] = None if handle == "-" else handle
    answer = asking(lambda ask: ask(CREATE, input=filed.variables), **whom)["answer"]
    if tell_answer(file, filed, answer):
        sys.exit(1)
    made = answer["journey"]
    if made["draft"] and made["draft"]["problems"]:
        tell_answer(file, filed, {"message": "", **made["draft"]})
    click.echo(f"{made['title']}: created as {made['id']}, a draft.")


@journey.command("diff")
@click.argument("old", metavar="A")
@click.argument("new", metavar="B")
@click.option("--exit-code", is_flag=True, help=f"Exits with {DIFFERENT} if there is a difference.")
@where
def diff_journeys(old: str, new: str, exit_code: bool, **whom: Any) -> None:
    """What makes B of A. Each is a file, or a journey: `cart` what is drawn last, `cart@3` version 3."""
    from server.journey.diff import diff

    from .differences import as_told, lines_of

    names = (old, new)
    filed = {name: _of_file(Path(name)) for name in names if Path(name).is_file()}

    async def drawings(ask: Ask) -> list[Data]:
        return [filed[name] if name in filed else await _drawing(ask, name) for name in names]

    one, other = asking(drawings, **whom) if len(filed) < len(set(names)) else (filed[old], filed[new])
    found = diff(one, other)
    for line in lines_of(as_told(found)):
        click.echo(line)
    if found.is_empty:
        click.echo("Both say the same.")
    elif exit_code:
        sys.exit(DIFFERENT)


async def _drawing(ask: Ask, name: str) -> Data:
    return _as_one(orjson.loads(await file_of(ask, name, "JSON")))


def _of_file(file: Path) -> Data:
    from server.schema.to_data import from_variables, to_data, to_variables

    filed = read_file(file)
    if filed is None:
        sys.exit(1)
    variables = dict(filed.variables)
    if graph := variables.get("graph"):
        # Without what says no more than a default.
        variables["graph"] = to_variables(to_data(from_variables(graph)))
    return _as_one({name: value for name, value in variables.items() if value})


def _as_one(variables: Data) -> Data:
    """The graph, with what is said of the journey among its settings."""
    from server.schema.diffs import flattened

    graph = variables.pop("graph", None) or {}
    return {**variables, **flattened(graph)}


FILE = """query ($handle: String!, $format: FileFormat!, $version: Int) {
    journeyByHandle(handle: $handle) { file(format: $format, version: $version) } }"""
FILE_BY_ID = """query ($id: ID!, $format: FileFormat!, $version: Int) {
    journey(id: $id) { file(format: $format, version: $version) } }"""


async def file_of(ask: Ask, name: str, form: str) -> str:
    """The file of a journey that is named by its handle or its id. Raises NotFound."""
    who, _, number = name.partition("@")
    if number and not number.isdigit():
        raise click.UsageError(f"{name}: the number of a version was wanted after @, found {number!r}.")
    how = {"format": form, "version": int(number) if number else None}
    found = (await ask(FILE, handle=who, **how))["journeyByHandle"] or await _by_id(ask, who, how)
    if found is None:
        raise NotFound(f"There is no file and no journey {who!r}.")
    if found["file"] is None:
        raise NotFound(f"There is no version {number} of {who!r}.")
    return str(found["file"])


async def _by_id(ask: Ask, id: str, how: Data) -> Data | None:
    try:
        found: Data | None = (await ask(FILE_BY_ID, id=id, **how))["journey"]
    except ServerError:
        return None  # It is no id: whoever is asked has just answered another question.
    return found
