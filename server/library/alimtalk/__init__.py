"""Ready Alimtalks for what every shop tells of an order: one file each beside this one.

Each is a template, what fills its variables, and the journey that sends it. Alimtalks are written in Korean;
what people read about them stands there in every language, as `{ko: …, en: …}`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from channels.alimtalk.reading import read_template
from channels.alimtalk.template import Template
from server.errors import NotFound
from server.files.reading import read_text
from server.files.writing import to_yaml

Data = dict[str, Any]
LANGUAGES = ("ko", "en")
NAMES = ("signed-up", "order-received", "order-paid", "order-shipped", "order-cancelled")
"""In the order in which they come; a test compares it with the files."""


@dataclass(frozen=True, slots=True)
class ReadyAlimtalk:
    """A ready Alimtalk, told of in one language."""

    name: str
    """Also the key of the template, and what files call the journey."""
    title: str
    description: str
    event: str
    """The event that lets people in."""
    template: Template
    bindings: Mapping[str, str]
    journey: str
    """The file of its journey, as `sojourn journey` takes one."""
    example: Mapping[str, Any]
    """Properties of such an event, and of whom it happens to, for previews and rehearsals."""
    shown: Mapping[str, str]
    """What each variable says for the example."""


def alimtalks(language: str) -> list[ReadyAlimtalk]:
    return [alimtalk(name, language) for name in NAMES]


@cache
def alimtalk(name: str, language: str) -> ReadyAlimtalk:
    """Raises NotFound."""
    if name not in NAMES or language not in LANGUAGES:
        known = ", ".join(NAMES)
        raise NotFound(f"There is no ready Alimtalk {name[:100]!r} in {language!r}; there are: {known}.")
    said = read_text((files(__name__) / f"{name}.yaml").read_text(encoding="utf-8")).data
    template, problems = read_template(said["template"])
    assert template is not None
    assert not problems
    return ReadyAlimtalk(
        name=name,
        title=said["title"][language],
        description=said["description"][language],
        event=said["event"],
        template=template,
        bindings=said["bindings"],
        journey=to_yaml(_journey(name, said, language)),
        example=said["example"],
        shown=said["shown"],
    )


def _journey(name: str, said: Data, language: str) -> Data:
    """Whoever does it gets the message, once for each order."""
    entry = {"key": "entry", "title": said["event"], "position": {"x": 0, "y": 0}, "event": said["event"]}
    talk = {
        "key": "alimtalk",
        "title": said["title"][language],
        "position": {"x": 240, "y": 0},
        "template": name,
    }
    done = {"key": "done", "title": "끝" if language == "ko" else "Done", "position": {"x": 480, "y": 0}}
    graph = {
        "steps": [{"entryEvent": entry}, {"alimtalk": talk}, {"exit": done}],
        "edges": [{"from": "entry", "to": "alimtalk"}, {"from": "alimtalk", "to": "done"}],
        **said["again"],
    }
    return {"title": said["title"][language], "category": "order", "graph": graph}
