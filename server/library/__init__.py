"""Ready journeys: one file each beside this one, with a rehearsal that shows that it does what it says.

A text that people read stands there in every language, as `{ko: …, en: …}`; who takes a journey says which.
What a file is told for its rehearsal, and what has to come of it, is in `NAME.rehearsal.yaml`.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from server.errors import NotFound
from server.files.reading import read_text
from server.files.writing import to_yaml

Data = dict[str, Any]

LANGUAGES = ("ko", "en")
NAMES = ("welcome", "abandoned-cart", "post-purchase-review", "win-back", "coupon-expiring", "birthday")
"""In the order in which they are shown; a test compares it with the files."""
_REHEARSAL = ".rehearsal.yaml"


@dataclass(frozen=True, slots=True)
class Template:
    """A ready journey in one language."""

    name: str
    title: str
    description: str
    category: str
    text: str
    """The file of the journey, as `sojourn journey` writes and takes one."""
    rehearsal: Data
    """What a rehearsal is told."""
    expected: Data
    """What has to come of it: figures, and people with their paths and the subjects of their messages."""


def templates(language: str) -> list[Template]:
    return [template(name, language) for name in NAMES]


@cache
def template(name: str, language: str) -> Template:
    """Raises NotFound."""
    if name not in NAMES or language not in LANGUAGES:
        raise NotFound(f"There is no ready journey {name!r} in {language!r}; there are: {', '.join(NAMES)}.")
    said = _in_language(_data(f"{name}.yaml"), language)
    played = _in_language(_data(name + _REHEARSAL), language)
    description = said.pop("description")
    return Template(
        name,
        said["title"],
        description,
        said["category"],
        to_yaml(said),
        played["rehearsal"],
        played["expected"],
    )


def _data(file: str) -> Any:
    return read_text((files(__name__) / file).read_text(encoding="utf-8")).data


def _in_language(value: Any, language: str) -> Any:
    """Every text that is there in each language becomes the text in this one."""
    if isinstance(value, dict):
        if value.keys() == set(LANGUAGES):
            return value[language]
        return {name: _in_language(inner, language) for name, inner in value.items()}
    return [_in_language(inner, language) for inner in value] if isinstance(value, list) else value
