"""E-mail: asks for one message to the user's e-mail address and goes on at once.

The texts are Liquid over `user`, `event` and `journey`; they are compiled where templates live,
and what is wrong with them is told together with what is wrong with the graph.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from ..moment import Decision, Leave, Moment
from ..reading import Reader
from .base import StepBase, read_common

LONGEST_BODY = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Email(StepBase):
    kind: ClassVar[str] = "email"
    channel: ClassVar[str | None] = "email"

    connection: str
    """The name of the project's connection that sends it."""
    subject: str
    html: str = ""
    text: str = ""
    from_name: str = ""
    reply_to: str = ""

    @classmethod
    def read(cls, reader: Reader) -> "Email":
        common: dict[str, Any] = read_common(reader)
        email = cls(
            **common,
            connection=reader.text("connection", longest=100),
            subject=reader.text("subject", longest=998),
            html=reader.text("html", required=False, longest=LONGEST_BODY),
            text=reader.text("text", required=False, longest=LONGEST_BODY),
            from_name=reader.text("from_name", required=False, longest=200),
            reply_to=reader.text("reply_to", required=False, longest=320),
        )
        if not email.html.strip() and not email.text.strip():
            reader.refuse("html", "An e-mail needs `html`, `text` or both; found neither", "missing")
        return email

    def templates(self) -> dict[str, str]:
        """Every text of the message that is a template, by its field's name."""
        names = ("subject", "html", "text", "from_name", "reply_to")
        return {name: getattr(self, name) for name in names if getattr(self, name)}

    def arrive(self, moment: Moment) -> Decision:
        return Leave(sends=True)
