"""GraphQL over HTTP, as its specification says: https://graphql.github.io/graphql-over-http/draft/

What a client takes as server-sent events is told so, subscriptions among it (`server/routes/sse.py`).
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import orjson
import strawberry
from graphql import ExecutionResult, execute
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from server.body import BodyProblem, parse_json, read_json
from server.errors import Refused, ServerError
from server.patience import at_most
from server.schema.documents import DocumentRefused, Documents, Operation
from server.schema.limits import Limits
from server.schema.masking import masked, surprise

from . import sse
from .sse import EVENTS, Listening
from .streams import Admit, Asked

STRANGERS_BODY = 64 * 1024
"""Bytes, where people without a key may speak: as much as over a WebSocket."""
NEW = "application/graphql-response+json"
LEGACY = "application/json"
HTML = "text/html"


@dataclass(frozen=True, slots=True)
class Options:
    """How the endpoint behaves; the defaults are those of production."""

    introspection: bool | Callable[[Any], bool] = False
    """Whether `__schema` and `__type` are answered; or a question about the context, such as its scopes."""
    get_queries: bool = False
    development: bool = False
    """Suggests names ("Did you mean"), which tells strangers the schema word by word."""
    page: str | None = None
    """The GraphiQL page, served to whoever asks for HTML; None leaves it out."""
    page_headers: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    body_limit: int = 100_000
    """Bytes. Variables are part of it: a deployment that edits large journeys may want more."""
    timeout_seconds: float = 10


@dataclass(frozen=True, slots=True)
class _Parameters:
    query: str
    operation_name: str | None
    variables: dict[str, Any]


class _Answer(Exception):
    """An answer that ends the request early."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.errors = [{"message": message, "extensions": {"code": code}}]
        self.headers = headers


