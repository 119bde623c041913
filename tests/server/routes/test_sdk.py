"""The script for web pages, as a file. What it does is tried in a browser: tests/node/test_sdk.py."""

import gzip
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette

from server.routes.sdk import SDK, sdk_route

pytestmark = pytest.mark.anyio
MOST_BYTES = 5_000


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(Starlette(routes=[sdk_route()]))
    async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as made:
        yield made


async def test_it_is_small(client: httpx.AsyncClient) -> None:
    answer = await client.get("/sdk.js", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) < MOST_BYTES
    assert answer.content == SDK.read_bytes()


async def test_it_comes_unpacked_to_whoever_cannot_unpack(client: httpx.AsyncClient) -> None:
    answer = await client.get("/sdk.js", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in answer.headers
    assert answer.content == SDK.read_bytes()
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"


async def test_caches_keep_it_and_ask_again(client: httpx.AsyncClient) -> None:
    first = await client.get("/sdk.js")
    assert "max-age=3600" in first.headers["cache-control"]
    assert first.headers["vary"] == "Accept-Encoding"
    again = await client.get("/sdk.js", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert (await client.get("/sdk.js", headers={"If-None-Match": '"other"'})).status_code == 200


async def test_pages_of_any_site_may_load_it(client: httpx.AsyncClient) -> None:
    headers = (await client.get("/sdk.js", headers={"Origin": "https://shop.example"})).headers
    assert headers["access-control-allow-origin"] == "*"
    assert headers["cross-origin-resource-policy"] == "cross-origin"


def test_it_packs_the_same_each_time() -> None:
    assert gzip.compress(SDK.read_bytes(), 9, mtime=0) == gzip.compress(SDK.read_bytes(), 9, mtime=0)


def test_it_asks_nobody_but_the_server() -> None:
    text = SDK.read_text(encoding="utf-8")
    assert "://" not in text
    assert "eval" not in text
    assert "innerHTML" not in text
