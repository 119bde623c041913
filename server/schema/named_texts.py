"""Names and texts, as they come in and go out."""

from typing import Any

import strawberry


@strawberry.input(description="A name and a Liquid template.")
class NamedTextInput:
    name: str = strawberry.field(description="The name; of two with one name the last holds.")
    value: str = strawberry.field(description="The text, a Liquid template.")


@strawberry.type(description="A name and a Liquid template.")
class NamedText:
    name: str = strawberry.field(description="The name.")
    value: str = strawberry.field(description="The text, a Liquid template.")


def named_texts(item: dict[str, Any], name: str) -> list[NamedText]:
    """The names and texts that stand under this name in plain data."""
    return [NamedText(name=one, value=text) for one, text in (item.get(name) or {}).items()]
