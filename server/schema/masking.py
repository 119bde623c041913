"""What of an error may leave the house.

A mistake of the client and an expected failure (`ServerError`) go out as they are. Everything else is a
surprise: the client gets an id, and the log has the same id beside the whole story.
"""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import structlog
from graphql import FieldNode, GraphQLError

from server.errors import ServerError

log = structlog.get_logger(__name__)

INTERNAL_ERROR = "INTERNAL_ERROR"


def masked(errors: Sequence[GraphQLError], *, operation: str | None = None) -> list[dict[str, Any]]:
    """The errors of an answer in the form of the specification, each with `extensions.code`."""
    return [_outgoing(error, operation) for error in errors]


def surprise(cause: BaseException, **about: object) -> dict[str, Any]:
    """Logs what nobody expected and returns the error to send in its place: a code and an id, no text."""
    error_id = uuid4().hex
    log.error("unexpected error", error_id=error_id, exc_info=cause, **about)
    return {
        "message": "Internal error. The server's log has the details under this id.",
        "extensions": {"code": INTERNAL_ERROR, "id": error_id},
    }


def _outgoing(error: GraphQLError, operation: str | None) -> dict[str, Any]:
    cause = _root(error)
    if isinstance(cause, ServerError):
        return {**_formatted(error, cause.code), "message": cause.message}
    if _is_the_clients(error, cause):
        return _formatted(error, "BAD_USER_INPUT")
    path = list(error.path or ())
    told = surprise(cause, operation=operation, path=path)
    return {**_formatted(error, INTERNAL_ERROR), **told}


def _root(error: GraphQLError) -> Exception:
    cause: Exception = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def _is_the_clients(error: GraphQLError, cause: Exception) -> bool:
    if (error.extensions or {}).get("code"):
        return True
    if error.path is None:
        # Found before anything ran, in the variables: a scalar refuses a value with ValueError.
        return isinstance(cause, (GraphQLError, ValueError, TypeError))
    # While running, graphql-core points at an argument or its value when that was wrong. Whatever points
    # at the field came out of a resolver, or of a value that the schema cannot express.
    return isinstance(cause, GraphQLError) and any(
        not isinstance(node, FieldNode) for node in error.nodes or ()
    )


def _formatted(error: GraphQLError, code: str) -> dict[str, Any]:
    told: dict[str, Any] = dict(error.formatted)
    told["extensions"] = {"code": code, **told.get("extensions", {})}
    return told
