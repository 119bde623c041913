"""What goes out in the place of a message that could not be sent or did not arrive (대체발송).

Whether it may is decided by `server.delivery.fallbacks`; here stands what a step says of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from ..reading import Reader

DAY = 86_400_000
SHORTEST_WITHIN, LONGEST_WITHIN = 60_000, 3 * DAY
LONGEST_TEXT, LONGEST_TITLE, LONGEST_NAME = 20_000, 1000, 100
OWN_FIELDS = ("text", "title")
"""Fields of the content that stand beside the channel; the others stand in `content`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallback:
    channel: str
    connection: str = ""
    """The name of the connection that sends it; empty: the project's order for the channel."""
    content: Mapping[str, str] = field(default_factory=dict)
    """Templates by the name of the content's field."""
    variables: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    must_arrive: bool = False
    """Whether it goes also where the first may have arrived, or its reader has opted out of that channel."""
    within_ms: int = DAY
    """How long after the first was decided it is still of use."""

    @classmethod
    def read(cls, reader: Reader) -> Self | None:
        # Late, because the steps' own reading builds on this file.
        from .sending import read_channel, read_options, read_templates

        inside = reader.within("fallback")
        if inside is None:
            return None
        texts = {"text": LONGEST_TEXT, "title": LONGEST_TITLE}
        own = {name: inside.text(name, required=False, longest=most) for name, most in texts.items()}
        content = {**read_templates(inside, "content"), **{name: text for name, text in own.items() if text}}
        if not any(text.strip() for text in content.values()):
            inside.refuse("text", "It says nothing: `text`, or another field in `content`", "missing")
        return cls(
            channel=read_channel(inside),
            connection=inside.text("connection", required=False, longest=LONGEST_NAME).strip(),
            content=content,
            variables=read_templates(inside, "variables"),
            options=read_options(inside),
            must_arrive=inside.flag("must_arrive"),
            within_ms=inside.duration(
                "within_ms", least=SHORTEST_WITHIN, most=LONGEST_WITHIN, required=False, default=DAY
            ),
        )


def place_of(name: str) -> tuple[str, ...]:
    """Where in the fallback's data a field of its content stands."""
    return (name,) if name in OWN_FIELDS else ("content", name)
