"""What goes out in the place of a message that did not arrive, as it comes in and goes out."""

from typing import Any

import strawberry
from strawberry.scalars import JSON

from server.journey.steps.fallback import DAY

from .named_texts import NamedText, NamedTextInput, named_texts


@strawberry.input(
    description="What goes out in the place of a message that could not be sent or did not arrive. "
    "Its texts are Liquid templates, over the same values as those of the step."
)
class FallbackInput:
    channel: str = strawberry.field(description="By which channel, by its name, e.g. sms, email or push.")
    connection: str | None = strawberry.field(
        default=None, description="The name of the connection that sends it; the project's order by default."
    )
    text: str | None = strawberry.field(
        default=None, description="The text. In Korea up to 90 bytes of EUC-KR make an SMS, more an LMS."
    )
    title: str | None = strawberry.field(default=None, description="The title, which makes an LMS.")
    content: list[NamedTextInput] | None = strawberry.field(
        default=None, description="Other fields of the message that the channel has, by name."
    )
    variables: list[NamedTextInput] | None = strawberry.field(
        default=None, description="Values for a template that the provider keeps, by the name there."
    )
    options: JSON | None = strawberry.field(
        default=None, description="What only the connection's adapter understands."
    )
    must_arrive: bool | None = strawberry.field(
        default=False,
        description="Whether it goes also where the first may have arrived, so that somebody may get both, "
        "and where its reader has opted out of that channel: for what nobody may miss.",
    )
    within_seconds: int | None = strawberry.field(
        default=None,
        description="How long after the first was decided it is of use: a day by default, at most 3.",
    )


@strawberry.type(
    description="What goes out in the place of a message that could not be sent or did not arrive (대체발송)."
)
class Fallback:
    channel: str = strawberry.field(description="By which channel.")
    connection: str | None = strawberry.field(
        description="The name of the connection that sends it; null: the project's order decides."
    )
    text: str | None = strawberry.field(description="The text, a Liquid template.")
    title: str | None = strawberry.field(description="The title, a Liquid template.")
    content: list[NamedText] = strawberry.field(
        description="Other fields of the message, by name.", metadata={"list_size": 5}
    )
    variables: list[NamedText] = strawberry.field(
        description="Values for a template that the provider keeps.", metadata={"list_size": 5}
    )
    options: JSON | None = strawberry.field(description="What only the connection's adapter understands.")
    must_arrive: bool = strawberry.field(
        description="Whether it goes also where the first may have arrived, or was not wanted there."
    )
    within_seconds: int = strawberry.field(description="How long after the first was decided it is of use.")


def to_fallback(item: dict[str, Any]) -> Fallback | None:
    """The fallback in a step's plain data."""
    found = item.get("fallback")
    if not found:
        return None
    return Fallback(
        channel=found["channel"],
        connection=found.get("connection") or None,
        text=found.get("text") or None,
        title=found.get("title") or None,
        content=named_texts(found, "content"),
        variables=named_texts(found, "variables"),
        options=found.get("options"),
        must_arrive=bool(found.get("must_arrive")),
        within_seconds=(found.get("within_ms") or DAY) // 1000,
    )
