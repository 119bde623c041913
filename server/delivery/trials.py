"""Tries a connection on purpose: asks its provider what is wrong, or sends one message straight to it.

Nothing here is part of a journey, and nothing is counted. What an adapter says is told without its secrets.
"""

import asyncio
import secrets
from collections.abc import Mapping
from typing import Any

import structlog
from pydantic import ValidationError

from channels.contract import AnyChannel, Message, Outcome, Problem, Purpose, Tools, Unknown
from channels.contract import Sender as ChannelSender
from channels.options import problems_in
from server.clock import Instant
from server.store.open_connections import OpenConnection

from . import hiding

PROBE_SECONDS, SEND_SECONDS = 15.0, 30.0
log = structlog.get_logger("delivery")


def write_test_reference() -> str:
    """Names a message that was sent to try a connection; no message of a journey has such a name."""
    return f"test-{secrets.token_hex(8)}"


async def probe(connection: OpenConnection, tools: Tools, *, seconds: float = PROBE_SECONDS) -> list[Problem]:
    """What is wrong, asked of the provider without sending or changing anything."""
    try:
        async with asyncio.timeout(seconds):
            found = await connection.adapter.probe(connection.settings, tools)
    except TimeoutError:
        return [Problem("", f"The provider has not answered within {seconds:g} seconds.")]
    except Exception:
        log.exception("an adapter raised while it probed", connection=connection.id)
        return [Problem("", "The adapter failed while it asked the provider; the server's log says why.")]
    return [Problem(one.path, hide(connection, one.message)) for one in found]


async def send(
    connection: OpenConnection, tools: Tools, message: Message, *, seconds: float = SEND_SECONDS
) -> Outcome:
    """Hands one message over. Whatever gives no answer may have left."""
    sender: ChannelSender | None = None
    try:
        async with asyncio.timeout(seconds):
            sender = connection.adapter.open(connection.settings, tools)
            return await sender.send(message)
    except TimeoutError:
        return Unknown(text=f"There was no answer within {seconds:g} seconds.")
    except Exception:
        log.exception("an adapter raised while it sent a test message", connection=connection.id)
        return Unknown(text="The adapter failed while it sent; the server's log says why.")
    finally:
        await _close(connection, sender)


def problems_of(channel: AnyChannel, content: Mapping[str, str], options: Mapping[str, Any]) -> list[Problem]:
    """Why this adapter would not know what to do with such a message."""
    fields = channel.capabilities.content
    found = [
        Problem(f"content.{name}", f"There is no field {name!r}; there are {', '.join(fields)}.")
        for name in content
        if name not in fields
    ]
    for name, about in fields.items():
        text = content.get(name, "")
        if about.required and not text:
            found.append(Problem(f"content.{name}", "The channel wants this field."))
        elif about.max_length is not None and len(text) > about.max_length:
            found.append(Problem(f"content.{name}", f"At most {about.max_length} characters."))
    return found + _option_problems(channel, options)


def _option_problems(channel: AnyChannel, options: Mapping[str, Any]) -> list[Problem]:
    if channel.options is None:
        return [Problem("options", "This adapter has no options.")] if options else []
    try:
        channel.options.model_validate(dict(options))
    except ValidationError as error:
        return problems_in(error, "options")
    return []


def hide(connection: OpenConnection, text: str) -> str:
    """The text without anything that is secret about the connection."""
    return hiding.hide(hiding.secrets_of(connection.settings), text)


def message_of(
    connection: OpenConnection,
    to: str,
    content: Mapping[str, str],
    variables: Mapping[str, str],
    options: Mapping[str, Any],
    now: Instant,
) -> Message:
    """To an address as we store it, or without the adapter's scheme."""
    to = to.removeprefix(connection.adapter.capabilities.address_scheme)
    reference = write_test_reference()
    may_be = connection.adapter.capabilities.purposes
    purpose = Purpose.INFORMATION if Purpose.INFORMATION in may_be else Purpose.ADVERTISEMENT
    values, wanted = dict(variables), dict(options)
    return Message(reference, to, dict(content), now, variables=values, options=wanted, purpose=purpose)


async def _close(connection: OpenConnection, sender: ChannelSender | None) -> None:
    try:
        if sender is not None:
            await sender.aclose()
    except Exception:
        log.exception("a sender could not be closed", connection=connection.id)
