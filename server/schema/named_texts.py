"""Names and texts, as they come in."""

import strawberry


@strawberry.input(description="A name and a Liquid template.")
class NamedTextInput:
    name: str = strawberry.field(description="The name; of two with one name the last holds.")
    value: str = strawberry.field(description="The text, a Liquid template.")
