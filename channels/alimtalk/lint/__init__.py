"""What is wrong with a template, rule by rule: before a review, and again for each recipient."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from channels.alimtalk.findings import Finding, Rule, Severity
from channels.alimtalk.limits import KAKAO, Limits
from channels.alimtalk.reading import read_template
from channels.alimtalk.template import Template

from . import (
    advertising,
    benefits,
    buttons,
    fallback,
    images,
    items,
    links,
    registration,
    sending,
    texts,
    types,
    variables,
)
from .about import About
from .rules import RULES

__all__ = [
    "NOTHING",
    "RULES",
    "About",
    "Finding",
    "Rule",
    "Severity",
    "has_errors",
    "lint",
    "lint_data",
    "lint_filled",
]

NOTHING = About()
_Look = Callable[[Template, Limits, About], Iterator[Finding]]
_SUBJECTS: tuple[_Look, ...] = tuple(
    module.look
    for module in (
        types,
        texts,
        variables,
        images,
        items,
        buttons,
        links,
        benefits,
        advertising,
        registration,
        fallback,
        sending,
    )
)


def lint(template: Template, limits: Limits = KAKAO, about: About = NOTHING) -> list[Finding]:
    """Everything that is wrong with a template, in the order of the rules. Never raises.

    Lengths are those that texts have once they are filled with `about.values`; of a variable without a value
    a length is guessed, and what only the guess says is a warning.
    """
    return _ordered(found for look in _SUBJECTS for found in look(template, limits, about))


def lint_filled(
    template: Template,
    filled: Template,
    limits: Limits = KAKAO,
    about: About = NOTHING,
    values: Mapping[str, str] | None = None,
) -> list[Finding]:
    """Why one recipient's message, filled from the template, would be refused. Never raises.

    Everything here is an error; `about.fallback` is the text message as this recipient would get it, `values`
    are those that it was filled with.
    """
    found = [
        *texts.look_filled(filled, limits),
        *sending.look_filled(template, filled, limits, about, values),
    ]
    if about.fallback:
        found += fallback.look_text(about.fallback, about.fallback_title)
    return _ordered(one for one in found if one.severity is Severity.ERROR)


def lint_data(
    data: object, limits: Limits = KAKAO, about: About = NOTHING
) -> tuple[Template | None, list[Finding]]:
    """The template that plain data describes, with what is wrong with its shape and with what it says."""
    template, found = read_template(data)
    if template is None:
        return None, found
    told = {one.path for one in found}
    return template, [*found, *(one for one in lint(template, limits, about) if one.path not in told)]


def has_errors(findings: Iterable[Finding]) -> bool:
    return any(one.severity is Severity.ERROR for one in findings)


def _ordered(findings: Iterable[Finding]) -> list[Finding]:
    """By rule; in a rule as they were found, each once."""
    return sorted(dict.fromkeys(findings), key=lambda one: one.rule)
