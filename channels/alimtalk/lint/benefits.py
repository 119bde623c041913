"""Coupons and points: AT030, AT031."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from channels.alimtalk.filling import fill_text, variables_in, variables_of
from channels.alimtalk.findings import Finding, read_toml
from channels.alimtalk.limits import Limits
from channels.alimtalk.template import Template

from .about import About
from .basis import BASIS, Place, look_for
from .rules import PACKAGE, find
from .texts import said

_WORDS: dict[str, Any] = read_toml(PACKAGE, "words_benefits")
_BENEFITS = ("coupon", "points")
_BRACKETS = re.compile(r"\s*\[([^\]\n]{1,60})\]")
_VARIABLE = re.compile(r"#\{[^{}]*\}")


def _words(name: str) -> re.Pattern[str]:
    return re.compile(_WORDS[name], re.IGNORECASE)


_THINGS, _FATES, _COUPONS, _EXPIRY = (_words(one) for one in ("things", "fates", "coupons", "expiry"))
_GREETING, _NAMES_COMPANY, _CONDITIONS = (_words(one) for one in ("greeting", "names_company", "conditions"))
_COUPON_NAMES, _COUPON_BINDINGS = _words("coupon_names"), _words("coupon_name_bindings")
_VALIDITY, _VALIDITY_BINDINGS = _words("validity"), _words("validity_bindings")
_INDUCEMENTS = [re.compile(one, re.IGNORECASE) for one in _WORDS["inducements"]]
_NEAR_EXPIRY = [re.compile(one, re.IGNORECASE) for one in _WORDS["near_expiry"]]


@dataclass(frozen=True, slots=True)
class _Benefit:
    """What a message says of a coupon or of points."""

    template: Template
    about: About
    fixed: str
    """Everything that it says, without its variables."""
    names: tuple[str, ...]

    def has_variable(self, parts: str, bindings: re.Pattern[str] | None = None) -> bool:
        """Whether a variable is called so, or filled so."""
        for name in self.names:
            if any(part in name.lower() for part in _WORDS[parts]):
                return True
            if bindings is not None and bindings.search(self.about.bindings.get(name, "")):
                return True
        return False


def look(template: Template, limits: Limits, about: About) -> Iterator[Finding]:
    fixed = "\n".join(_VARIABLE.sub(" ", text) for _, text in said(template))
    benefit = _Benefit(template, about, fixed, variables_of(template))
    tells = _THINGS.search(_all_words(benefit)) and _FATES.search(fixed)
    if about.declaration in _BENEFITS or (tells and not about.declaration):
        yield from _company(template.body, about)
        yield from _condition(benefit)
        if about.is_expiry_notice or _EXPIRY.search(fixed):
            yield from _expiry(benefit)
        yield from _basis(template)
    elif tells:
        yield find("AT030", "undeclared", "body", declared=about.declaration)
    yield from _inducement(template, about)


def _all_words(benefit: _Benefit) -> str:
    return benefit.fixed + " ".join(benefit.names)


def _company(body: str, about: About) -> Iterator[Finding]:
    """Whether the body begins with the company's name: in brackets, or in a greeting."""
    told = about.company or "업체명"
    if found := _BRACKETS.match(body):
        named = fill_text(found[1], about.values).strip()
        if about.company and named != about.company and not _is_company(variables_in(named)):
            yield find("AT030", "other_company", "body", found=found[0].strip(), company=told)
        return
    first = next((line for line in body.splitlines() if line.strip()), "")
    if not _GREETING.match(first) or not _names(first, about):
        yield find("AT030", "company", "body", company=told)


def _names(greeting: str, about: About) -> bool:
    if about.company:
        said_by = fill_text(greeting, about.values)
        return about.company in said_by or _is_company(variables_in(said_by))
    return bool(_NAMES_COMPANY.search(greeting))


def _is_company(names: list[str]) -> bool:
    return any(part in name.lower() for name in names for part in _WORDS["company_variables"])


def _condition(benefit: _Benefit) -> Iterator[Finding]:
    declared = benefit.about.issue_condition.strip()
    if declared:
        if _squeezed(declared) not in _squeezed("".join(text for _, text in said(benefit.template))):
            yield find("AT030", "declared_condition", "body", found=declared[:60])
    elif not _CONDITIONS.search(benefit.fixed) and not benefit.has_variable("condition_variables"):
        yield find("AT030", "condition", "body")


def _squeezed(text: str) -> str:
    return "".join(text.split())


def _expiry(benefit: _Benefit) -> Iterator[Finding]:
    """On expiry: which coupon, and until when."""
    declared = benefit.about.declaration
    is_coupon = declared == "coupon" or (declared != "points" and _COUPONS.search(benefit.fixed))
    has_name = _COUPON_NAMES.search(benefit.fixed) or benefit.has_variable(
        "coupon_name_variables", _COUPON_BINDINGS
    )
    if is_coupon and not has_name:
        yield find("AT030", "coupon_name", "body")
    if not _VALIDITY.search(benefit.fixed) and not benefit.has_variable(
        "validity_variables", _VALIDITY_BINDINGS
    ):
        yield find("AT030", "validity", "body")


def _basis(template: Template) -> Iterator[Finding]:
    found = look_for(template.body, template.extra)
    if found is None:
        yield find("AT030", "basis", "body", example=BASIS["example"])
        return
    if found.place is Place.MIDDLE:
        yield find("AT030", "basis_place", "body")
    if not found.is_marked:
        yield find("AT030", "basis_mark", "extra" if found.place is Place.EXTRA else "body")


def _inducement(template: Template, about: About) -> Iterator[Finding]:
    for path, text in said(template):
        fixed = _VARIABLE.sub("○", text)
        for pattern in _INDUCEMENTS:
            if found := pattern.search(fixed):
                yield find("AT031", "inducement", *path, found=found[0][:60])
        for pattern in _NEAR_EXPIRY:
            found = pattern.search(fixed)
            if found and _is_near(found) and (about.declaration in _BENEFITS or _THINGS.search(fixed)):
                days = _WORDS["near_days"]
                yield find("AT031", "near_expiry", *path, found=found[0].strip()[:60], days=days)


def _is_near(found: re.Match[str]) -> bool:
    days = found[1] if found.re.groups else None
    return days is None or int(days[:6]) <= _WORDS["near_days"]
