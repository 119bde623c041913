"""The one client for what leaves over HTTP, against real servers that behave badly."""

import asyncio
import gzip
import ipaddress
import re
import socket
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from channels import Deferred, Reason, Tools, Unknown
from channels.http import exchange
from server.egress import USER_AGENT, BoundedTransport, Bounds, make_client, make_public_client
from server.public_addresses import is_public
from tests.web import answer, certificate, client_side, over_http2, server_side, word_for_word

pytestmark = pytest.mark.anyio

HERE = [ipaddress.IPv4Network("127.0.0.0/8")]
HASTY = Bounds(connect_seconds=1.5, pool_seconds=0.5, total_seconds=4, answer_bytes=1000)
"""For what never comes. Even a machine with a lot to do connects to itself within that."""
FRUGAL = Bounds(answer_bytes=1000)


async def never(writer: asyncio.StreamWriter) -> None:
    await writer.drain()


@pytest.fixture
async def hasty() -> AsyncIterator[httpx.AsyncClient]:
    async with make_client(bounds=HASTY) as client:
        yield client


@pytest.fixture
async def frugal() -> AsyncIterator[httpx.AsyncClient]:
    async with make_client(bounds=FRUGAL) as client:
        yield client


async def test_says_who_we_are_and_asks_for_nothing_packed(frugal: httpx.AsyncClient) -> None:
    async with word_for_word(answer(b"hello")) as server:
        response = await frugal.get(f"http://127.0.0.1:{server.port}/")
    assert response.text == "hello"
    assert f"user-agent: {USER_AGENT}\r\n" in server.heads[0]
    assert "accept-encoding: identity\r\n" in server.heads[0]


async def test_no_answer_in_time_is_unknown_because_it_may_have_arrived(hasty: httpx.AsyncClient) -> None:
    async with word_for_word(never) as server:
        outcome = await exchange(Tools(lambda: 0, hasty), "POST", f"http://127.0.0.1:{server.port}/")
    assert isinstance(outcome, Unknown)
    assert outcome.text == "no answer within 4 seconds"


async def test_an_answer_that_drips_ends_with_the_total_time(hasty: httpx.AsyncClient) -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not writer.is_closing():
            writer.write(b".")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with word_for_word(drip) as server:
        with pytest.raises(httpx.ReadTimeout, match="did not end within"):
            await hasty.get(f"http://127.0.0.1:{server.port}/")


async def test_an_answer_that_is_too_large_is_given_up(frugal: httpx.AsyncClient) -> None:
    async with word_for_word(answer(b"x" * 1001)) as server:
        with pytest.raises(httpx.ReadError, match="larger than 1000 bytes"):
            await frugal.get(f"http://127.0.0.1:{server.port}/")
    async with word_for_word(answer(b"x" * 1000)) as server:
        assert len((await frugal.get(f"http://127.0.0.1:{server.port}/")).content) == 1000


async def test_an_answer_that_came_packed_is_not_unpacked(frugal: httpx.AsyncClient) -> None:
    bomb = gzip.compress(b"\0" * 500_000)
    async with word_for_word(answer(bomb, headers="Content-Encoding: gzip\r\n")) as server:
        with pytest.raises(httpx.DecodingError, match="gzip"):
            await frugal.get(f"http://127.0.0.1:{server.port}/")


async def test_a_redirect_is_an_answer_and_a_cookie_is_forgotten(frugal: httpx.AsyncClient) -> None:
    headers = "Location: /elsewhere\r\nSet-Cookie: a=b\r\n"
    async with word_for_word(answer(status="302 Found", headers=headers)) as server:
        for _ in range(2):
            response = await frugal.get(f"http://127.0.0.1:{server.port}/")
            assert response.status_code == 302
    assert len(server.heads) == 2
    assert "cookie" not in server.heads[1].lower()


async def test_the_environment_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with word_for_word(answer(b"the proxy")) as proxy, word_for_word(answer(b"itself")) as server:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{proxy.port}")
        async with make_client() as client, make_public_client(allow=HERE) as public:
            for one in (client, public):
                assert (await one.get(f"http://127.0.0.1:{server.port}/")).text == "itself"


async def test_a_proxy_is_used_when_it_is_configured() -> None:
    async with (
        word_for_word(answer(b"the proxy")) as proxy,
        make_client(proxy=f"http://127.0.0.1:{proxy.port}") as client,
    ):
        assert (await client.get("http://provider.test/")).text == "the proxy"
    assert proxy.heads[0].startswith("GET http://provider.test/ ")


