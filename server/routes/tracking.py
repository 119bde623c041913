"""What a message's links lead to: the open pixel, the clicks, and the way out.

The reader's request is always answered. Opens and clicks are figures: while the inbox is full they are
counted as dropped and nobody waits. An opt-out is a promise: it is on disk, for the next hand-over and as
a fact, before its 200.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from prometheus_client import Counter
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from channels.contract import ReceiptKind
from server.clock import SECOND, Clock, Instant
from server.delivery.actors import Actor, Hit, Verdict, classify
from server.delivery.bursts import HONEYPOT
from server.delivery.links import (
    CLICK_PATH,
    OPEN_PATH,
    PIXEL,
    UNSUBSCRIBE_PATH,
    ClickToken,
    OpenToken,
    Tracking,
    TrapToken,
    UnsubscribeToken,
)
from server.delivery.receipts import HeardReceipt, encode
from server.errors import Overloaded
from server.signing import BadToken
from server.store import inbox, messages, sightings, suppressing
from server.store.database import Database

UNSUBSCRIBE = "unsubscribe"
"""The key of the receipt: however often somebody asks, it is one fact."""

_NAMES = {ReceiptKind.OPENED: "open", ReceiptKind.CLICKED: "click", ReceiptKind.TRAPPED: "trap"}
"""In the receipts' keys, and of what is dropped."""
_LONGEST_WAIT_SECONDS = 2.0
"""Readers are not kept waiting for our database."""
_NEVER_KEPT = {"Cache-Control": "no-store, max-age=0", "X-Robots-Tag": "noindex"}
_PLAIN_PAGE = {
    **_NEVER_KEPT,
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}


def _uncounted() -> Counter:
    return Counter("dropped", "Counted for nobody.", ("kind",), registry=None)


