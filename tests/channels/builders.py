from collections.abc import Mapping

from channels import Message
from channels.testing.check import NOW


def a_message(
    reference: str = "m-1",
    to: str = "mina@example.com",
    *,
    headers: Mapping[str, str] | None = None,
    sent_at: int = NOW,
    **content: str,
) -> Message:
    return Message(
        reference,
        to,
        {"subject": "Hello", "text": "Good morning", **content},
        sent_at,
        headers or {},
    )