@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "0xa9fea9fe", "[::ffff:169.254.169.254]", "[fd00:ec2::254]", "100.100.100.200"],
)
async def test_where_clouds_keep_their_credentials_is_refused_to_operators_too(host: str) -> None:
    async with make_client(bounds=HASTY) as client:
        with pytest.raises(httpx.ConnectError, match="refused"):
            await client.get(f"http://{host}/latest/meta-data/")


async def test_a_port_that_cannot_be_is_deferred_because_nothing_left() -> None:
    async with make_client() as client, make_public_client(allow=HERE) as public:
        for one in (client, public):
            outcome = await exchange(Tools(lambda: 7, one), "POST", "http://127.0.0.1:70000/")
            assert isinstance(outcome, Deferred)


async def test_a_port_where_nobody_listens_is_deferred_because_nothing_left() -> None:
    async with word_for_word(never) as server:
        port = server.port
    async with make_client() as client, make_public_client(allow=HERE) as public:
        for one in (client, public):
            outcome = await exchange(Tools(lambda: 7, one), "POST", f"http://127.0.0.1:{port}/")
            assert isinstance(outcome, Deferred)
            assert (outcome.retry_at, outcome.reason) == (7, Reason.PROVIDER_ERROR)


async def test_time_that_is_over_while_tls_is_being_agreed_on_has_sent_nothing() -> None:
    # The kernel takes the connection and nobody says a word.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        async with (
            make_client(bounds=HASTY) as client,
            make_public_client(bounds=HASTY, allow=HERE) as public,
        ):
            asking = [
                exchange(Tools(lambda: 0, one), "POST", url, **asked)
                for one in (client, public)
                for asked in ({}, {"timeout": 60})
            ]
            outcomes = await asyncio.gather(*asking)
        assert [type(outcome) for outcome in outcomes] == [Deferred] * 4


def test_bounds_leave_time_for_an_answer() -> None:
    with pytest.raises(ValueError, match="total_seconds is 15"):
        Bounds(total_seconds=15)


async def test_waiting_for_a_free_connection_has_sent_nothing() -> None:
    bounds = Bounds(connections=1, connect_seconds=1.5, pool_seconds=0.05, total_seconds=4)
    async with word_for_word(never) as server, make_client(bounds=bounds) as client:
        url = f"http://127.0.0.1:{server.port}/"
        outcomes = await asyncio.gather(*(exchange(Tools(lambda: 0, client), "POST", url) for _ in range(2)))
    assert [type(outcome) for outcome in outcomes] == [Unknown, Deferred]


def _inner(client: httpx.AsyncClient) -> httpx.AsyncBaseTransport:
    bounded = client._transport
    assert isinstance(bounded, BoundedTransport)
    return bounded.inner


async def test_waiting_for_its_turn_on_an_open_connection_has_sent_nothing(tmp_path: Path) -> None:
    arrived = []
    has_arrived, is_over = asyncio.Event(), asyncio.Event()

    async def silent(scope: Scope, receive: Receive, send: Send) -> None:
        arrived.append(scope["path"])
        has_arrived.set()
        await is_over.wait()

    public, private = certificate(tmp_path)
    async with (
        over_http2(silent, public, private, streams=1) as url,
        make_client(verify=client_side(public)) as client,
        httpx.AsyncClient(transport=BoundedTransport(_inner(client), HASTY)) as behind,
    ):
        # The first is not over before the second is, so that this never gets its turn.
        first = asyncio.create_task(exchange(Tools(lambda: 0, client), "POST", f"{url}/0"))
        await has_arrived.wait()
        second = await exchange(Tools(lambda: 0, behind), "POST", f"{url}/1")
        is_over.set()
        await first
    assert isinstance(second, Deferred)
    assert arrived == ["/0"]


async def test_other_transports_are_bounded_as_well() -> None:
    async def parts() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 600

    async def endless(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=parts())

    fake = httpx.MockTransport(endless)
    for make in (make_client, make_public_client):
        async with make(bounds=FRUGAL, mounts={"https://fake.example": fake}) as client:
            with pytest.raises(httpx.ReadError, match="larger"):
                await client.get("https://fake.example/v1")


# The public client

SPELLINGS = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "017700000001",
    "0177.0.0.1",
    "0",
    "0.0.0.0",
    "localhost",
    "localhost.",
    "10.0.0.1",
    "172.31.255.254",
    "192.168.1.1",
    "169.254.169.254",
    "0xa9fea9fe",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:a9fe:a9fe]",
    "[::127.0.0.1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::1]",
    "[2002:7f00:1::]",
    "[2001::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[fec0::1]",
    "[ff02::1]",
    "[2001:db8::1]",
]


