"""The door for events: Segment's HTTP tracking API.

The answer comes after the events are on disk. A bad item of a batch is named in the answer and the good
ones are kept; an event that was not taken is always told so.
"""

import binascii
from base64 import b64decode
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route, Router

from server.body import BodyProblem, read_json
from server.clock import Instant, WallClock
from server.errors import Overloaded
from server.ingest import messages
from server.ingest.messages import ArrivedEvent, ItemProblem
from server.ingest.segment_time import to_instant
from server.store import inbox
from server.store.ids import shard_of
from server.store.projects import EVENTS, Access

MOST_IN_ONE = messages.MAX_EVENT_BYTES
MOST_IN_BATCH = 500 * 1024
# What stands around an event (writeKey, sentAt, context that we leave out) does not count as the event.
_AROUND = 32 * 1024

_SHORT = {"t": "track", "i": "identify", "p": "page", "s": "screen", "g": "group", "a": "alias", "b": "batch"}
"""The paths that Segment's JavaScript library uses."""


@dataclass(frozen=True, slots=True)
class Door:
    """What the door for events needs."""

    access: Callable[[str], Awaitable[Access | None]]
    append: Callable[[Sequence[inbox.Entry]], Awaitable[None]]
    shards: int

    def routes(self) -> list[Mount]:
        names = [*messages.TYPES, "batch"]
        paths = {**{name: name for name in names}, **_SHORT}
        endpoints = [
            Route(f"/{path}", self._endpoint(name), methods=["POST"]) for path, name in paths.items()
        ]
        # Events come from any shop's pages; nothing here reads a cookie.
        anywhere = CORSMiddleware(
            app=Router(routes=endpoints), allow_origins=["*"], allow_methods=["POST"], allow_headers=["*"]
        )
        return [Mount("/v1", app=anywhere)]

    def _endpoint(self, name: str) -> Callable[[Request], Awaitable[JSONResponse]]:
        async def endpoint(request: Request) -> JSONResponse:
            try:
                return await self._take(request, name)
            except BodyProblem as problem:
                return _refused(problem.status, problem.code, problem.message)
            except Overloaded as full:
                status = 503 if full.code == "ENGINE_BEHIND" else 429
                answer = _refused(status, full.code, full.message)
                answer.headers["Retry-After"] = str(full.retry_after_seconds)
                return answer

        return endpoint

    async def _take(self, request: Request, name: str) -> JSONResponse:
        most = MOST_IN_BATCH if name == "batch" else MOST_IN_ONE + _AROUND
        body = await read_json(request, limit=most)
        if not isinstance(body, dict):
            return _refused(400, "BAD_BODY", "The body must be a JSON object.")
        access = await self.access(_key_of(request, body))
        if access is None:
            answer = _refused(401, "BAD_KEY", "Send the project's write key as the user name of Basic auth.")
            answer.headers["WWW-Authenticate"] = 'Basic realm="Sojourn"'
            return answer
        if EVENTS not in access.scopes:
            return _refused(403, "NOT_A_WRITE_KEY", "This key cannot send events; use the write key.")
        return await self._keep(access.project_id, name, body)

    async def _keep(self, project_id: int, name: str, body: dict[str, Any]) -> JSONResponse:
        received_at = WallClock().now()
        items: Any = body.get("batch") if name == "batch" else [{**body, "type": name}]
        if not isinstance(items, list):
            return _refused(400, "BAD_BODY", "`batch` must be a list of events.")
        sent_at = to_instant(body.get("sentAt"))
        events, refused = messages.batch(_with_context(items, body), received_at=received_at, sent_at=sent_at)
        bad = {problem.index for problem in refused}
        places = (index for index in range(len(items)) if index not in bad)
        entries, too_large = self._entries(project_id, zip(places, events, strict=True), received_at)
        await self.append(entries)
        return _answer(len(entries), sorted([*refused, *too_large], key=lambda problem: problem.index))

    def _entries(
        self, project_id: int, events: Iterable[tuple[int, ArrivedEvent]], received_at: Instant
    ) -> tuple[list[inbox.Entry], list[ItemProblem]]:
        entries: list[inbox.Entry] = []
        refused: list[ItemProblem] = []
        for index, event in events:
            payload = messages.encode(event)
            if len(payload) > messages.MAX_EVENT_BYTES:
                refused.append(ItemProblem(index, event.message_id, [messages.too_large(len(payload))]))
                continue
            shard = shard_of(project_id, event.user_id or event.anonymous_id or "", self.shards)
            entries.append(inbox.Entry(shard, project_id, inbox.EVENT, payload, received_at))
        return entries, refused


def _with_context(items: list[Any], body: Mapping[str, Any]) -> list[Any]:
    """A batch may carry a context for all of its events; an event's own goes first."""
    shared = body.get("context")
    if not isinstance(shared, dict) or "batch" not in body:
        return items
    return [
        {**item, "context": {**shared, **own}}
        if isinstance(item, dict) and isinstance(own := item.get("context", {}), dict)
        else item
        for item in items
    ]


def _key_of(request: Request, body: Mapping[str, Any]) -> str:
    """The write key: the user name of Basic auth, or `writeKey` in the body, as browsers send it."""
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            return b64decode(credentials, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    found = body.get("writeKey")
    return found if isinstance(found, str) else ""


def _answer(taken: int, refused: Sequence[ItemProblem]) -> JSONResponse:
    if not refused:
        return JSONResponse({"success": True})
    told = [
        {
            "index": problem.index,
            "messageId": problem.message_id,
            "problems": [{"path": one.path, "message": one.message} for one in problem.problems],
        }
        for problem in refused
    ]
    status = 200 if taken else 400
    return JSONResponse({"success": False, "accepted": taken, "refused": told}, status)


def _refused(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"success": False, "code": code, "message": message}, status)
