"""Which addresses are the public internet, and a transport that reaches no others.

A name is looked up once, every answer is checked, and the connection goes to exactly the address that was
checked: looking up again would let the answer change in between. TLS still asks for the name.

We keep a table of our own: `ipaddress.is_global` of several Python versions calls translated (NAT64, 6to4),
multicast and other special addresses global.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import httpcore
import httpx

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
"""All addresses of a host name, in order of preference. Raises OSError when there are none."""

_WEB_PORTS = (80, 443)
_MOST_TRIED = 4
_LONGEST = 60.0

_FORBIDDEN_4 = [
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network; 0.0.0.0 reaches this machine
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by a carrier's customers; metadata of one cloud
        "127.0.0.0/8",  # this machine
        "168.63.129.16/32",  # public by its number, but a cloud's own service inside it
        "169.254.0.0/16",  # this link; metadata of most clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments; metadata of one cloud
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
]
# Of IPv6, only what is handed out to the world: this alone leaves out mapped, translated (64:ff9b::/96),
# unique local, link-local, site-local and multicast addresses.
_WORLD_6 = ipaddress.IPv6Network("2000::/3")
_FORBIDDEN_6 = [
    ipaddress.IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments: tunnels (Teredo), benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: any IPv4 address within
        "3fff::/20",  # documentation
    )
]


def _without(everything: Network, *taken: str) -> list[Network]:
    left: list[Any] = [everything]
    for one in map(ipaddress.ip_network, taken):
        left = [
            part for each in left for part in (each.address_exclude(one) if one.subnet_of(each) else [each])
        ]
    return left


ALL_BUT_METADATA: Sequence[Network] = (
    *_without(ipaddress.IPv4Network("0.0.0.0/0"), "169.254.0.0/16", "100.100.100.200/32", "168.63.129.16/32"),
    # Written as IPv6, an IPv4 address would pass by the table above.
    *_without(
        ipaddress.IPv6Network("::/0"), "fe80::/10", "fd00:ec2::254/128", "::ffff:0:0/96", "64:ff9b::/96"
    ),
)
"""The public internet and private networks, but not where clouds hand their machines credentials."""


def is_public(address: Address) -> bool:
    """Whether it belongs to the public internet, as far as numbers can tell."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _FORBIDDEN_4)
    return address in _WORLD_6 and not any(address in network for network in _FORBIDDEN_6)


async def resolved(host: str, port: int) -> Sequence[str]:
    """What the system's resolver says, which also knows odd spellings such as 0x7f000001."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class PublicBackend(httpcore.AsyncNetworkBackend):
    """Opens connections to checked addresses only. Raises httpcore.ConnectError for any other."""

    def __init__(self, allow: Sequence[Network], resolve: Resolve) -> None:
        self._allow = allow
        self._resolve = resolve
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + (timeout or _LONGEST)
        addresses = await self._checked(host, port, timeout)
        for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            share = max(0.0, ends_at - loop.time()) / left
            try:
                return await self._inner.connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if left == 1:
                    raise
        raise AssertionError("there is always an address")

    async def _checked(self, host: str, port: int, timeout: float | None) -> list[str]:
        try:
            async with asyncio.timeout(timeout):
                answers = await self._resolve(host, port)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(f"{host} could not be looked up in time") from error
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host} could not be looked up: {error}") from error
        addresses = [ipaddress.ip_address(answer) for answer in dict.fromkeys(answers)]
        if not addresses:
            raise httpcore.ConnectError(f"{host} has no address")
        # One bad answer among good ones is an attack or a mistake; neither is to be tried.
        for address in addresses:
            self._check(host, port, address)
        return [str(address) for address in addresses[:_MOST_TRIED]]

    def _check(self, host: str, port: int, address: Address) -> None:
        if any(address in network for network in self._allow):
            return
        if not is_public(address):
            where = host if host == str(address) else f"{host} ({address})"
            raise httpcore.ConnectError(
                f"refused: {where} is not on the public internet; "
                "whoever runs the server can allow it with SOJOURN_ALLOWED_NETWORKS"
            )
        if port < 1024 and port not in _WEB_PORTS:
            raise httpcore.ConnectError(f"refused: port {port} of {host} is not one of the web")


class PublicTransport(httpx.AsyncBaseTransport):
    """HTTP/1.1 and 2 over a `PublicBackend`."""

    def __init__(
        self,
        ssl_context: ssl.SSLContext,
        limits: httpx.Limits,
        allow: Sequence[Network],
        resolve: Resolve,
    ) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl_context,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            http2=True,
            network_backend=PublicBackend(allow, resolve),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        wanted = httpcore.Request(
            method=request.method,
            url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with _in_words_of_httpx(request):
            response = await self._pool.handle_async_request(wanted)
        return httpx.Response(
            response.status,
            headers=response.headers,
            stream=_Stream(response, request),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        await self._pool.aclose()


class _Stream(httpx.AsyncByteStream):
    def __init__(self, response: httpcore.Response, request: httpx.Request) -> None:
        self._response, self._request = response, request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _in_words_of_httpx(self._request):
            async for part in self._response.aiter_stream():
                yield part

    async def aclose(self) -> None:
        await self._response.aclose()


_ERRORS = (
    httpcore.NetworkError,
    httpcore.TimeoutException,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
)


@contextmanager
def _in_words_of_httpx(request: httpx.Request) -> Any:
    try:
        yield
    except _ERRORS as error:
        # The two libraries name their errors alike.
        raise getattr(httpx, type(error).__name__)(str(error), request=request) from error
