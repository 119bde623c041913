"""What is wrong with a template: one finding a place, in Korean and in English, with what to do."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from typing import Any, TypeAlias

from .korean import with_particles

Path: TypeAlias = tuple[str | int, ...]


class Severity(StrEnum):
    ERROR = "error"
    """A relay or KakaoTalk refuses it."""
    WARNING = "warning"
    """A review will probably reject it, or some messages will fail."""
    HINT = "hint"
    """It works, and not everybody sees what was meant."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong."""

    rule: str
    """`AT001` and so on; `AT000` where the data is no template at all."""
    severity: Severity
    path: Path
    """Where in the template, by the names of its fields and from 0; empty for all of it."""
    message_en: str
    message_ko: str
    remedy_en: str
    remedy_ko: str
    problem: str = ""
    """Which of the things that the rule tells, as a word for programs."""

    def message(self, language: str) -> str:
        return self.message_ko if language == "ko" else self.message_en

    def remedy(self, language: str) -> str:
        return self.remedy_ko if language == "ko" else self.remedy_en


@dataclass(frozen=True, slots=True)
class Says:
    """What a rule says in one case. `{names}` in its texts are filled by whoever finds it."""

    severity: Severity
    en: str
    ko: str
    do_en: str
    do_ko: str


@dataclass(frozen=True, slots=True)
class Rule:
    id: str
    subject: str
    severity: Severity
    what_en: str
    what_ko: str
    source: str
    says: Mapping[str, Says]

    def find(self, problem: str, path: Path, **about: object) -> Finding:
        """A finding of this rule, with the texts filled."""
        says = self.says[problem]
        en, do_en = says.en.format(**about), says.do_en.format(**about)
        ko, do_ko = (with_particles(text.format(**about)) for text in (says.ko, says.do_ko))
        return Finding(self.id, says.severity, path, en, ko, do_en, do_ko, problem)


def read_rules(package: str, names: Iterable[str], shared: str = "") -> dict[str, Rule]:
    """The rules of the TOML files of these names, by their ids. What several of them say is in `shared`."""
    common = read_toml(package, shared) if shared else {}
    found: dict[str, Rule] = {}
    for name in names:
        rules = read_toml(package, name).items()
        found.update((id, _rule(id, name, about, common)) for id, about in rules)
    return found


def read_toml(package: str, name: str) -> dict[str, Any]:
    return tomllib.loads(resources.files(package).joinpath(f"{name}.toml").read_text("utf-8"))


def _rule(id: str, subject: str, about: Mapping[str, Any], common: Mapping[str, Any]) -> Rule:
    severity = Severity(about["severity"])
    said = {name: common[name] for name in about.get("uses", ())} | about.get("says", {})
    says = {name: _says(one, severity) for name, one in said.items()}
    texts = (about["what_en"], about["what_ko"], about["source"])
    return Rule(id, subject, severity, *texts, says)


def _says(about: Mapping[str, str], severity: Severity) -> Says:
    texts = (about[name] for name in ("en", "ko", "do_en", "do_ko"))
    return Says(Severity(about.get("severity", severity)), *texts)
