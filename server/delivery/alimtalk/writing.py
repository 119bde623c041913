"""A template filled for one recipient, checked as its relay would check it, and put as adapters take it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from channels.alimtalk.filling import fill
from channels.alimtalk.findings import Finding, Severity
from channels.alimtalk.limits import Limits
from channels.alimtalk.lint import lint_filled
from channels.alimtalk.template import Button, Highlight, Template

from .sheets import Sheet


class Unfit(Exception):
    """Filled for this recipient the template would be refused; nothing has left."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(f"{rule}: {message}" if rule else message)
        self.rule, self.message = rule, message


class NoTemplate(Exception):
    """Nothing says which version of its template a message is to leave with."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a message says, in the words of the contract and of the options that all relays share."""

    content: Mapping[str, str]
    variables: Mapping[str, str]
    options: Mapping[str, Any]


def write(sheet: Sheet, values: Mapping[str, str], limits: Limits) -> Written:
    """`values` are those of the template's variables, by their bare names. Raises Unfit."""
    missing = [name for name in sheet.variables if name not in values]
    if missing:
        names = ", ".join(f"#{{{name}}}" for name in missing)
        raise Unfit("", f"Nothing gives a value for {names}.")
    filled = fill(sheet.template, values)
    wrong = errors(lint_filled(sheet.template, filled, limits, sheet.about, values))
    if wrong:
        raise Unfit(wrong[0].rule, wrong[0].message_en)
    return written(sheet.code, filled, values)


def errors(findings: Sequence[Finding]) -> list[Finding]:
    """Those that a relay refuses a message for."""
    return [one for one in findings if one.severity is Severity.ERROR]


def written(code: str, filled: Template, values: Mapping[str, str]) -> Written:
    content = {"template": code, "text": filled.body, "title": filled.title}
    return Written({name: text for name, text in content.items() if text}, dict(values), _options(filled))


def _options(filled: Template) -> dict[str, Any]:
    """Buttons and the rest in their order, whether a relay wants all of them or only what changes."""
    found: dict[str, Any] = {
        "buttons": [_said(one) for one in filled.buttons],
        "quick_replies": [_said(one) for one in filled.quick_replies],
        "header": filled.header,
        "items": [asdict(one) for one in filled.items],
    }
    if filled.highlight is not None:
        found["highlight"] = _highlight(filled.highlight)
    if filled.summary is not None:
        found["summary"] = asdict(filled.summary)
    if filled.link is not None:
        found["link"] = {name: value for name, value in asdict(filled.link).items() if value}
    return {name: value for name, value in found.items() if value}


def _highlight(highlight: Highlight) -> dict[str, str]:
    said = {"title": highlight.title, "description": highlight.description}
    if highlight.image is not None and highlight.image.url:
        said["image_url"] = highlight.image.url
    return said


def _said(button: Button) -> dict[str, str]:
    return {name: value for name, value in asdict(button).items() if value}
