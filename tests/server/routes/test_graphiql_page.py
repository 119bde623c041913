"""GraphiQL's page and files, without a browser. In one: tests/node/test_graphiql.py."""

import hashlib
import json
import re

import httpx
import pytest
from starlette.applications import Starlette

from server.routes.graphiql import ASSETS, PAGE_HEADERS, assets_route, graphiql_page

EXAMPLES = [("Journeys </script><b>", "query Journeys { __typename }", '{"first": 5}')]


def config(page: str) -> dict[str, object]:
    found = re.search('<script type="application/json" id="config">(.*)</script>', page)
    assert found
    result: dict[str, object] = json.loads(found[1])
    return result


def test_examples_and_headers_arrive_as_they_are() -> None:
    headers = '{"Authorization": "Bearer sk_demo"}'
    carried = config(graphiql_page(EXAMPLES, headers))
    query = "# Journeys </script><b>\n\nquery Journeys { __typename }"
    assert carried["examples"] == [{"query": query, "variables": '{"first": 5}'}]
    assert carried["headers"] == headers


def test_an_example_cannot_end_the_script_that_carries_it() -> None:
    assert "</script><b>" not in graphiql_page(EXAMPLES)


def test_another_key_is_another_edition() -> None:
    editions = {str(config(graphiql_page(EXAMPLES, key))["edition"]) for key in (None, "{}", '{"a": "b"}')}
    assert len(editions) == 3


def test_the_page_asks_only_for_our_own_files_and_they_are_there() -> None:
    asked = re.findall(r'(?:src|href)="([^"]+)"', graphiql_page(EXAMPLES))
    files = [address for address in asked if address != "data:,"]
    assert len(files) == 7
    for address in files:
        assert (ASSETS.parent / address).is_file()


def test_the_policy_names_no_other_host_and_no_inline_script() -> None:
    policy = PAGE_HEADERS["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


def test_the_files_are_the_published_ones() -> None:
    listed = re.findall(
        r"^\| (\S+) \| `([0-9a-f]{64})` \|$", (ASSETS / "graphiql/README.md").read_text(), re.M
    )
    found = {path.name for path in (ASSETS / "graphiql").iterdir()} - {"README.md"}
    assert {name for name, _ in listed} == found
    for name, digest in listed:
        assert hashlib.sha256((ASSETS / "graphiql" / name).read_bytes()).hexdigest() == digest


@pytest.mark.anyio
async def test_files_come_with_their_type_and_stay_what_they_are() -> None:
    app = Starlette(routes=[assets_route()])
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://sojourn.test"
    ) as client:
        script = await client.get("/assets/graphiql.js")
        outside = await client.get("/assets/%2e%2e/graphiql.py")
    assert script.headers["content-type"].startswith("text/javascript")
    assert script.headers["x-content-type-options"] == "nosniff"
    assert outside.status_code == 404
