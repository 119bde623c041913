"""The door for readers' apps: what stands before the reader, and what was done with it.

An app shows a user token (`Authorization: Bearer …`): a JWT that the shop's own server has signed with the
secret of its in-app connection. It opens one reader's messages and nothing else.
"""

from dataclasses import dataclass
from typing import Any

import orjson
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route, Router

from channels.contract import ReceiptKind
from server.body import BodyProblem, read_json
from server.clock import Clock, to_datetime
from server.delivery.in_app import COLUMNS, Shelf, Told
from server.delivery.readers import Readers, Who
from server.errors import BadInput, Overloaded, Refused
from server.ingest.segment_time import to_instant
from server.schema.ids import key_in, to_id
from server.schema.pages import cursor_of, page_of
from server.store import in_app

MOST_BYTES = 100_000
MOST_RECEIPTS = 100
ORDER = "in-app"
_PRIVATE = {"Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class ReadersDoor:
    """What the door for readers' apps needs."""

    readers: Readers
    shelf: Shelf
    clock: Clock

    def routes(self) -> list[Mount]:
        routes = [
            Route("/messages", self._answered(self.messages), methods=["GET"]),
            Route("/receipts", self._answered(self.receipts), methods=["POST"]),
        ]
        # Apps and pages of any shop; nothing here reads a cookie.
        anywhere = CORSMiddleware(
            app=Router(routes=routes), allow_origins=["*"], allow_methods=["GET", "POST"], allow_headers=["*"]
        )
        return [Mount("/in-app", app=anywhere)]

    def _answered(self, work: Any) -> Any:
        async def endpoint(request: Request) -> Response:
            try:
                who = await self.readers.who(_bearer(request))
                return JSONResponse(await work(request, who), headers=_PRIVATE)
            except Refused as error:
                headers = {**_PRIVATE, "WWW-Authenticate": "Bearer"}
                return _refused(401, error.code, error.message, headers)
            except BodyProblem as problem:
                return _refused(problem.status, problem.code, problem.message)
            except BadInput as error:
                return _refused(400, error.code, error.message)
            except Overloaded as full:
                headers = {"Retry-After": str(full.retry_after_seconds)}
                return _refused(503, full.code, full.message, headers)

        return endpoint

    async def messages(self, request: Request, who: Who) -> dict[str, Any]:
        """A page of what stands before the reader, the newest first. Fetching it counts as delivery."""
        first = request.query_params.get("first", "20")
        if not (first.isascii() and first.isdecimal() and len(first) < 4):
            raise BadInput(f"`first` is a number from 1 to 100, found {first[:20]!r}.")
        page = page_of(ORDER, int(first), request.query_params.get("after"))
        now = self.clock.now()
        async with self.shelf.db.read() as session:
            found = await in_app.of_reader(session, who.reader, now, page)
        new = [row for row in found.rows if row.delivered_at is None]
        keys = [(row.shard, row.message_id) for row in new]
        await self.shelf.hear(
            who.project_id, who.reader, [Told(key, ReceiptKind.DELIVERED, now) for key in keys]
        )
        last = found.rows[-1] if found.rows and found.has_next else None
        after = cursor_of(ORDER, last.sent_at, last.message_id) if last is not None else None
        return {"messages": [to_json(row) for row in found.rows], "after": after}

    async def receipts(self, request: Request, who: Who) -> dict[str, Any]:
        """Keeps what the app tells. A bad item is named and the good ones are kept."""
        body = await read_json(request, limit=MOST_BYTES)
        given = body.get("receipts") if isinstance(body, dict) else None
        if not isinstance(given, list) or not 0 < len(given) <= MOST_RECEIPTS:
            raise BadInput(f'Send {{"receipts": […]}} with 1 to {MOST_RECEIPTS} of them.')
        problems: list[dict[str, Any]] = []
        told: list[tuple[int, Told]] = []
        for index, item in enumerate(given):
            try:
                told.append((index, _told(item, self.clock.now())))
            except BadInput as error:
                problems.append({"index": index, "message": error.message})
        theirs = await self.shelf.hear(who.project_id, who.reader, [one for _, one in told])
        problems += [
            {"index": index, "message": "There is no such message for this reader."}
            for (index, _), known in zip(told, theirs, strict=True)
            if not known
        ]
        return {"taken": sum(theirs), "problems": sorted(problems, key=lambda one: one["index"])}


def to_json(row: Any) -> dict[str, Any]:
    """A message as apps see it, over HTTP as over GraphQL."""
    content: dict[str, Any] = orjson.loads(row.content)
    return {
        "id": to_id("Message", row.shard, row.message_id),
        "title": content.get("title", ""),
        "text": content.get("text", ""),
        "url": content.get("url") or None,
        "imageUrl": content.get("image_url") or None,
        "data": content.get("data") or {},
        "sentAt": to_datetime(row.sent_at).isoformat(),
        "expiresAt": to_datetime(row.expires_at).isoformat() if row.expires_at else None,
        "isShown": row.shown_at is not None,
    }


_KINDS = {kind.value: kind for kind in COLUMNS if kind is not ReceiptKind.DELIVERED}


def _told(item: object, now: int) -> Told:
    if not isinstance(item, dict):
        raise BadInput("A receipt is an object with `message` and `kind`.")
    kind = _KINDS.get(str(item.get("kind")))
    if kind is None:
        raise BadInput(f"`kind` is one of {', '.join(_KINDS)}, found {str(item.get('kind'))[:40]!r}.")
    shard, message_id = key_in(str(item.get("message")), "Message")
    at = to_instant(item["at"]) if "at" in item else now
    if at is None:
        raise BadInput("`at` is a time like 2026-01-31T09:00:00Z.")
    url, event_id = item.get("url", ""), item.get("id", "")
    if not isinstance(url, str) or not isinstance(event_id, str) or len(url) > 2000 or len(event_id) > 100:
        raise BadInput("`url` has at most 2000 characters, and `id` at most 100.")
    # No app knows the future.
    return Told((shard, message_id), kind, min(at, now), url, event_id)


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _refused(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"code": code, "message": message}, status, headers)
