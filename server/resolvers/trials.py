"""Trying a connection: what its provider says is wrong, and one message straight to it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import orjson
from sqlalchemy import or_, select

from channels.contract import Accepted, Deferred, Outcome, Problem, Rejected, Unknown
from channels.phone import to_e164
from channels.reasons import Reason
from server.clock import Instant
from server.context import Context
from server.delivery import trials
from server.delivery.inbound import stored_address
from server.errors import NotFound, ServerError
from server.store import connections, idempotency, open_connections, outbox
from server.store.adapters import BadSettings
from server.store.bulk import table_of
from server.store.open_connections import OpenConnection
from server.store.same_address import same_address
from server.store.sessions import ReadSession, WriteSession
from server.store.tables import Endpoint, Suppression

from .once import Answer, once
from .refusals import Invalid, Missing, Unwanted
from .suppressions import NUMBERED

LONGEST_ADDRESS, LONGEST_TEXT = 4_000, 100_000
OUTCOMES = {"accepted": Accepted, "rejected": Rejected, "deferred": Deferred, "unknown": Unknown}
_suppressions, _endpoints = table_of(Suppression), table_of(Endpoint)


@dataclass(frozen=True, slots=True)
class Wish:
    """A message to send for a trial."""

    to: str
    content: Mapping[str, str]
    variables: Mapping[str, str]
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sent:
    reference: str
    outcome: Outcome


async def probe(context: Context, connection_id: int) -> list[Problem]:
    """What is wrong with a connection; nothing if it works. Sends and changes nothing. Raises Missing."""
    try:
        connection = await _open(context, connection_id)
    except BadSettings as error:
        return list(error.problems)
    except NotFound as error:
        raise Missing("There is no such connection in this project.", ("input", "id")) from error
    except ServerError as error:
        return [Problem("", error.message)]
    async with context.tools(connection_id) as tools:
        return await trials.probe(connection, tools)


async def send(context: Context, connection_id: int, wish: Wish, key: str | None) -> Sent:
    """Sends one message, once for an idempotency key, and tells what became of it.

    The key is taken before the message leaves. A request that is cut off and repeated is told `unknown`,
    since the message may have left. Raises Missing, Invalid, Unwanted, IdempotencyConflict.
    """
    connection = await opened(context, connection_id)
    _check(connection, wish)
    now = context.clock.now()
    what = (wish.content, wish.variables, wish.options)
    message = trials.message_of(connection, _address(connection, wish.to.strip()), *what, now)
    begun: list[Answer] = []

    async def take(session: WriteSession) -> Answer:
        address = stored_address(connection, message.to)
        await _refuse_unwanted(session, context.shards, connection, address, now)
        begun.append(_told(Sent(message.reference, Unknown(text="The request was cut off while it sent."))))
        return begun[0]

    answer = await once(context, key, ("sendTestMessage", [connection_id, asdict(wish)]), take)
    if not begun:
        return _sent(answer)
    async with context.tools(connection_id) as tools:
        outcome = await trials.send(connection, tools, message)
    sent = _hidden(connection, Sent(message.reference, outcome))
    if key is not None:
        async with context.db.write() as session:
            answered = orjson.dumps(_told(sent)).decode()
            await idempotency.keep(session, context.project_id, key, answered)
    return sent


async def opened(context: Context, connection_id: int) -> OpenConnection:
    """The connection that somebody wants to send through. Raises Missing, Invalid."""
    try:
        return await _open(context, connection_id)
    except NotFound as error:
        raise Missing("There is no such connection in this project.", ("input", "connectionId")) from error
    except ServerError as error:
        raise Invalid(error.message, ("input", "connectionId")) from error


async def _open(context: Context, connection_id: int) -> OpenConnection:
    async with context.db.read() as session:
        # Whose it is comes first: of another project not even the settings are looked at.
        await connections.get(session, context.plugged_in, context.box, context.project_id, connection_id)
        return await open_connections.load(session, context.plugged_in, context.box, connection_id)


def _check(connection: OpenConnection, wish: Wish) -> None:
    if not 0 < len(wish.to.strip()) <= LONGEST_ADDRESS or not wish.to.isprintable():
        raise Invalid("An address of the connection's channel is wanted.", ("input", "to"))
    for field, texts in (("content", wish.content), ("variables", wish.variables)):
        for name, text in texts.items():
            if not isinstance(text, str) or len(text) > LONGEST_TEXT or "\0" in text:
                message = f"{name!r} is a text of at most {LONGEST_TEXT:,} characters."
                raise Invalid(message, ("input", field, name))
    wrong = trials.problems_of(connection.adapter, wish.content, wish.options)
    if wrong:
        told = " ".join(f"{one.path}: {one.message}" for one in wrong)
        raise Invalid(told, ("input", *wrong[0].path.split(".")))


def _address(connection: OpenConnection, written: str) -> str:
    """The one way to write it, or nobody would see that it is suppressed."""
    if connection.adapter.channel in NUMBERED:
        return to_e164(written) or written
    return written


async def _refuse_unwanted(
    session: ReadSession, shards: int, connection: OpenConnection, address: str, now: Instant
) -> None:
    channel = connection.adapter.channel
    noted = select(_suppressions.c.reason).where(
        _suppressions.c.project_id == connection.project_id,
        _suppressions.c.channel == channel,
        _suppressions.c.address == same_address(channel, address),
        _suppressions.c.since.is_not(None),
        or_(_suppressions.c.until.is_(None), _suppressions.c.until > now),
    )
    marked = select(_endpoints.c.state).where(
        _endpoints.c.shard.in_(list(range(shards))),
        _endpoints.c.project_id == connection.project_id,
        _endpoints.c.channel == channel,
        _endpoints.c.address == address,
        _endpoints.c.state.in_((outbox.OPTED_OUT, outbox.INVALID)),
    )
    if await session.rows(noted.limit(1)) or await session.rows(marked.limit(1)):
        raise Unwanted("This address is suppressed: nothing is sent to it, not even to try.", ("input", "to"))


def _hidden(connection: OpenConnection, sent: Sent) -> Sent:
    told = {name: trials.hide(connection, text) for name, text in _texts(sent.outcome).items()}
    return Sent(sent.reference, type(sent.outcome)(**{**asdict(sent.outcome), **told}))


def _texts(outcome: Outcome) -> dict[str, str]:
    return {"code": outcome.code, "text": outcome.text}


def _told(sent: Sent) -> Answer:
    kind = next(name for name, type_ in OUTCOMES.items() if isinstance(sent.outcome, type_))
    return {"kind": kind, "reference": sent.reference, "outcome": asdict(sent.outcome)}


def _sent(answer: Answer) -> Sent:
    about = dict(answer["outcome"])
    if "reason" in about:
        about["reason"] = Reason(about["reason"])
    return Sent(answer["reference"], OUTCOMES[answer["kind"]](**about))


__all__ = ["Accepted", "Deferred", "Rejected", "Sent", "Unknown", "Wish", "probe", "send"]
