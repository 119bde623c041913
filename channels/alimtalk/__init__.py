"""What an Alimtalk is, apart from any relay: templates, what may be wrong with them, and a relay's desk.

Adapters of relays and the server stand on it; it imports the standard library only.
"""

from .filling import fill, fill_text, variables_of
from .findings import Finding, Rule, Severity
from .limits import BY_RELAY, KAKAO, NHN, SENS, SOLAPI, Limits
from .lint import RULES, About, has_errors, lint, lint_data, lint_filled
from .reading import read_template, to_data
from .template import Button, Highlight, Image, Item, Link, Template

__all__ = [
    "BY_RELAY",
    "KAKAO",
    "NHN",
    "RULES",
    "SENS",
    "SOLAPI",
    "About",
    "Button",
    "Finding",
    "Highlight",
    "Image",
    "Item",
    "Limits",
    "Link",
    "Rule",
    "Severity",
    "Template",
    "fill",
    "fill_text",
    "has_errors",
    "lint",
    "lint_data",
    "lint_filled",
    "read_template",
    "to_data",
    "variables_of",
]
