"""The script for web pages in a real browser: a shop on one origin, the server on another."""

import json
from collections import Counter
from html import escape
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from server.app import create_app
from server.store.bulk import table_of
from server.store.tables import Event, VisitSession
from tests.app import App, open_app
from tests.tools import require_node_packages, require_tool, run, serving

STUB = """<script>
window.sojourn = window.sojourn || [];
['init', 'page', 'track', 'identify', 'consent'].forEach(function (name) {
  sojourn[name] = function () { sojourn.push([name, [].slice.call(arguments)]) };
});
</script>"""
EARLY = """<script>
sojourn.init('{key}', {{pages: false, app: {{name: 'Shop'}}}});
['One', 'Two', 'Three'].forEach(function (name) {{ sojourn.track(name) }});
</script>"""
BLOCKED = """<script>
Object.defineProperty(window, 'localStorage', {get: function () { throw new Error('no') }});
Object.defineProperty(document, 'cookie', {get: function () { return '' }, set: function () {}});
</script>"""


class Gate:
    """In front of the server: while it is down, whoever asks gets what a balancer says then."""

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.is_up = app, True
        self.beacons = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/gate/"):
            self.is_up = scope["path"].endswith("up")
            await Response()(scope, receive, send)
            return
        # Browsers say so of a beacon; what we send ourselves names no character set.
        self.beacons += (b"content-type", b"text/plain;charset=UTF-8") in scope.get("headers", ())
        if self.is_up or scope["type"] != "http" or scope["path"] == "/sdk.js":
            await self.app(scope, receive, send)
        else:
            await Response("Bad Gateway", 502)(scope, receive, send)


def shop(server: str, key: str) -> Starlette:
    """Pages of a shop; the first part of the path says how they carry the script."""
    tag = f'<script async src="{server}/sdk.js" data-key="{escape(key)}"></script>'
    heads = {
        "plain": tag,
        "twice": tag + tag,
        "wait": tag.replace("data-key", 'data-consent="wait" data-key'),
        "early": STUB + EARLY.format(key=key) + f'<script async src="{server}/sdk.js"></script>',
        "blocked": BLOCKED + tag,
        "stranger": tag.replace(key, "sj_write_of_nobody"),
        "bare": "",
    }

    async def page(request: Request) -> Response:
        head = heads[request.path_params["kind"]]
        title = request.path_params["name"]
        return HTMLResponse(
            f'<!doctype html><link rel="icon" href="data:,"><title>{title}</title>{head}<h1>{title}</h1>'
        )

    return Starlette(routes=[Route("/{kind}/{name:path}", page)])


async def browse(app: App, *screenshot: str) -> dict[str, Any]:
    chromium = require_tool("chromium", "chromium-browser", "google-chrome")
    node = await require_node_packages()
    gate = Gate(create_app(app.runtime))
    async with serving(gate) as server, serving(shop(server, app.project.write_key)) as pages:
        port = str(urlsplit(pages).port)
        seen: dict[str, Any] = json.loads(await run(node, "sdk.mjs", port, server, chromium, *screenshot))
    assert gate.beacons > 0
    await app.worked_in()
    return seen


async def events(app: App) -> list[Any]:
    table = table_of(Event)
    async with app.runtime.db.read() as session:
        return list(await session.rows(select(table).order_by(table.c.occurred_at)))


async def sessions(app: App) -> dict[tuple[int, int], Any]:
    """By device and beginning."""
    table = table_of(VisitSession)
    async with app.runtime.db.read() as session:
        return {(row.device_number, row.started_at): row for row in await session.rows(select(table))}


def on(rows: list[Any], path: str) -> list[Any]:
    """The events of pages under this path, in the order in which they happened."""
    paths = (json.loads(row.context).get("page", {}).get("path", "") for row in rows)
    return [row for row, found in zip(rows, paths, strict=True) if found.endswith(path)]


def names(rows: list[Any]) -> list[str]:
    return [row.name or row.type for row in rows]


