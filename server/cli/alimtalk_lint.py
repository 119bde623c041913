"""`sojourn alimtalk lint`: what is wrong with templates in files. No server and no database is asked."""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson

from server.errors import BadInput

if TYPE_CHECKING:
    from channels.alimtalk.findings import Finding
    from channels.alimtalk.lint import About
    from server.files.reading import Sheet

Data = dict[str, Any]
Inside = tuple[str | int, ...]
RELAYS = ("kakao", "nhn", "solapi", "sens")
_COLOURS = {"error": "red", "warning": "yellow", "hint": "cyan"}
_SEVERITIES = {"error": "오류", "warning": "경고", "hint": "참고"}


@dataclass(frozen=True, slots=True)
class _Asked:
    relay: str
    company: str
    language: str


@dataclass(frozen=True, slots=True)
class _Told:
    """A finding, and the line of the file that it is about."""

    finding: "Finding"
    line: int | None
    path: Inside


@click.command("lint")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--relay", type=click.Choice(RELAYS), default="kakao", help="Whose limits hold.")
@click.option("--company", default="", help="The shop's name, as recipients know it.")
@click.option("--language", type=click.Choice(["en", "ko"]), help="By LANG by default.")
@click.option("--json", "as_json", is_flag=True, help="As data for programs.")
def lint_files(
    files: tuple[Path, ...], relay: str, company: str, language: str | None, as_json: bool
) -> None:
    """Says what is wrong with templates of Alimtalks, before anybody reviews them (docs/alimtalk-rules.md).

    A file is YAML or JSON: a template (body, buttons …), an object of template, bindings, declaration and
    values, or a list of these, also under `templates`. Ends with 1 if anything would be refused.
    """
    asked = _Asked(relay, company, language or _language())
    found = {file: list(_look(file, asked)) for file in files}
    if as_json:
        click.echo(orjson.dumps([_as_data(file, one) for file, told in found.items() for one in told]))
    else:
        _tell(found, asked.language)
    if any(one.finding.severity == "error" for told in found.values() for one in told):
        sys.exit(1)


def _language() -> str:
    words = (os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return "ko" if next((word for word in words if word), "").lower().startswith("ko") else "en"


def _look(file: Path, asked: _Asked) -> Iterator[_Told]:
    from channels.alimtalk.limits import BY_RELAY
    from channels.alimtalk.lint import lint_data

    sheet = _sheet_of(file)
    for where, around in _templates(sheet.data):
        has_more = isinstance(around, dict) and "template" in around
        inside, data = ((*where, "template"), around["template"]) if has_more else (where, around)
        for one in lint_data(data, BY_RELAY[asked.relay], _about(around, asked.company))[1]:
            path = (*inside, *one.path)
            place = sheet.place_of(path)
            yield _Told(one, place.line if place else None, path)


def _sheet_of(file: Path) -> "Sheet":
    from server.files.problems import CannotRead
    from server.files.reading import read_text

    try:
        return read_text(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise BadInput(f"{file}: this is no text in UTF-8: byte {error.start}.") from error
    except CannotRead as error:
        raise BadInput("\n".join(f"{file}:{one}" for one in error.problems)) from error


def _templates(data: Any) -> Iterator[tuple[Inside, Any]]:
    """Every template of a file, with where it stands."""
    if isinstance(data, dict) and isinstance(data.get("templates"), list):
        yield from ((("templates", index), one) for index, one in enumerate(data["templates"]))
    elif isinstance(data, list):
        yield from (((index,), one) for index, one in enumerate(data))
    else:
        yield (), data


def _about(around: Any, company: str) -> "About":
    """What the file says around a template."""
    from channels.alimtalk.lint import About

    if not isinstance(around, dict) or "template" not in around:
        return About(company=company)
    declared = around.get("declaration")
    said: Data = declared if isinstance(declared, dict) else {}
    kind = str(said.get("notice_of") or said.get("kind") or "")
    return About(
        company=company or str(said.get("company") or ""),
        declaration=kind,
        issue_condition=str(said.get("issue_condition") or ""),
        is_expiry_notice=said.get("is_expiry_notice") is True,
        is_auth=kind == "authentication",
        values=_texts(around.get("values")),
        bindings=_texts(around.get("bindings")),
        fallback=str(around.get("fallback") or ""),
    )


def _texts(given: Any) -> dict[str, str]:
    return {str(name): str(value) for name, value in given.items()} if isinstance(given, dict) else {}


def _tell(found: dict[Path, list[_Told]], language: str) -> None:
    """Each as `file:line: what`, the form that editors and CI systems make a link of."""
    for file, told in found.items():
        for one in told:
            click.echo(_line(file, one, language))
    counts = [
        sum(one.finding.severity == kind for told in found.values() for one in told) for kind in _COLOURS
    ]
    if language == "ko":
        click.echo("오류 {}개, 경고 {}개, 참고 {}개".format(*counts))
    else:
        click.echo("{} errors, {} warnings, {} hints".format(*counts))


def _line(file: Path, one: _Told, language: str) -> str:
    finding = one.finding
    place = f"{file}:{one.line}" if one.line else str(file)
    kind = _SEVERITIES[finding.severity] if language == "ko" else str(finding.severity)
    head = click.style(f"{kind} {finding.rule}", fg=_COLOURS[finding.severity])
    where = ".".join(map(str, one.path))
    said = f"{finding.message(language)} {finding.remedy(language)}"
    return f"{place}: {head} {where}: {said}" if where else f"{place}: {head} {said}"


def _as_data(file: Path, one: _Told) -> Data:
    finding = one.finding
    return {
        "file": str(file),
        "line": one.line,
        "path": list(one.path),
        "rule": finding.rule,
        "problem": finding.problem,
        "severity": str(finding.severity),
        "message": {"en": finding.message_en, "ko": finding.message_ko},
        "remedy": {"en": finding.remedy_en, "ko": finding.remedy_ko},
    }
