"""What is wrong with a template, rule by rule: before a review, and again for each recipient."""

from __future__ import annotations

from channels.alimtalk.findings import Finding
from channels.alimtalk.limits import KAKAO, Limits
from channels.alimtalk.template import Template

from .about import About

NOTHING = About()


def lint(template: Template, limits: Limits = KAKAO, about: About = NOTHING) -> list[Finding]:
    """Everything that is wrong with a template, in the order of its rules. Never raises."""
    return []


def lint_filled(
    template: Template, filled: Template, limits: Limits = KAKAO, about: About = NOTHING
) -> list[Finding]:
    """Why one recipient's message, filled from the template, would be refused. Never raises."""
    return []
