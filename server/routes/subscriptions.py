"""GraphQL subscriptions over a WebSocket, as graphql-ws speaks them (graphql-transport-ws).

The protocol is Strawberry's. Documents pass the same gate as over HTTP, and errors leave by the same one.
A connection may show a secret key in the payload of `connection_init`: `authorization`, "Bearer sj_secret_…".
The key is looked up again for every subscription, and while one lasts.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, cast

import orjson
import strawberry
from graphql import GraphQLError
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types.execution import ExecutionResult, PreExecutionError

from server.body import BodyProblem, parse_json
from server.context import Context, Contexts
from server.errors import Refused
from server.schema.documents import DocumentRefused, Documents

from .streams import Asked, Streams, told

MOST_AT_ONCE = 20
"""Subscriptions of one connection."""
FIRST_WORD_WITHIN = timedelta(seconds=10)


@dataclass(slots=True)
class Listener:
    """One connection: who is there, as far as it has said."""

    admit: Callable[[], Awaitable[Context]]
    connection_params: Any = None


@dataclass(slots=True)
class Gate:
    """Stands in the schema's place: what comes in is weighed, and what goes out is masked."""

    streams: Streams
    documents: Documents

    async def stream(
        self,
        query: str,
        variable_values: dict[str, Any] | None = None,
        context_value: Any = None,
        root_value: Any = None,
        operation_name: str | None = None,
    ) -> AsyncGenerator[ExecutionResult, None]:
        return self._stream(query, variable_values or {}, context_value, operation_name)

    async def _stream(
        self, query: str, variables: dict[str, Any], listener: Listener, name: str | None
    ) -> AsyncGenerator[ExecutionResult, None]:
        try:
            operation = self.documents.operation(query, name, variables, introspection=False)
        except DocumentRefused as refused:
            yield PreExecutionError(data=None, errors=told(refused.errors, name))
            return
        if operation.kind != "subscription":
            only = GraphQLError(
                f"Send {operation.kind} operations over HTTP.", extensions={"code": "SUBSCRIPTIONS_ONLY"}
            )
            yield PreExecutionError(data=None, errors=[only])
            return
        try:
            context = await listener.admit()
        except Refused as error:
            yield PreExecutionError(data=None, errors=told([GraphQLError("", original_error=error)], name))
            return
        asked = Asked(query, variables, operation)
        async with aclosing(self.streams.results(asked, context, listener.admit)) as results:
            async for result in results:
                yield result


class SubscriptionEndpoint(GraphQL[Listener, None]):
    """An ASGI app for one path: `WebSocketRoute("/graphql", SubscriptionEndpoint(...))`."""

    def __init__(
        self,
        streams: Streams,
        documents: Documents,
        contexts: Contexts,
        allowed_origins: Sequence[str] = ("*",),
    ) -> None:
        super().__init__(
            cast("Any", Gate(streams, documents)),
            graphql_ide=None,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=FIRST_WORD_WITHIN,
            max_subscriptions_per_connection=MOST_AT_ONCE,
            allowed_origins=allowed_origins,
        )
        self.contexts = contexts

    def decode_json(self, data: str | bytes) -> object:
        """A message, read as HTTP reads bodies. What is none has no type, which closes the connection."""
        try:
            told = parse_json(data)
        except BodyProblem:
            return {}
        return told if _is_message(told) else {}

    def encode_json(self, data: object) -> str:
        return orjson.dumps(data).decode()

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Listener:
        return Listener(self._nobody)

    async def _nobody(self) -> Context:
        return self.contexts.of_nobody()

    async def on_ws_connect(self, context: Listener) -> Any:
        shown = (context.connection_params or {}).get("authorization")
        if shown is not None:
            scheme, _, key = str(shown).partition(" ")
            try:
                if scheme.lower() != "bearer":
                    raise Refused("A secret key is wanted.")
                context.admit = partial(self.contexts.of_key, key.strip())
                await context.admit()
            except Refused as error:
                raise ConnectionRejectionError from error
        return strawberry.UNSET


def _is_message(told: object) -> bool:
    """Whether it is an object of the protocol; what a subscription carries has to be of the right types."""
    if not isinstance(told, dict) or not isinstance(told.get("type"), str):
        return False
    if told["type"] != "subscribe":
        return True
    payload = told.get("payload")
    return (
        isinstance(told.get("id"), str)
        and isinstance(payload, dict)
        and isinstance(payload.get("query"), str)
        and isinstance(payload.get("variables"), dict | None)
        and isinstance(payload.get("operationName"), str | None)
    )
