"""Everything that leaves over HTTP leaves here: bounded in time and size, and, for addresses that somebody
else chose, to the public internet only.

Both clients follow no redirects, keep no cookies and read no proxy, `.netrc` or certificates from the
environment. Failures are `httpx` exceptions that tell what `channels.http` wants to know: as long as nothing
can have left it is a `ConnectError`, `ConnectTimeout` or `PoolTimeout`, and after that anything else.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx

from server import __version__
from server.public_addresses import ALL_BUT_METADATA, Network, PublicTransport, Resolve, resolved

LAST_PORT = 65_535
USER_AGENT = f"Sojourn/{__version__}"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one request, and one client, may take."""

    connect_seconds: float = 5
    """For finding and reaching the other side, and once more for agreeing on TLS."""
    pool_seconds: float = 5
    """How long a request may wait for a free connection."""
    total_seconds: float = 30
    """For all of it, from the wait for a connection to the last byte of the answer."""
    answer_bytes: int = 1024 * 1024
    """The largest answer that is read; of a larger one nothing is given out."""
    connections: int = 100
    keepalive_seconds: float = 20

    def __post_init__(self) -> None:
        # httpcore ends an attempt to connect itself; cut off from outside it would lose a socket.
        if self.pool_seconds + 2 * self.connect_seconds >= self.total_seconds:
            raise ValueError(
                f"total_seconds is {self.total_seconds:g}: make it more than pool_seconds "
                f"({self.pool_seconds:g}) and twice connect_seconds ({self.connect_seconds:g})"
            )


def make_client(
    *,
    bounds: Bounds | None = None,
    proxy: str | None = None,
    allow: Sequence[Network] = (),
    verify: Any = True,
    mounts: Mapping[str, httpx.AsyncBaseTransport] | None = None,
) -> httpx.AsyncClient:
    """A client for addresses that operators configure; it may reach the private network.

    Whoever may write in a project configures its connections, and is told what was answered. So where clouds
    hand their machines credentials (169.254.169.254 and its like) is refused, unless it is in `allow`. A
    proxy looks up names itself, and has to refuse them itself.
    `verify` is an `ssl.SSLContext`, or True for the usual authorities. `mounts` leads URLs that begin so into
    other transports, e.g. a test's or the demo's fake providers. The caller closes the client.
    """
    bounds = bounds or Bounds()
    if proxy is not None:
        inner: httpx.AsyncBaseTransport = httpx.AsyncHTTPTransport(
            verify=verify, trust_env=False, http2=True, limits=_limits(bounds), proxy=proxy
        )
    else:
        inner = _direct(bounds, (*allow, *ALL_BUT_METADATA), verify, resolved)
    return _client(inner, bounds, mounts)


def make_public_client(
    *,
    bounds: Bounds | None = None,
    allow: Sequence[Network] = (),
    verify: Any = True,
    mounts: Mapping[str, httpx.AsyncBaseTransport] | None = None,
    resolve: Resolve = resolved,
) -> httpx.AsyncClient:
    """A client for addresses that come with a message or from a user; `server.public_addresses` says which
    of them it refuses, with an `httpx.ConnectError`.

    `allow` names networks that are reached nevertheless. It takes no proxy: a proxy would look up the name
    itself, behind our check.
    """
    bounds = bounds or Bounds()
    return _client(_direct(bounds, tuple(allow), verify, resolve), bounds, mounts)


def _direct(bounds: Bounds, allow: Sequence[Network], verify: Any, resolve: Resolve) -> PublicTransport:
    authorities = (
        _usual_authorities() if verify is True else httpx.create_ssl_context(verify, trust_env=False)
    )
    return PublicTransport(authorities, _limits(bounds), allow, resolve)


@cache
def _usual_authorities() -> ssl.SSLContext:
    """One for all: to read the certificates of the authorities takes longer than to open everything else."""
    return httpx.create_ssl_context(trust_env=False)


def _client(
    inner: httpx.AsyncBaseTransport, bounds: Bounds, mounts: Mapping[str, httpx.AsyncBaseTransport] | None
) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=BoundedTransport(inner, bounds),
        mounts={prefix: BoundedTransport(one, bounds) for prefix, one in (mounts or {}).items()},
        timeout=httpx.Timeout(bounds.total_seconds, connect=bounds.connect_seconds, pool=bounds.pool_seconds),
        # A small answer may unpack into a huge one, so none is asked for packed and none is unpacked.
        headers={"user-agent": USER_AGENT, "accept-encoding": "identity"},
        # One client serves many connections: what a provider sets for one must not reach it from another.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        follow_redirects=False,
        trust_env=False,
    )


