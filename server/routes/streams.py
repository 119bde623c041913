"""The subscriptions that are open in this process, however they are carried."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing, nullcontext
from dataclasses import dataclass, field
from typing import Any, cast

import orjson
import strawberry
import structlog
from graphql import GraphQLError
from prometheus_client import Gauge
from strawberry.types.execution import ExecutionResult

from server.errors import Refused
from server.schema import sharing
from server.schema.documents import Operation
from server.schema.masking import masked

from .telling import Results, Telling

LOOK_SECONDS = 2.0
"""Between two looks whether whoever listens still may."""

log = structlog.get_logger("streams")
Admit = Callable[[], Awaitable[Any]]
"""The context of whoever listens, looked up anew. Raises Refused when there is none any more."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A subscription, as it came."""

    query: str
    variables: dict[str, Any]
    operation: Operation


@dataclass(slots=True)
class Streams:
    """Runs subscriptions: those that are shared once for all who ask the same."""

    schema: strawberry.Schema
    open: Gauge | None = None
    """Told how many there are."""
    _telling: dict[tuple[Any, ...], Telling] = field(default_factory=dict)

    async def results(self, asked: Asked, context: Any, admit: Admit) -> Results:
        """Results with their errors masked, until the subscription is over or the listener may no more.

        The caller closes it.
        """
        with self.open.track_inprogress() if self.open else nullcontext():
            async with (
                aclosing(self._results(asked, context)) as results,
                aclosing(_while_admitted(results, admit)) as allowed,
            ):
                async for result in allowed:
                    yield result

    def _results(self, asked: Asked, context: Any) -> Results:
        if sharing.is_shared(self.schema._schema, asked.operation):
            return self._shared(asked, context)
        return self._alone(asked, context)

    async def _alone(self, asked: Asked, context: Any) -> Results:
        name = asked.operation.name
        stream = await self.schema.stream(asked.query, asked.variables, context, operation_name=name)
        async with aclosing(cast("Results", stream)) as results:
            async for result in results:
                result.errors = told(result.errors, name) if result.errors else None
                context.forget()
                yield result

    async def _shared(self, asked: Asked, context: Any) -> Results:
        variables = orjson.dumps(asked.variables, option=orjson.OPT_SORT_KEYS)
        key = (context.access, asked.query, asked.operation.name, variables)
        telling = self._telling.get(key)
        if telling is None:
            quiet = sharing.quiet(self.schema._schema, asked.operation)
            telling = Telling(
                lambda: self._alone(asked, context),
                lambda result: (sharing.news(result.data, quiet), result.errors),
            )
            self._telling[key] = telling
        try:
            async with aclosing(telling.results()) as results:
                async for result in results:
                    yield result
        finally:
            if not telling.listeners and self._telling.get(key) is telling:
                del self._telling[key]


async def _while_admitted(results: Results, admit: Admit) -> Results:
    now = asyncio.get_running_loop().time
    look_at = now() + LOOK_SECONDS
    ahead: asyncio.Task[ExecutionResult | None] | None = None
    try:
        while True:
            ahead = ahead or asyncio.create_task(_next(results))
            await asyncio.wait([ahead], timeout=max(0, look_at - now()))
            if now() >= look_at:
                if not await _is_admitted(admit):
                    return
                look_at = now() + LOOK_SECONDS
            if ahead.done():
                result, ahead = ahead.result(), None
                if result is None:
                    return
                yield result
    finally:
        if ahead is not None:
            ahead.cancel()
            await asyncio.wait([ahead])


async def _next(results: Results) -> ExecutionResult | None:
    return await anext(results, None)


async def _is_admitted(admit: Admit) -> bool:
    try:
        await admit()
    except Refused:
        return False
    except Exception as error:
        # Nobody can say now; whoever was let in stays until somebody can.
        log.warning("could not look up a key", why=type(error).__name__)
    return True


def told(errors: Sequence[GraphQLError], operation: str | None) -> list[GraphQLError]:
    """The errors as they may leave the house."""
    return [
        GraphQLError(one["message"], path=one.get("path"), extensions=one["extensions"])
        for one in masked(errors, operation=operation)
    ]