@dataclass(frozen=True, slots=True)
class TrackingDoor:
    """What the tracking routes need."""

    tracking: Tracking
    append: Callable[[Sequence[inbox.Entry]], Awaitable[None]]
    db: Database
    clock: Clock
    wake: Callable[[], None] = lambda: None
    """Called when something was put into the inbox past `append`."""
    dropped: Counter = field(default_factory=_uncounted)
    """Opens and clicks that could not be kept, by kind."""

    def routes(self) -> list[Route]:
        return [
            Route(OPEN_PATH + "{token}", self.open, methods=["GET"]),
            Route(CLICK_PATH + "{token}", self.click, methods=["GET"]),
            Route(UNSUBSCRIBE_PATH + "{token}", self.ask_to_leave, methods=["GET"]),
            Route(UNSUBSCRIBE_PATH + "{token}", self.leave, methods=["POST"]),
        ]

    async def open(self, request: Request) -> Response:
        """The same pixel whatever the token: it tells nobody anything."""
        try:
            token = self.tracking.read_open(request.path_params["token"])
        except BadToken:
            pass
        else:
            await self._note(ReceiptKind.OPENED, token, self._verdict(request, "open", token))
        return Response(PIXEL, media_type="image/gif", headers=_NEVER_KEPT)

    async def click(self, request: Request) -> Response:
        try:
            token = self.tracking.read_click(request.path_params["token"])
        except BadToken:
            return await self._trap(request)
        await self._note(ReceiptKind.CLICKED, token, self._verdict(request, "click", token), token.target_url)
        return RedirectResponse(token.target_url, 302, headers=_NEVER_KEPT)

    async def _trap(self, request: Request) -> Response:
        """No content: a person who got here after all, by a program that shows every link, loses nothing."""
        try:
            token = self.tracking.read_trap(request.path_params["token"])
        except BadToken:
            return _page(_BROKEN, 404)
        await self._note(ReceiptKind.TRAPPED, token, Verdict(Actor.MACHINE, HONEYPOT))
        return Response(status_code=204, headers=_NEVER_KEPT)

    async def ask_to_leave(self, request: Request) -> Response:
        """Changes nothing: scanners follow links, and only people press buttons."""
        try:
            self.tracking.read_unsubscribe(request.path_params["token"])
        except BadToken:
            return _page(_BROKEN, 404)
        return _page(_ASK)

    async def leave(self, request: Request) -> Response:
        """One click as in RFC 8058, or the button of our page. Needs no cookie and no body."""
        try:
            token = self.tracking.read_unsubscribe(request.path_params["token"])
        except BadToken:
            return _page(_BROKEN, 404)
        await self._opt_out(token)
        return _page(_DONE)

    async def _opt_out(self, token: UnsubscribeToken) -> None:
        """In one transaction: claims look at the address, figures and history live by the receipt."""
        project_id, message_id, now = int(token.project_id), int(token.message_id), self.clock.now()
        receipt = HeardReceipt(message_id, UNSUBSCRIBE, ReceiptKind.UNSUBSCRIBED, now)
        entry = inbox.Entry(token.shard, project_id, inbox.RECEIPT, encode(receipt), now)
        async with self.db.write() as session:
            whose = await messages.owner(session, token.shard, message_id)
            # A message of somebody who was erased has no address any more that could be written to.
            if whose is not None and whose.project_id == project_id:
                address, purpose = whose.address, suppressing.purpose_of(whose.purpose)
                about = (project_id, whose.channel, address, purpose)
                if address:
                    await sightings.opt_out_address(session, *about, source=UNSUBSCRIBE, now=now)
                await inbox.append(session, [entry])
        self.wake()

    def _verdict(self, request: Request, hit: Hit, token: OpenToken | ClickToken) -> Verdict:
        return classify(
            hit,
            method=request.method,
            user_agent=request.headers.get("user-agent"),
            headers=request.headers,
            seconds_since_sent=self._seconds_since(token.sent_at, self.clock.now()),
            address=request.client.host if request.client else None,
        )

    async def _note(
        self, kind: ReceiptKind, token: OpenToken | ClickToken | TrapToken, verdict: Verdict, url: str = ""
    ) -> None:
        now, name = self.clock.now(), _NAMES[kind]
        receipt = HeardReceipt(
            int(token.message_id),
            f"{name}:{now:x}-{secrets.token_hex(8)}",
            kind,
            now,
            actor=verdict.actor.value,
            actor_why=verdict.why,
            url=url,
        )
        entry = inbox.Entry(token.shard, int(token.project_id), inbox.RECEIPT, encode(receipt), now)
        try:
            async with asyncio.timeout(_LONGEST_WAIT_SECONDS):
                await self.append([entry])
        except (Overloaded, SQLAlchemyError, OSError):
            self.dropped.labels(name).inc()

    def _seconds_since(self, sent_at: Instant | None, now: Instant) -> float | None:
        # The virtual clock stands still between events: it cannot tell who is quick.
        if sent_at is None or self.clock.follows_events:
            return None
        return (now - sent_at) / SECOND


def _page(content: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(_LAYOUT.replace("{content}", content), status, headers=_PLAIN_PAGE)


_LAYOUT = """<!doctype html>
<html lang="ko">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>수신 설정 · Preferences</title>
<style>
body { font: 16px/1.6 system-ui, sans-serif; max-width: 32em; margin: 15vh auto; padding: 0 1.5em; }
button { font: inherit; padding: .6em 1.4em; }
</style>
<main>{content}</main>
</html>
"""
_ASK = """
<h1>수신을 거부할까요?</h1>
<p>버튼을 누르면 이 주소로는 더 이상 메시지를 보내지 않습니다.</p>
<p lang="en">Press the button, and nothing more will be sent to this address.</p>
<form method="post"><button>수신 거부 · <span lang="en">Unsubscribe</span></button></form>
"""
_DONE = """
<h1>수신 거부가 완료되었습니다</h1>
<p>이 주소로는 더 이상 메시지를 보내지 않습니다.</p>
<p lang="en">You are unsubscribed. Nothing more will be sent to this address.</p>
"""
_BROKEN = """
<h1>사용할 수 없는 링크입니다</h1>
<p>링크가 잘렸거나 변경되었습니다. 받은 메시지에서 다시 열어 주세요.</p>
<p lang="en">This link is incomplete or was changed. Please open it from the message again.</p>
"""
