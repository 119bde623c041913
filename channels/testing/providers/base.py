"""What all fake providers share: an ASGI application, faults on demand, and reports that come due."""

import heapq
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, ClassVar

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from channels.contract import Callback, Instant, ReceiptKind
from channels.reasons import Reason
from channels.testing.providers.lives import Life, Lives, everybody


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one request instead of a good answer."""

    status: int | None = None
    """Answer with this, and take nothing over."""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    no_connection: bool = False
    """Nothing arrives."""
    reset_after: bool = False
    """The message is taken over, and the connection breaks before the answer."""


@dataclass(frozen=True, slots=True)
class Report:
    """Something that the provider has to tell of a message that it took over."""

    number: int
    """Counts the reports of this provider, from 1."""
    provider_id: str
    to: str
    kind: ReceiptKind
    at: Instant
    reason: Reason | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    """What `take` was told besides, e.g. our reference where the provider echoes it."""


class FakeProvider(ABC):
    """One provider, whose people live in a function. Subclasses know the wire format and nothing else.

    `base_url` is that of the real one, so that an adapter with its default settings can be led here by
    `client_of`.
    """

    base_url: ClassVar[str]
    observes: ClassVar[frozenset[ReceiptKind]] = frozenset()
    """What its callbacks or result lists ever tell; other reports are not made."""

    def __init__(
        self, clock: Callable[[], Instant], *, lives: Lives | None = None, faults: Iterable[Fault] = ()
    ) -> None:
        self.clock = clock
        self.lives = lives or everybody()
        self.faults: deque[Fault] = deque(faults)
        self.requests: list[tuple[str, str, Mapping[str, str], bytes]] = []
        """Method, path with query, headers and body of every request that arrived."""
        self.taken: dict[str, str] = {}
        """What was taken over: the provider's id to the address. The test of who really got what."""
        self._reports: list[tuple[Instant, int, Report]] = []
        self._numbers = count(1)

    @abstractmethod
    async def answer(self, request: Request) -> Response:
        """The answer of the real provider to this request, in its own words."""

    def callback(self, reports: Sequence[Report], now: Instant) -> Callback:
        """The request in which the real provider would tell of these, signed now."""
        raise NotImplementedError(f"{type(self).__name__} does not call back: it is polled")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        fault = self.faults.popleft() if self.faults else Fault()
        if fault.no_connection:
            raise httpx.ConnectError("connection refused")
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        self.requests.append((request.method, path, dict(request.headers), await request.body()))
        if fault.status is not None:
            response = Response(fault.body, fault.status, dict(fault.headers))
        else:
            response = await self.answer(request)
        if fault.reset_after:
            raise httpx.ReadError("connection reset by peer")
        await response(scope, receive, send)

    def take(self, provider_id: str, to: str, **extra: Any) -> Life:
        """Takes a message over, once, and plans what there will be to report of it.

        Nothing is taken over for somebody whose life says that the message is refused.
        """
        life = self.lives(to)
        if provider_id in self.taken or life.refused is not None:
            return life
        self.taken[provider_id] = to
        now = self.clock()
        for kind, after in _course(life):
            if after is not None and kind in self.observes:
                reason = life.failed if kind in (ReceiptKind.FAILED, ReceiptKind.BOUNCED) else None
                report = Report(next(self._numbers), provider_id, to, kind, now + after, reason, extra)
                heapq.heappush(self._reports, (report.at, report.number, report))
        return life

    def due(self, now: Instant) -> list[Report]:
        """The reports that are due by now, in order of time; each is given out once."""
        found = []
        while self._reports and self._reports[0][0] <= now:
            found.append(heapq.heappop(self._reports)[2])
        return found

    def next_due_at(self) -> Instant | None:
        """When the next report is due."""
        return self._reports[0][0] if self._reports else None


def _course(life: Life) -> list[tuple[ReceiptKind, int | None]]:
    if life.failed is not None:
        # A subclass observes one of the two: what a provider calls a failure after it had accepted.
        return [(ReceiptKind.FAILED, life.failed_after), (ReceiptKind.BOUNCED, life.failed_after)]
    return [
        (ReceiptKind.DELIVERED, life.delivered_after),
        (ReceiptKind.OPENED, life.opened_after),
        (ReceiptKind.CLICKED, life.clicked_after),
    ]


def client_of(*providers: FakeProvider, **options: Any) -> httpx.AsyncClient:
    """A client for which these are the whole internet: any other host cannot be reached."""

    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError(f"nobody answers at {request.url.host}", request=request)

    mounts = {one.base_url: httpx.ASGITransport(one) for one in providers}
    return httpx.AsyncClient(transport=httpx.MockTransport(refuse), mounts=mounts, **options)
