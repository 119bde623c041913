"""The application as it is served."""

from collections.abc import AsyncIterator

import pytest

from server.app import create_app
from server.config import Secret
from server.errors import CannotOpen
from server.runtime import open_runtime
from tests.app import App, open_app
from tests.node.audit import audit
from tests.tools import serving

pytestmark = pytest.mark.anyio

TITLES = "{ journeys(first: 1) { edges { node { title } } } }"


@pytest.fixture
async def app(database_url: str) -> AsyncIterator[App]:
    async with open_app(database_url) as opened:
        yield opened


@pytest.mark.node
async def test_every_audit_of_graphql_over_http_is_passed(app: App) -> None:
    async with serving(create_app(app.runtime)) as address:
        key = {"Authorization": f"Bearer {app.project.secret_key}"}
        results = await audit(f"{address}/graphql", key)
    assert len(results) >= 61
    assert [result for result in results if result["status"] != "ok"] == []


async def test_no_key_and_a_write_key_are_refused(app: App) -> None:
    for header in ("", f"Bearer {app.project.write_key}", "Bearer nonsense"):
        answer = await app.client.post("/graphql", json={"query": TITLES}, headers={"Authorization": header})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_production_tells_strangers_nothing_of_the_schema(database_url: str) -> None:
    secret = "a-secret-of-this-test-alone"
    async with open_app(database_url, production=True, secret=Secret(secret)) as app:
        page = await app.client.get("/graphql", headers={"Accept": "text/html"})
        assert page.status_code in (405, 406)
        typo = await app.client.post("/graphql", json={"query": "{ journey { titel } }"})
        assert "Did you mean" not in typo.text


async def test_production_does_not_start_with_the_development_secret(database_url: str) -> None:
    with pytest.raises(CannotOpen, match="SOJOURN_SECRET"):
        async with open_app(database_url, production=True):
            pass


async def test_pages_of_the_origins_that_are_allowed_may_ask_and_no_others(database_url: str) -> None:
    async with open_app(database_url, allowed_origins="https://admin.shop.example") as app:
        for origin, allowed in (("https://admin.shop.example", True), ("https://evil.example", False)):
            answer = await app.client.post("/graphql", json={"query": TITLES}, headers={"Origin": origin})
            assert (answer.headers.get("access-control-allow-origin") == origin) is allowed


async def test_two_servers_do_not_open_the_same_file(app: App) -> None:
    if not app.runtime.db.is_sqlite:
        pytest.skip("several servers may share a PostgreSQL")
    with pytest.raises(CannotOpen, match="Another server"):
        async with open_runtime(app.runtime.settings):
            pass


async def test_the_landing_page_says_what_is_where(app: App) -> None:
    page = await app.client.get("/")
    assert page.status_code == 200
    for place in ("/graphql", "/v1", "/healthz", "/metrics"):
        assert place in page.text
