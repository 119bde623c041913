"""The door for providers: what they call back with is proved, kept, and only then acknowledged."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from channels.contract import Callback, Inbound, Receipt, Refused, Verified
from channels.host import Host
from server.body import BodyProblem, read_body
from server.clock import Clock, Instant
from server.delivery import inbound
from server.delivery.hearing import place, unmapped
from server.desks import callbacks
from server.errors import NotFound, Overloaded, ServerError
from server.secretbox import SecretBox
from server.store import inbox, open_connections
from server.store.database import Database
from server.store.open_connections import OpenConnection

MOST_BYTES = 5 * 1024 * 1024
UNREADABLE = "unreadable"
"""The code of a callback that its adapter could not read: a defect of the adapter, not of the provider."""
_LONGEST_ID = 9
"""Digits: the database counts connections in 32 bits, and fails over longer numbers."""
_ANSWERS = frozenset({"text/plain", "application/json", "application/xml"})
log = structlog.get_logger("delivery")


@dataclass(frozen=True, slots=True)
class HooksDoor:
    """What the door for providers needs."""

    db: Database
    clock: Clock
    host: Host
    box: SecretBox
    shards: int
    append: Callable[[Sequence[inbox.Entry]], Awaitable[None]]
    public_url: str = ""
    """How providers reach this server: signatures cover the address that they called."""

    def routes(self) -> list[Route]:
        # GET is for providers that ask for a proof of ownership before they call.
        return [Route("/hooks/{connection}", self.hear, methods=["GET", "POST"])]

    async def hear(self, request: Request) -> Response:
        """200 once everything is on disk; 401 for what is not proved, and the reason stays in our log."""
        try:
            connection = await self._connection(request.path_params["connection"])
            body = await read_body(request, limit=MOST_BYTES)
        except NotFound as error:
            return _refused(404, error.code, "There is no such connection.")
        except BodyProblem as problem:
            return _refused(problem.status, problem.code, problem.message)
        except ServerError as error:
            log.error("a connection cannot be opened", why=error.message)
            return _refused(503, error.code, "The connection cannot be used now. Try again later.")
        now = self.clock.now()
        try:
            verified = connection.adapter.verify(connection.settings, self._callback(request, body), now)
        except Exception:
            log.exception("an adapter raised while it verified", connection=connection.id)
            return _refused(503, "UNAVAILABLE", "The callback cannot be checked now. Try again later.")
        if isinstance(verified, Refused):
            log.warning("a callback was refused", connection=connection.id, why=verified.why)
            return _refused(401, "REFUSED", "The callback is not proved to come from the provider.")
        return await self._keep(connection, verified, now)

    async def _connection(self, public_id: str) -> OpenConnection:
        if not (public_id.isascii() and public_id.isdecimal() and len(public_id) <= _LONGEST_ID):
            raise NotFound("A connection's id is a number.")
        async with self.db.read() as session:
            return await open_connections.load(session, self.host, self.box, int(public_id))

    async def _keep(self, connection: OpenConnection, verified: Verified, now: Instant) -> Response:
        receipts, told = understood(connection, verified, now)
        async with self.db.read() as session:
            whose = (connection.id, connection.project_id)
            placed = await place(session, self.shards, whose, receipts, now)
            written = await inbound.read(session, self.shards, connection, told, now)
        try:
            await self.append([*placed.entries, *written.replies])
        except Overloaded as full:
            answer = _refused(503, full.code, full.message)
            answer.headers["Retry-After"] = str(full.retry_after_seconds)
            return answer
        if news := callbacks.read(connection, verified):
            await callbacks.keep(self.db, connection, news, now)
        if placed.unclaimed or written.rows:
            async with self.db.write() as session:
                await inbound.keep(session, connection, placed, written, now)
        return Response(verified.answer or "OK", media_type=_media_type(verified))

    def _callback(self, request: Request, body: bytes) -> Callback:
        query: bytes = request.scope["query_string"]
        path = (request.scope.get("raw_path") or request.url.path.encode()).decode("latin-1")
        # Exactly as it came: what is decoded and written anew has another signature.
        url = self.public_url.rstrip("/") + path + (f"?{query.decode('latin-1')}" if query else "")
        asked = dict(request.query_params)
        return Callback(request.method, request.url.path, _headers(request), asked, body, url)


def understood(
    connection: OpenConnection, verified: Verified, now: Instant
) -> tuple[list[Receipt], list[Inbound]]:
    """What an adapter reads in a genuine callback. One that it cannot read is kept as it came."""
    adapter, settings = connection.adapter, connection.settings
    receipts: list[Receipt] = []
    told: list[Inbound] = []
    try:
        receipts = list(adapter.parse(settings, verified))
        told = list(adapter.parse_inbound(settings, verified))
    except Exception:
        log.exception("an adapter raised while it parsed", connection=connection.id)
        raw = verified.callback.body.decode("utf-8", "replace") or verified.callback.url
        receipts.append(unmapped(raw, UNREADABLE, now))
    good = [one for one in told if inbound.is_well_formed(one)]
    receipts += [unmapped(str(one), UNREADABLE, now) for one in told if not inbound.is_well_formed(one)]
    return receipts, good


def _headers(request: Request) -> dict[str, str]:
    """By name in lower case; a header that is there twice has its values joined, as HTTP has it."""
    found: dict[str, str] = {}
    for name, value in request.headers.items():
        name = name.lower()
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _refused(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"code": code, "message": message}, status)


def _media_type(verified: Verified) -> str:
    # Never a page: what it says may have come from outside.
    return verified.answer_type if verified.answer_type in _ANSWERS else "text/plain"