@pytest.mark.browser
@pytest.mark.anyio
async def test_what_people_do_on_a_shops_pages_arrives_once_whatever_happens(sqlite_url: str) -> None:
    async with open_app(sqlite_url) as app:
        seen = await browse(app)
        rows, visits = await events(app), await sessions(app)
    assert [seen[name]["errors"] for name in seen] == [[]] * len(seen)
    quiet = set(seen) - {"outage", "odd", "stranger"}
    assert {name: seen[name]["complaints"] for name in quiet} == {name: [] for name in quiet}
    check_a_visit(seen["visit"], rows)
    check_its_session(rows, visits)
    check_an_outage(seen["outage"], rows)
    check_consent(seen["consent"], rows)
    check_a_refusal(seen["refusal"], rows)
    check_leaving(seen["leaving"], rows)
    assert names(on(rows, "/flight")) == ["page", "On its way", "Meanwhile"]
    assert names(on(rows, "/twice")) == ["page"]
    assert names(on(rows, "/early")) == ["One", "Two", "Three"]
    assert names(on(rows, "/blocked")) == ["page", "Blocked"]
    assert seen["blocked"]["id"] == "string"
    check_what_is_odd(seen["odd"], rows)
    assert on(rows, "/key") == []
    assert len(seen["stranger"]["sent"]) == 1
    assert any("does not take this write key" in told for told in seen["stranger"]["complaints"])
    # Nothing asks for leave beforehand.
    assert {one.split()[0] for name in seen for one in seen[name]["sent"]} == {"POST"}


def check_a_visit(seen: dict[str, Any], rows: list[Any]) -> None:
    first, cart, mobile = on(rows, "/goods/7"), on(rows, "/cart"), on(rows, "/mobile")
    assert names(first) == ["page", "Added", "identify"]
    assert names(cart) == ["page", "Ordered"]
    assert names(mobile) == ["page"]
    assert len({row.user_number for row in [*first, *cart, *mobile]}) == 1
    assert seen["id"] == seen["other"] == seen["cookie"]
    assert seen["domain"] == ".shop.test"
    context = json.loads(first[0].context)
    assert context["page"]["referrer"].startswith("https://search.naver.com/")
    assert context["timezone"]
    assert "#" not in context["page"]["url"]
    # Within the document, the page before is the referrer.
    assert json.loads(cart[0].context)["page"]["referrer"] == context["page"]["url"]
    assert json.loads(cart[0].body)["title"] == "Cart"


def check_its_session(rows: list[Any], visits: dict[tuple[int, int], Any]) -> None:
    acts = [row for path in ("/goods/7", "/cart", "/mobile") for row in on(rows, path)]
    (place,) = {(row.device_number, row.session_at) for row in acts if row.type in ("page", "track")}
    visit = visits[place]
    assert (visit.source, visit.origin, visit.medium, visit.keyword) == ("search", "naver", "organic", "우산")
    assert (visit.device, visit.landing) == ("pc_web", "www.shop.test/plain/goods/7")


def check_an_outage(seen: dict[str, Any], rows: list[Any]) -> None:
    assert Counter(names(on(rows, "/outage"))) == {
        "page": 2,
        "Before 1": 1,
        "Before 2": 1,
        "Before 3": 1,
        "After": 1,
    }
    assert seen["waiting"] == 6
    assert len(seen["sent"]) >= 3


def check_consent(seen: dict[str, Any], rows: list[Any]) -> None:
    assert seen["before"] == {"kept": [], "cookies": [], "sent": 0}
    assert seen["after"] == {"kept": [], "cookies": [], "sent": 0}
    assert seen["first"] == seen["again"] != seen["last"]
    assert names(on(rows, "/consent")) == ["page", "Asked", "page"]


def check_a_refusal(seen: dict[str, Any], rows: list[Any]) -> None:
    assert names(on(rows, "/refusal")) == ["page"]
    assert on(rows, "/refused") == []
    assert (seen["kept"], seen["cookies"]) == (["sojourn.consent"], [])


def check_leaving(seen: dict[str, Any], rows: list[Any]) -> None:
    assert names(on(rows, "/leaving")) == ["page", "Left"]
    # Nobody knows whether a beacon arrives: the next page would send it once more.
    assert [name for name in seen["left"] if name.startswith("sojourn.event.")]


def check_what_is_odd(seen: dict[str, Any], rows: list[Any]) -> None:
    found = on(rows, "/odd")
    assert Counter(names(found)) == {"page": 1, "Halves": 1, "Fine": 1}
    halves = next(row for row in found if row.name == "Halves")
    assert json.loads(halves.body) == {"half": "\ufffd", "nul": "a\ufffdb", "written": "\\ufffd"}
    told = " ".join(seen["complaints"])
    for word in ("cannot be written as JSON", "is too large", "not taken"):
        assert word in told