def _limits(bounds: Bounds) -> httpx.Limits:
    return httpx.Limits(
        max_connections=bounds.connections,
        max_keepalive_connections=bounds.connections,
        keepalive_expiry=bounds.keepalive_seconds,
    )


class BoundedTransport(httpx.AsyncBaseTransport):
    """Another transport, within bounds of time and size for each request as a whole."""

    def __init__(self, inner: httpx.AsyncBaseTransport, bounds: Bounds) -> None:
        self.inner = inner
        self.bounds = bounds

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises the inner transport's errors; PoolTimeout or ReadTimeout when the time is over; ReadError
        for an answer that is too large, DecodingError for one that is packed."""
        if (request.url.port or 0) > LAST_PORT:
            raise httpx.ConnectError(f"there is no port {request.url.port}", request=request)
        progress = _Progress.of(request)
        self._shorten(request)
        ends_at = asyncio.get_running_loop().time() + self.bounds.total_seconds
        try:
            async with asyncio.timeout_at(ends_at):
                response = await self.inner.handle_async_request(request)
        except TimeoutError as error:
            raise self._too_late(request, progress) from error
        if packed := response.headers.get("content-encoding", "").replace("identity", ""):
            await response.aclose()
            raise httpx.DecodingError(f"the answer came packed ({packed[:40]}) unasked", request=request)
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = _BoundedStream(response.stream, self.bounds, ends_at, request)
        return response

    def _shorten(self, request: httpx.Request) -> None:
        """Whoever sends may ask for less time to connect, not for more."""
        asked = request.extensions.get("timeout", {})
        most = {"connect": self.bounds.connect_seconds, "pool": self.bounds.pool_seconds}
        least = {name: min(asked.get(name) or limit, limit) for name, limit in most.items()}
        request.extensions = {**request.extensions, "timeout": {**asked, **least}}

    def _too_late(self, request: httpx.Request, progress: "_Progress") -> httpx.TimeoutException:
        told = f"no answer within {self.bounds.total_seconds:g} seconds"
        # Only httpcore tells how far it came: others are taken to have sent it.
        tells = isinstance(self.inner, httpx.AsyncHTTPTransport | PublicTransport)
        kind = httpx.PoolTimeout if tells and not progress.has_left else httpx.ReadTimeout
        return kind(told, request=request)

    async def aclose(self) -> None:
        await self.inner.aclose()


class _Progress:
    """Whether a request has begun to leave. On HTTP/2 it may wait for its turn on an open connection."""

    def __init__(self, tell: Any) -> None:
        self.has_left = False
        self._tell = tell

    @classmethod
    def of(cls, request: httpx.Request) -> "_Progress":
        progress = cls(request.extensions.get("trace"))
        request.extensions = {**request.extensions, "trace": progress._heard}
        return progress

    async def _heard(self, event: str, info: dict[str, Any]) -> None:
        self.has_left = self.has_left or event.endswith("send_request_headers.started")
        if self._tell is not None:
            await self._tell(event, info)


class _BoundedStream(httpx.AsyncByteStream):
    def __init__(
        self, inner: httpx.AsyncByteStream, bounds: Bounds, ends_at: float, request: httpx.Request
    ) -> None:
        self._inner, self._bounds, self._ends_at, self._request = inner, bounds, ends_at, request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        parts = aiter(self._inner)
        while (part := await self._next(parts)) is not None:
            size += len(part)
            if size > self._bounds.answer_bytes:
                raise httpx.ReadError(
                    f"the answer is larger than {self._bounds.answer_bytes} bytes", request=self._request
                )
            yield part

    async def _next(self, parts: AsyncIterator[bytes]) -> bytes | None:
        try:
            async with asyncio.timeout_at(self._ends_at):
                return await anext(parts, None)
        except TimeoutError as error:
            told = f"the answer did not end within {self._bounds.total_seconds:g} seconds"
            raise httpx.ReadTimeout(told, request=self._request) from error

    async def aclose(self) -> None:
        await self._inner.aclose()
