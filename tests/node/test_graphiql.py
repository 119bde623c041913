"""GraphiQL in a real browser without the internet."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import urlsplit

import pytest
import strawberry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from server.errors import Refused
from server.routes.graphiql import PAGE_HEADERS, assets_route, graphiql_page
from server.routes.graphql import GraphQLEndpoint, Options
from server.routes.sse import Listening
from server.routes.streams import Streams
from tests.tools import require_node_packages, require_tool, run, serving

EXAMPLES = [
    ("Say hello", "query Hello($name: String!) {\n  hello(name: $name)\n}", '{\n  "name": "Kim"\n}'),
    ("Ask what there is", "query Schema {\n  __schema { queryType { name } }\n}", "{}"),
    ("Listen", "subscription Ticks {\n  ticks\n}", "{}"),
]
HEADERS = '{\n  "Authorization": "Bearer sample-key"\n}'


@strawberry.type
class Query:
    @strawberry.field
    def hello(self, name: str) -> str:
        return f"hello {name}"


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def ticks(self) -> AsyncGenerator[int, None]:
        for tick in range(3):
            yield tick


class Nothing:
    """A context that remembers nothing."""

    def forget(self) -> None:
        pass


async def context_for(request: Request) -> Nothing:
    if request.headers.get("authorization") != "Bearer sample-key":
        raise Refused("Send the key.")
    return Nothing()


def app() -> Starlette:
    page = graphiql_page(EXAMPLES, HEADERS)
    options = Options(introspection=True, page=page, page_headers=PAGE_HEADERS)
    schema = strawberry.Schema(Query, subscription=Subscription)
    listening = Listening(Streams(schema), asyncio.Event(), Nothing)
    endpoint = GraphQLEndpoint(schema, context_for, options, listening)
    return Starlette(routes=[Route("/graphql", endpoint), assets_route()])


async def browse(url: str, *screenshot: str) -> dict[str, Any]:
    """What GraphiQL at this address showed, asked for and complained of."""
    chromium = require_tool("chromium", "chromium-browser", "google-chrome")
    node = await require_node_packages()
    seen: dict[str, Any] = json.loads(await run(node, "graphiql.mjs", url, chromium, *screenshot))
    return seen


@pytest.mark.browser
@pytest.mark.anyio
async def test_an_example_runs_and_nothing_leaves_the_machine() -> None:
    async with serving(app()) as address:
        seen = await browse(f"{address}/graphql")
    assert '"hello": "hello Kim"' in seen["result"]
    assert seen["tabs"] == ["Hello", "Schema", "Ticks"]
    assert "sample-key" in seen["headers"]
    assert '"hello": "hello Kim"' in seen["resultAfterReload"]
    assert '"name": "Query"' in seen["resultOfSecondTab"]
    assert '"ticks": ' in seen["resultOfLastTab"]
    assert seen["complaints"] == []
    asked = [url for url in seen["requests"] if not url.startswith(("data:", "blob:"))]
    assert f"{address}/assets/graphiql/graphiql.min.js" in asked
    assert {urlsplit(url).netloc for url in asked} == {urlsplit(address).netloc}
