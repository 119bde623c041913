"""`sojourn alimtalk ready`, `take` and `preview`: ready Alimtalks, and what one looks like."""

import sys
from pathlib import Path
from typing import Any

import click

from server.errors import BadInput

from .alimtalk import PROBLEM, alimtalk
from .asking import asking, payload_of, where

__all__ = ["alimtalk"]

TAKE = f"""mutation ($input: TakeReadyAlimtalksInput!) {{
    answer: takeReadyAlimtalks(input: $input) {{ {PROBLEM}
    ... on TakeReadyAlimtalksPayload {{ taken {{
        template {{ key isSendable }} journey {{ id title status }} }} }} }} }}"""
PREVIEW = """query ($template: AlimtalkTemplateInput!, $values: JSON) {
    previewAlimtalk(template: $template, values: $values) { html svg unfilled } }"""
in_language = click.option("--language", type=click.Choice(("ko", "en")), default="ko", show_default=True)


@alimtalk.command("ready")
@in_language
def list_ready(language: str) -> None:
    """What ready Alimtalks there are: sign-up, order, payment, shipping, cancellation."""
    from server.library.alimtalk import alimtalks

    for one in alimtalks(language):
        click.echo(f"{one.name}: {one.title} ({one.event})\n    {one.description}")


@alimtalk.command("take")
@click.argument("names", nargs=-1)
@in_language
@where
def take_ready(names: tuple[str, ...], language: str, **whom: Any) -> None:
    """Takes ready Alimtalks over, all if none is named: the templates, and a draft of each one's journey."""
    wish = {"names": list(names) or None, "language": language.upper()}
    for one in payload_of(asking(lambda ask: ask(TAKE, input=wish), **whom)["answer"])["taken"]:
        journey, template = one["journey"], one["template"]
        sendable = "can be sent" if template["isSendable"] else "is to be reviewed"
        click.echo(f"{template['key']}  {sendable}  {journey['title']} ({journey['status'].lower()})")


@alimtalk.command("preview")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--value", "values", multiple=True, metavar="NAME=TEXT", help="What a variable says.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the drawing goes: .html or .svg; the template's file with .html by default.",
)
@where
def preview(file: Path, values: tuple[str, ...], output: Path | None, **whom: Any) -> None:
    """Draws the template of a file as its reader would see it."""
    from .alimtalk_files import read_template_file

    output = output or file.with_suffix(".html")
    form = output.suffix.lower().removeprefix(".")
    if form not in ("html", "svg"):
        raise BadInput(f"{output}: a drawing ends with .html or .svg.")
    about = {"template": read_template_file(file, None)["template"], "values": _values(values)}
    seen = asking(lambda ask: ask(PREVIEW, **about), **whom)["previewAlimtalk"]
    head = '<!doctype html><meta charset="utf-8">\n' if form == "html" else ""
    output.write_text(head + seen[form], encoding="utf-8")
    click.echo(str(output))
    if seen["unfilled"]:
        click.echo(f"Without a value: {', '.join(seen['unfilled'])}", err=True)


def _values(given: tuple[str, ...]) -> dict[str, str]:
    pairs = [one.partition("=") for one in given]
    for name, sign, _ in pairs:
        if not sign:
            click.secho(f"--value wants NAME=TEXT, found {name!r}.", fg="red", err=True)
            sys.exit(2)
    return {name: text for name, _, text in pairs}
