"""`sojourn journey templates` and `new`: ready journeys, to begin with."""

import sys
from pathlib import Path
from typing import Any

import click

from server.library import LANGUAGES, NAMES

from .asking import asking, payload_of, where
from .journey_files import PROBLEM

CREATE = f"""mutation ($input: CreateJourneyFromTemplateInput!) {{
    answer: createJourneyFromTemplate(input: $input) {{ {PROBLEM}
        ... on CreateJourneyFromTemplatePayload {{ journey {{ id title }} }} }} }}"""

in_language = click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True)


@click.command("templates")
@in_language
def list_templates(language: str) -> None:
    """What ready journeys there are."""
    from server import library

    for one in library.templates(language):
        click.echo(f"{one.name}: {one.title}\n    {one.description}")


@click.command("new")
@click.option("--template", required=True, type=click.Choice(NAMES), help="The ready journey to begin with.")
@in_language
@click.option("--title", help="Another one than the template's.")
@click.option("--handle", help="What files call the journey; in a file the template's name by default.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Only writes it as a file, which is new.",
)
@where
def new_journey(
    template: str, language: str, title: str | None, handle: str | None, output: Path | None, **whom: Any
) -> None:
    """Makes a journey of a ready one: in the project, as a draft, or as a file to change and to apply."""
    if output is not None:
        _write(template, language, title, handle, output)
        return
    wish = {"template": template, "language": language.upper(), "title": title, "handle": handle}
    made = payload_of(asking(lambda ask: ask(CREATE, input=wish), **whom)["answer"])["journey"]
    click.echo(f"{made['title']}: created as {made['id']}, a draft.")


def _write(template: str, language: str, title: str | None, handle: str | None, output: Path) -> None:
    from server import library
    from server.files.reading import read_text
    from server.files.writing import to_yaml

    ready = library.template(template, language)
    said = {"handle": handle or template, **read_text(ready.text).data}
    text = to_yaml({**said, "title": title or ready.title})
    try:
        with output.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        click.secho(f"{output} is there already; it stays as it is.", fg="red", err=True)
        sys.exit(1)
    click.echo(f"{output}: {title or ready.title}")