class GraphQLEndpoint:
    """An ASGI app for one path: `Route("/graphql", GraphQLEndpoint(...))`.

    `context_for` makes the context that resolvers see, and raises `Refused` for a caller without a valid
    key, which is answered with 401 before the body is read. Strawberry's schema extensions do not run
    here: limits, caching and masking are done in the order that they need.
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        context_for: Callable[[Request], Awaitable[Any]],
        options: Options | None = None,
        listening: Listening | None = None,
    ) -> None:
        """Without `listening` there are no subscriptions."""
        self.schema = schema
        self.listening = listening
        self.context_for = context_for
        self.options = options or Options()
        self.documents = Documents(schema._schema, self.options.limits, suggestions=self.options.development)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self.respond(Request(scope, receive))
        await response(scope, receive, send)

    async def respond(self, request: Request) -> Response:
        """The answer to one request; never raises but for a client that went away."""
        if self._wants_page(request):
            return self._page()
        media_type = _media_type(request)
        try:
            if media_type is None:
                raise _Answer(406, "NOT_ACCEPTABLE", f"Answers are {NEW}, {LEGACY} or {EVENTS}.")
            return await self._run(request, media_type)
        except _Answer as answer:
            return _response({"errors": answer.errors}, answer.status, media_type or LEGACY, answer.headers)

    def _wants_page(self, request: Request) -> bool:
        if request.method != "GET" or self.options.page is None or "query" in request.query_params:
            return False
        return _accepted(request, HTML) > max(_accepted(request, NEW), _accepted(request, LEGACY))

    def _page(self) -> Response:
        return Response(self.options.page, headers=self.options.page_headers, media_type=HTML)

    async def _run(self, request: Request, media_type: str) -> Response:
        self._check_method(request)
        admit = self._admission(request)
        context = await self._context(request, admit)
        parameters = await self._parameters(request, is_stranger=admit is not self.context_for)
        try:
            operation = self.documents.operation(
                parameters.query,
                parameters.operation_name,
                parameters.variables,
                introspection=self._may_introspect(context),
            )
        except DocumentRefused as refused:
            return self._refusal(refused, media_type)
        self._check_kind(request, operation)
        if operation.kind == "subscription":
            asked = Asked(parameters.query, parameters.variables, operation)
            return self._subscribed(request, asked, context, partial(admit, request))
        if admit is not self.context_for:
            await self._context(request, self.context_for)
        result = await self._execute(operation, parameters, context)
        return self._result(result, operation, media_type)

    def _admission(self, request: Request) -> Callable[[Request], Awaitable[Any]]:
        """Who shows no key and takes events may subscribe: to what asks for another proof."""
        if (
            self.listening
            and "authorization" not in request.headers
            and _accepted(request, EVENTS, wildcards=False)
        ):
            return self._nobody
        return self.context_for

    async def _nobody(self, request: Request) -> Any:
        assert self.listening is not None
        return self.listening.nobody()

    def _subscribed(self, request: Request, asked: Asked, context: Any, admit: Admit) -> Response:
        if self.listening is None or not _accepted(request, EVENTS, wildcards=False):
            message = f"Subscribe over a WebSocket to the same address, or ask for {EVENTS}."
            raise _Answer(400, "SUBSCRIPTIONS_NOT_HERE", message)
        results = self.listening.streams.results(asked, context, admit)
        return sse.stream(sse.payloads(results), self.listening)

    def _check_method(self, request: Request) -> None:
        allowed = ["POST", "GET"] if self.options.get_queries or self.options.page else ["POST"]
        runs = ["POST", "GET"] if self.options.get_queries else ["POST"]
        if request.method not in runs:
            raise _Answer(405, "METHOD_NOT_ALLOWED", "Send a POST request.", Allow=", ".join(allowed))

    def _check_kind(self, request: Request, operation: Operation) -> None:
        if operation.kind == "mutation" and request.method != "POST":
            raise _Answer(405, "METHOD_NOT_ALLOWED", "Send mutations by POST.", Allow="POST")

    def _may_introspect(self, context: Any) -> bool:
        allowed = self.options.introspection
        return allowed if isinstance(allowed, bool) else allowed(context)

    async def _context(self, request: Request, admit: Callable[[Request], Awaitable[Any]]) -> Any:
        try:
            return await admit(request)
        except Refused as error:
            headers = {"WWW-Authenticate": "Bearer"}
            raise _Answer(401, error.code, error.message, **headers) from error
        except ServerError as error:
            raise _Answer(400, error.code, error.message) from error
        except Exception as error:
            raise _unexpected(error) from error

    async def _parameters(self, request: Request, *, is_stranger: bool) -> _Parameters:
        limit = min(STRANGERS_BODY, self.options.body_limit) if is_stranger else self.options.body_limit
        try:
            if request.method == "GET":
                return _checked(_from_query_string(request))
            _check_content_type(request)
            return _checked(await read_json(request, limit=limit))
        except BodyProblem as problem:
            raise _Answer(problem.status, problem.code, problem.message) from problem

    async def _execute(self, operation: Operation, parameters: _Parameters, context: Any) -> ExecutionResult:
        try:
            async with at_most(self.options.timeout_seconds) as deadline:
                result = execute(
                    self.schema._schema,
                    operation.document,
                    variable_values=parameters.variables,
                    operation_name=operation.name,
                    context_value=context,
                    executor_class=self.schema.execution_context_class,
                    hide_suggestions=not self.options.development,
                    operation_extensions=None,
                )
                return result if isinstance(result, ExecutionResult) else await result
        except TimeoutError as error:
            if deadline.expired():
                raise _Answer(503, "QUERY_TIMEOUT", "Stopped: it took too long.") from error
            raise _unexpected(error) from error
        except Exception as error:
            raise _unexpected(error) from error

    def _refusal(self, refused: DocumentRefused, media_type: str) -> Response:
        content: dict[str, Any] = {"errors": masked(refused.errors)}
        if refused.cost is not None:
            content["extensions"] = self._cost(refused.cost)
        return _request_error(content, media_type)

    def _result(self, result: ExecutionResult, operation: Operation, media_type: str) -> Response:
        content: dict[str, Any] = {}
        if result.errors:
            content["errors"] = masked(result.errors, operation=operation.name)
        content["extensions"] = self._cost(operation.weight.cost)
        if result.data is None and all(error.path is None for error in result.errors or ()):
            return _request_error(content, media_type)
        return _response({"data": result.data, **content}, 200, media_type)

    def _cost(self, requested: int) -> dict[str, Any]:
        # Written out, a hostile document can cost more than JSON has digits for.
        told = min(requested, 2**53)
        return {"cost": {"requested": told, "limit": self.options.limits.cost}}


def _from_query_string(request: Request) -> dict[str, object]:
    found: dict[str, object] = dict(request.query_params)
    for name in ("variables", "extensions"):
        if name in found:
            found[name] = parse_json(str(found[name]))
    return found


def _checked(body: object) -> _Parameters:
    """The parameters of a request, each of its type; raises `_Answer` with the first that is not."""
    if isinstance(body, list):
        raise _Answer(400, "BATCHING_DISABLED", "Send one operation a request, not a list.")
    if not isinstance(body, dict):
        raise _malformed("The body must be an object")
    query = body.get("query")
    if not isinstance(query, str):
        raise _malformed("`query` must be a string")
    name = body.get("operationName")
    if name is not None and not isinstance(name, str):
        raise _malformed("`operationName` must be a string")
    variables = body.get("variables")
    if variables is not None and not isinstance(variables, dict):
        raise _malformed("`variables` must be an object")
    extensions = body.get("extensions")
    if extensions is not None and not isinstance(extensions, dict):
        raise _malformed("`extensions` must be an object")
    return _Parameters(query, name or None, variables or {})


def _malformed(what: str) -> _Answer:
    return _Answer(400, "BAD_REQUEST", f"{what}, as GraphQL over HTTP has it.")


def _unexpected(cause: Exception) -> _Answer:
    answer = _Answer(500, "", "")
    answer.errors = [surprise(cause)]
    return answer


def _check_content_type(request: Request) -> None:
    kind, _, rest = request.headers.get("content-type", "").lower().partition(";")
    charset = rest.partition("charset=")[2].strip(' "') or "utf-8"
    if kind.strip() != LEGACY or charset != "utf-8":
        raise _Answer(415, "UNSUPPORTED_MEDIA_TYPE", f"Send the body as {LEGACY} in UTF-8.")


def _media_type(request: Request) -> str | None:
    """The type to answer in; None when the client takes none of them.

    Whoever does not name the new type gets the legacy one: clients from before it expect that. Events are
    for those who like them best; a subscription comes as events whenever they are taken at all.
    """
    new, legacy = _accepted(request, NEW, wildcards=False), _accepted(request, LEGACY)
    events = _accepted(request, EVENTS, wildcards=False)
    if not new and not legacy and not events:
        return None
    if events > max(new, legacy):
        return EVENTS
    return NEW if new >= legacy else LEGACY


def _accepted(request: Request, media_type: str, *, wildcards: bool = True) -> float:
    """How much the client likes the type, from 0 to 1: the most specific range that covers it decides."""
    ranges = dict(_ranges(",".join(request.headers.getlist("accept")) or "*/*"))
    names = [media_type, media_type.partition("/")[0] + "/*", "*/*"] if wildcards else [media_type]
    return next((ranges[name] for name in names if name in ranges), 0)


def _ranges(accept: str) -> list[tuple[str, float]]:
    ranges = []
    for entry in accept.lower().split(","):
        name, *parameters = (part.strip() for part in entry.split(";"))
        weight = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        try:
            ranges.append((name, float(weight)))
        except ValueError:
            continue
    return ranges


def _request_error(content: dict[str, Any], media_type: str) -> Response:
    """Nothing ran. The legacy type says so in the body only: there, 400 would read as 'no GraphQL here'; and
    a client that takes events shows nobody the body of a 400."""
    return _response(content, 400 if media_type == NEW else 200, media_type)


def _response(
    content: dict[str, Any], status: int, media_type: str, headers: Mapping[str, str] | None = None
) -> Response:
    if media_type == EVENTS and status == 200:
        return sse.once(content)
    media_type = LEGACY if media_type == EVENTS else media_type
    fixed = {
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Vary": "Accept",
        "Content-Type": f"{media_type}; charset=utf-8",
    }
    return Response(orjson.dumps(content), status, {**fixed, **(headers or {})})