@pytest.mark.parametrize("host", SPELLINGS)
async def test_every_spelling_of_an_address_inside_is_refused(host: str) -> None:
    async with make_public_client() as client:
        with pytest.raises((httpx.ConnectError, httpx.InvalidURL)) as refusal:
            await client.get(f"http://{host}/")
    # httpx does not take every spelling, nor does every resolver; none may lead inside.
    assert "refused: " in str(refusal.value) or re.search(
        "could not be looked up|Invalid", str(refusal.value)
    )


async def test_nothing_is_connected_to_what_is_refused() -> None:
    async with word_for_word(answer(b"secret")) as server, make_public_client() as client:
        for host in ("127.0.0.1", "127.1", "0x7f000001", "[::ffff:127.0.0.1]", "localhost"):
            outcome = await exchange(
                Tools(lambda: 0, client), "GET", f"http://{host}:{server.port}/", http=client
            )
            assert isinstance(outcome, Deferred)
            assert "not on the public internet" in outcome.text
            assert "SOJOURN_ALLOWED_NETWORKS" in outcome.text
    assert server.connections == 0


async def test_one_address_inside_among_others_refuses_all() -> None:
    async def mixed(host: str, port: int) -> Sequence[str]:
        return ["93.184.216.34", "10.0.0.7"]

    async with make_public_client(resolve=mixed) as client:
        with pytest.raises(httpx.ConnectError, match=r"refused: mixed\.example \(10\.0\.0\.7\) is not"):
            await client.get("https://mixed.example/")


async def test_a_name_is_looked_up_once_so_that_it_cannot_change_in_between() -> None:
    asked = []

    async def rebinding(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    async with (
        word_for_word(answer(b"pinned")) as server,
        make_public_client(allow=HERE, resolve=rebinding) as client,
    ):
        assert (await client.get(f"http://rebinding.example:{server.port}/")).text == "pinned"
    assert asked == ["rebinding.example"]


async def test_tls_and_the_host_header_keep_the_name(tmp_path: Path) -> None:
    async def here(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    public, private = certificate(tmp_path, "hooks.example.com")
    async with (
        word_for_word(answer(b"over tls"), server_side(public, private)) as server,
        make_public_client(allow=HERE, resolve=here, verify=client_side(public)) as client,
    ):
        response = await client.get(f"https://hooks.example.com:{server.port}/")
        assert response.text == "over tls"
        with pytest.raises(httpx.ConnectError, match="certificate"):
            await client.get(f"https://other.example.com:{server.port}/")
    assert server.names == ["hooks.example.com", "other.example.com"]
    assert f"host: hooks.example.com:{server.port}\r\n" in server.heads[0].lower()


async def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    async def two(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.2", "127.0.0.1"]

    async with (
        word_for_word(answer(b"the second")) as server,
        make_public_client(allow=HERE, resolve=two) as client,
    ):
        assert (await client.get(f"http://two.example:{server.port}/")).text == "the second"


@pytest.mark.parametrize("port", [22, 25, 111])
async def test_a_port_that_is_not_of_the_web_is_refused(port: int) -> None:
    async def outside(host: str, port: int) -> Sequence[str]:
        return ["93.184.216.34"]

    async with make_public_client(resolve=outside) as client:
        with pytest.raises(httpx.ConnectError, match=f"port {port}"):
            await client.get(f"http://outside.example:{port}/")


async def test_a_redirect_into_the_inside_is_not_followed_either() -> None:
    inside = "Location: http://169.254.169.254/\r\n"
    async with (
        word_for_word(answer(status="307 Temporary Redirect", headers=inside)) as server,
        make_public_client(allow=HERE) as client,
    ):
        assert (await client.get(f"http://127.0.0.1:{server.port}/")).status_code == 307
        with pytest.raises(httpx.ConnectError, match="refused"):
            await client.get(f"http://127.0.0.1:{server.port}/", follow_redirects=True)


async def test_a_connection_that_breaks_after_the_bytes_left_is_unknown() -> None:
    async def hang_up(writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with word_for_word(hang_up) as server, make_public_client(allow=HERE) as client:
        outcome = await exchange(Tools(lambda: 0, client), "POST", f"http://127.0.0.1:{server.port}/")
    assert isinstance(outcome, Unknown)


@given(st.ip_addresses())
def test_whatever_the_standard_library_calls_special_is_not_public(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if address.is_private or address.is_multicast or address.is_reserved or not address.is_global:
        assert not is_public(address)


@given(st.ip_addresses(v=4))
def test_an_address_within_an_ipv6_address_is_never_public(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    for prefix, shift in (("::", 0), ("::ffff:0:0", 0), ("64:ff9b::", 0), ("2002::", 80)):
        assert not is_public(ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) | number << shift))


@pytest.mark.parametrize("text", ["1.1.1.1", "93.184.216.34", "223.255.255.254", "2606:4700::1111"])
def test_an_ordinary_address_is_public(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))
