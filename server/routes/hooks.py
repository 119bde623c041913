"""The door for providers: what they call back with is proved, kept, and only then acknowledged."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from channels.contract import Callback, Receipt, Refused, Verified
from channels.host import Host
from server.body import BodyProblem, read_body
from server.clock import Clock
from server.delivery.hearing import place
from server.errors import NotFound, Overloaded, ServerError
from server.secretbox import SecretBox
from server.store import connections, inbox, messages
from server.store.connections import OpenConnection
from server.store.database import Database

MOST_BYTES = 5 * 1024 * 1024
_LONGEST_ID = 18
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

    def routes(self) -> list[Route]:
        return [Route("/hooks/{connection}", self.hear, methods=["POST"])]

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
        channel = connection.adapter
        verified = channel.verify(connection.settings, _callback(request, body), now)
        if isinstance(verified, Refused):
            log.warning("a callback was refused", connection=connection.id, why=verified.why)
            return _refused(401, "REFUSED", "The callback is not proved to come from the provider.")
        receipts = channel.parse(connection.settings, verified)
        return await self._keep(connection, verified, receipts)

    async def _connection(self, public_id: str) -> OpenConnection:
        if not (public_id.isascii() and public_id.isdecimal() and len(public_id) <= _LONGEST_ID):
            raise NotFound("A connection's id is a number.")
        async with self.db.read() as session:
            return await connections.load(session, self.host, self.box, int(public_id))

    async def _keep(
        self, connection: OpenConnection, verified: Verified, receipts: Sequence[Receipt]
    ) -> Response:
        whose = (connection.id, connection.project_id)
        async with self.db.read() as session:
            placed = await place(session, self.shards, whose, receipts, self.clock.now())
        try:
            await self.append(placed.entries)
        except Overloaded as full:
            answer = _refused(503, full.code, full.message)
            answer.headers["Retry-After"] = str(full.retry_after_seconds)
            return answer
        if placed.unclaimed:
            async with self.db.write() as session:
                await messages.keep_unclaimed(session, placed.unclaimed)
        return PlainTextResponse(verified.answer or "OK")


def _callback(request: Request, body: bytes) -> Callback:
    return Callback(request.method, request.url.path, dict(request.headers), dict(request.query_params), body)


def _refused(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"code": code, "message": message}, status)
