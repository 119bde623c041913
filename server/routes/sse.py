"""GraphQL over server-sent events, as graphql-sse speaks it: each operation on a connection of its own.

https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md. The frames are Strawberry's.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.responses import StreamingResponse
from starlette.types import Send
from strawberry.http.streaming import SSETransport

from server.schema.masking import surprise

from .streams import Streams
from .telling import Results

EVENTS = "text/event-stream"
PING_SECONDS = 12.0
"""Between two comments while nothing happens: proxies close what is silent for a minute, or half of one."""

Payloads = AsyncGenerator[dict[str, Any], None]
_frames = SSETransport()
_HEADERS = {**_frames.headers, "X-Content-Type-Options": "nosniff", "Vary": "Accept"}


@dataclass(frozen=True, slots=True)
class Listening:
    """What an endpoint needs to answer with what goes on."""

    streams: Streams
    leaving: asyncio.Event
    """Set when the server is told to stop."""
    nobody: Callable[[], Any]
    """The context of whoever shows no key: subscriptions may ask for another proof."""


class EventStream(StreamingResponse):
    """An answer that goes on. What makes it is closed with it, also when the client has gone away."""

    body_iterator: AsyncGenerator[str, None]

    def __init__(self, events: AsyncGenerator[str, None]) -> None:
        super().__init__(events, headers=_HEADERS)

    async def stream_response(self, send: Send) -> None:
        async with aclosing(self.body_iterator):
            await super().stream_response(send)


def stream(payloads: Payloads, listening: Listening) -> EventStream:
    return EventStream(_events(payloads, listening))


def once(payload: dict[str, Any]) -> EventStream:
    """One result, and that was it."""
    return EventStream(_both(payload))


async def payloads(results: Results) -> Payloads:
    """Results as answers say them."""
    async with aclosing(results):
        async for result in results:
            payload: dict[str, Any] = {"data": result.data}
            if result.errors:
                payload["errors"] = [error.formatted for error in result.errors]
            yield payload


async def _events(payloads: Payloads, listening: Listening) -> AsyncGenerator[str, None]:
    ahead: asyncio.Task[dict[str, Any] | None] | None = None
    leaving = asyncio.create_task(listening.leaving.wait())
    try:
        while True:
            ahead = ahead or asyncio.create_task(_next(payloads))
            await asyncio.wait([ahead, leaving], timeout=PING_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if ahead.done():
                payload, ahead = ahead.result(), None
                if payload is None:
                    break
                yield _frames.encode_next(payload, _json)  # type: ignore[arg-type]  # any answer
            elif leaving.done():
                # Not `complete`: whoever listens comes again, to the server that takes our place.
                return
            else:
                yield _frames.heartbeat_message(_json)
        yield _frames.encode_complete()
    finally:
        tasks = [leaving] if ahead is None else [leaving, ahead]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await payloads.aclose()


async def _next(payloads: Payloads) -> dict[str, Any] | None:
    try:
        return await anext(payloads, None)
    except Exception as error:
        return {"errors": [surprise(error)]}


async def _both(payload: dict[str, Any]) -> AsyncGenerator[str, None]:
    yield _frames.encode_next(payload, _json)  # type: ignore[arg-type]  # any answer
    yield _frames.encode_complete()


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
