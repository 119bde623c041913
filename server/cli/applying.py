"""`sojourn journey apply`: journeys become what files say, for teams that keep them beside their code."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .asking import Ask, asking, payload_of, where
from .differences import SELECTION, lines_of
from .journey_files import PROBLEM, PROBLEMS, read_file, tell_answer, tell_problems

if TYPE_CHECKING:
    from server.schema.file_form import FiledJourney

Data = dict[str, Any]

APPLY = f"""mutation ($input: ApplyJourneyInput!) {{ answer: applyJourney(input: $input) {{ {PROBLEMS}
    ... on ApplyJourneyPayload {{
        change revision replacedRevision inside waiting {{ key runs }} diff {{ {SELECTION} }}
        journey {{ id title category status versionNumber }} }} }} }}"""
PUBLISH = f"""mutation ($input: PublishJourneyInput!) {{ answer: publishJourney(input: $input) {{ {PROBLEMS}
    ... on PublishJourneyPayload {{ version {{ number }} staying moving ending }} }} }}"""
START = (
    f"""mutation ($input: JourneyActionInput!) {{ answer: startJourney(input: $input) {{ {PROBLEM} }} }}"""
)


@dataclass(frozen=True, slots=True)
class Wish:
    dry_run: bool
    publish: bool
    start: bool
    exit_code: bool
    inside: str = "stay"
    """What becomes of those who are inside."""


@click.command("apply")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--dry-run", is_flag=True, help="Only tells what would change, and for how many people.")
@click.option("--publish", is_flag=True, help="Publishes what has changed: people enter it from now on.")
@click.option("--start", is_flag=True, help="Starts the journey if it has never run; needs --publish.")
@click.option(
    "--inside",
    type=click.Choice(["stay", "move", "end"]),
    default="stay",
    show_default=True,
    help="With --publish: whether people inside stay in their version, move to the steps of the same key "
    "(those at a step that is gone stay), or end.",
)
@click.option("--exit-code", is_flag=True, help="With --dry-run: exits with 3 if something would change.")
@where
def apply_files(
    files: tuple[Path, ...],
    dry_run: bool,
    publish: bool,
    start: bool,
    inside: str,
    exit_code: bool,
    **whom: Any,
) -> None:
    """Makes journeys what files say, each by the `handle` in its file.

    What a file says already changes nothing, so it can be done as often as one likes. Exits with 1 if
    something is wrong with a file, having told everything with its line.
    """
    if start and not publish:
        raise click.UsageError("--start needs --publish: only what is published can let people in.")
    if inside != "stay" and not publish:
        raise click.UsageError("--inside needs --publish: nobody is concerned before.")
    wish = Wish(dry_run, publish, start, exit_code, inside)
    read = [(file, _read(file)) for file in files]
    ready = [(file, filed) for file, filed in read if filed is not None]
    if len(ready) < len(read):
        # All of them or none: files that belong together are taken together.
        sys.exit(1)

    async def work(ask: Ask) -> list[int]:
        return [await _apply(ask, file, filed, wish) for file, filed in ready]

    sys.exit(max(asking(work, **whom)))


def _read(file: Path) -> "FiledJourney | None":
    from server.files.problems import FileProblem

    filed = read_file(file)
    missing = [name for name in ("handle", "graph") if filed is not None and not filed.variables.get(name)]
    if filed is None or not missing:
        return filed
    why = {
        "handle": "`handle` is missing: a word of your own that names the journey wherever the file goes.",
        "graph": "`graph` is missing: there is nothing to apply.",
    }
    tell_problems(file, [FileProblem(why[name], filed.place_of(())) for name in missing])
    return None


async def _apply(ask: Ask, file: Path, filed: "FiledJourney", wish: Wish) -> int:
    """Returns the exit code."""
    answer = (await ask(APPLY, input={**filed.variables, "dryRun": wish.dry_run}))["answer"]
    if tell_answer(file, filed, answer):
        return 1
    _tell(file, filed, answer, wish)
    if wish.dry_run:
        changes = answer["change"] != "UNCHANGED" or (wish.publish and answer["revision"] is not None)
        return 3 if wish.exit_code and changes else 0
    if wish.publish and answer["revision"] is not None and not await _publish(ask, file, filed, answer, wish):
        return 1
    if wish.start and answer["journey"]["status"] == "DRAFT":
        payload_of((await ask(START, input={"id": answer["journey"]["id"]}))["answer"])
        click.echo("  started")
    return 0


async def _publish(ask: Ask, file: Path, filed: "FiledJourney", answer: Data, wish: Wish) -> bool:
    """Publishes what was compared, and nothing else. Returns whether it could."""
    about = {"id": answer["journey"]["id"], "expectedRevision": answer["revision"]}
    fate = {"peopleInside": {"fate": wish.inside.upper()}} if wish.inside != "stay" else {}
    published = (await ask(PUBLISH, input={**about, **fate}))["answer"]
    if tell_answer(file, filed, published):
        return False
    told = [f"{published[name]} {said}" for name, said in _FATES.items() if published[name]]
    people = f"; of those inside, {', '.join(told)}" if told else ""
    click.echo(f"  published as version {published['version']['number']}{people}")
    return True


_FATES = {"staying": "stay in their version", "moving": "move to this one", "ending": "end"}


def _tell(file: Path, filed: "FiledJourney", answer: Data, wish: Wish) -> None:
    change = answer["change"].lower()
    handle = filed.variables["handle"]
    click.echo(
        f"{file}: {handle} {'would be ' + change if wish.dry_run and change != 'unchanged' else change}"
    )
    if answer["change"] == "CREATED":
        return
    for line in lines_of(answer["diff"]):
        click.echo(f"  {line}")
    for name in ("title", "category"):
        before, after = answer["journey"][name] or "", filed.variables.get(name) or ""
        if wish.dry_run and before != after.strip():
            click.echo(f"  ~ {name}: {before or '–'} → {after or '–'}")
    if answer["replacedRevision"] is not None:
        click.echo(f"  the draft of revision {answer['replacedRevision']}, which says something else, goes")
    if not answer["diff"]["isEmpty"]:
        click.echo(f"  {answer['inside']} inside")
        for one in answer["waiting"]:
            click.echo(f"    {one['runs']} wait at {one['key']}")
