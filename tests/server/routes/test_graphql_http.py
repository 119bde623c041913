"""GraphQL over HTTP: who gets which answer, and what never leaves the house."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from datetime import datetime
from enum import Enum
from typing import Any

import httpx
import pytest
import strawberry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route
from structlog.testing import capture_logs

from server.errors import BadInput, NotFound, Refused
from server.patience import ask_for
from server.routes.graphql import LEGACY, NEW, GraphQLEndpoint, Options
from server.schema.limits import Limits

SECRET = "postgresql://app:hunter2@db/prod"


@strawberry.enum
class Colour(Enum):
    GREEN = "green"


@strawberry.type
class Thing:
    id: strawberry.ID
    number: int


@strawberry.type
class Query:
    @strawberry.field
    def hello(self, name: str | None = "you") -> str:
        return f"hello {name}"

    @strawberry.field
    def things(self, first: int = 2) -> list[Thing]:
        return [Thing(id=strawberry.ID(str(n)), number=n) for n in range(first)]

    @strawberry.field
    def thing(self, id: strawberry.ID) -> Thing | None:
        raise NotFound("There is no thing of this id.", code="THING_NOT_FOUND")

    @strawberry.field
    def since(self, at: datetime, colour: Colour | None = None) -> str:
        return at.isoformat()

    @strawberry.field
    def boom(self) -> str | None:
        raise RuntimeError(f"cannot connect to {SECRET}")

    @strawberry.field
    def too_big(self) -> int | None:
        return 2**40

    @strawberry.field
    async def slow(self, info: strawberry.Info) -> str | None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            info.context["cancelled"] = True
            raise
        return None

    @strawberry.field
    async def patient(self) -> str:
        ask_for(60)
        await asyncio.sleep(0.05)
        return "done"

    @strawberry.field
    def late(self) -> str | None:
        raise TimeoutError("the provider was slow")

    @strawberry.field
    def whoami(self, info: strawberry.Info) -> str:
        return str(info.context["key"])


@strawberry.type
class Mutation:
    @strawberry.mutation
    def rename(self, info: strawberry.Info, name: str) -> str:
        info.context["renamed"] = name
        return name


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def ticks(self) -> AsyncIterator[int]:
        yield 1


SCHEMA = strawberry.Schema(Query, Mutation, Subscription)


class Door:
    """The endpoint of one test, and the last context it made."""

    def __init__(self, options: Options | None = None) -> None:
        self.context: dict[str, Any] = {}
        endpoint = GraphQLEndpoint(SCHEMA, self.context_for, options)
        app = Starlette(routes=[Route("/graphql", endpoint)])
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sojourn.test")

    async def context_for(self, request: Request) -> dict[str, Any]:
        key = request.headers.get("authorization", "Bearer good").removeprefix("Bearer ")
        if key == "bad":
            raise Refused("This key is not known.")
        if key == "odd":
            raise BadInput("The project header is not an id.")
        if key == "broken":
            raise RuntimeError(SECRET)
        self.context = {"key": key}
        return self.context

    async def post(self, query: object, accept: str = NEW, **rest: object) -> httpx.Response:
        body = {"query": query, **rest}
        return await self.client.post("/graphql", json=body, headers={"Accept": accept})

    async def raw(self, content: bytes, **headers: str) -> httpx.Response:
        headers = {"content-type": "application/json", "accept": NEW, **headers}
        return await self.client.post("/graphql", content=content, headers=headers)


def code(response: httpx.Response) -> str:
    (error,) = response.json()["errors"]
    return str(error["extensions"]["code"])


@pytest.mark.anyio
async def test_an_answer_has_data_and_tells_its_cost() -> None:
    response = await Door().post("{ things(first: 2) { number } }")
    assert response.status_code == 200
    assert response.json() == {
        "data": {"things": [{"number": 0}, {"number": 1}]},
        "extensions": {"cost": {"requested": 3, "limit": 5000}},
    }
    assert response.headers["content-type"] == f"{NEW}; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        (NEW, NEW),
        (LEGACY, LEGACY),
        ("*/*", LEGACY),
        ("application/*", LEGACY),
        (f"{LEGACY}, {NEW}", NEW),
        (f"{NEW};q=0.5, {LEGACY}", LEGACY),
        (f"{NEW}; charset=utf-8, {LEGACY};q=0.9", NEW),
        (f"{LEGACY};q=broken, {NEW}", NEW),
    ],
)
async def test_the_client_chooses_the_media_type(accept: str, answered: str) -> None:
    response = await Door().post("{ hello }", accept)
    assert response.headers["content-type"] == f"{answered}; charset=utf-8"


@pytest.mark.anyio
async def test_a_client_that_takes_neither_type_is_told_which_there_are() -> None:
    response = await Door().post("{ hello }", "image/png")
    assert (response.status_code, code(response)) == (406, "NOT_ACCEPTABLE")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("{ hello", "GRAPHQL_PARSE_FAILED"),
        ("{ hallo }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ __schema { types { name } } }", "INTROSPECTION_DISABLED"),
        ("{ things(first: 101) { id } }", "BAD_USER_INPUT"),
        ("query($id: ID!) { thing(id: $id) { id } }", "BAD_USER_INPUT"),
        ("query A { hello } query B { hello }", "OPERATION_RESOLUTION_FAILURE"),
    ],
)
async def test_what_cannot_run_is_400_without_data_and_200_for_legacy_clients(
    query: str, expected: str
) -> None:
    door = Door()
    for accept, status in ((NEW, 400), (LEGACY, 200)):
        response = await door.post(query, accept)
        assert (response.status_code, code(response)) == (status, expected)
        assert "data" not in response.json()


@pytest.mark.anyio
@pytest.mark.parametrize(
    "body",
    [
        {"query": None},
        {"query": 5},
        {},
        {"query": "{hello}", "operationName": 5},
        {"query": "{hello}", "variables": []},
        {"query": "{hello}", "variables": "{}"},
        {"query": "{hello}", "variables": 0},
        {"query": "{hello}", "extensions": "x"},
        {"query": "{hello}", "extensions": ""},
        "{hello}",
        None,
    ],
)
async def test_parameters_of_a_wrong_type_are_400_for_everyone(body: object) -> None:
    door = Door()
    for accept in (NEW, LEGACY):
        response = await door.raw(json.dumps(body).encode(), accept=accept)
        assert (response.status_code, code(response)) == (400, "BAD_REQUEST")


@pytest.mark.anyio
@pytest.mark.parametrize("count", [0, 2, 10])
async def test_batches_are_refused(count: int) -> None:
    response = await Door().raw(json.dumps([{"query": "{hello}"}] * count).encode(), accept=LEGACY)
    assert (response.status_code, code(response)) == (400, "BATCHING_DISABLED")


@pytest.mark.anyio
@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
        "application/json; charset=latin1",
    ],
)
async def test_other_content_types_are_415(content_type: str) -> None:
    response = await Door().raw(b'{"query":"{hello}"}', **{"content-type": content_type})
    assert (response.status_code, code(response)) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.anyio
async def test_a_compressed_body_is_read() -> None:
    response = await Door().raw(gzip.compress(b'{"query":"{hello}"}'), **{"content-encoding": "gzip"})
    assert response.json()["data"] == {"hello": "hello you"}


@pytest.mark.anyio
async def test_a_large_body_is_413() -> None:
    response = await Door().raw(b'{"query":"#' + b" " * 100_000 + b'"}')
    assert (response.status_code, code(response)) == (413, "BODY_TOO_LARGE")


@pytest.mark.anyio
async def test_queries_by_get_are_off_unless_asked_for() -> None:
    response = await Door().client.get("/graphql", params={"query": "{hello}"})
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    params = {"query": "query($n: String) { hello(name: $n) }", "variables": '{"n": "Kim"}'}
    response = await Door(Options(get_queries=True)).client.get("/graphql", params=params)
    assert response.json()["data"] == {"hello": "hello Kim"}


@pytest.mark.anyio
async def test_a_mutation_by_get_is_405_and_does_not_run() -> None:
    door = Door(Options(get_queries=True))
    response = await door.client.get("/graphql", params={"query": 'mutation { rename(name: "x") }'})
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert door.context == {"key": "good"}


@pytest.mark.anyio
@pytest.mark.parametrize("variables", ["[", "[1]", "7"])
async def test_variables_in_the_address_must_be_an_object_too(variables: str) -> None:
    door = Door(Options(get_queries=True))
    response = await door.client.get("/graphql", params={"query": "{hello}", "variables": variables})
    assert response.status_code == 400


@pytest.mark.anyio
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_other_methods_are_405(method: str) -> None:
    response = await Door().client.request(method, "/graphql")
    assert (response.status_code, response.headers["allow"]) == (405, "POST")


@pytest.mark.anyio
async def test_a_caller_without_a_key_is_told_how_to_send_one() -> None:
    door = Door()
    response = await door.client.post("/graphql", content=b"[[[", headers={"Authorization": "Bearer bad"})
    assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")
    assert code(response) == "REFUSED"


@pytest.mark.anyio
async def test_other_refusals_of_the_context_keep_their_code() -> None:
    response = await Door().client.post("/graphql", json={}, headers={"Authorization": "Bearer odd"})
    assert (response.status_code, code(response)) == (400, "BAD_USER_INPUT")


@pytest.mark.anyio
async def test_a_broken_context_is_a_masked_500() -> None:
    with capture_logs():
        response = await Door().client.post("/graphql", json={}, headers={"Authorization": "Bearer broken"})
    assert (response.status_code, code(response)) == (500, "INTERNAL_ERROR")
    assert "hunter2" not in response.text


@pytest.mark.anyio
async def test_expected_errors_keep_their_message_and_code() -> None:
    with capture_logs() as logs:
        response = await Door().post('{ thing(id: "7") { id } hello }')
    assert response.status_code == 200
    assert response.json()["data"] == {"thing": None, "hello": "hello you"}
    assert response.json()["errors"] == [
        {
            "message": "There is no thing of this id.",
            "locations": [{"line": 1, "column": 3}],
            "path": ["thing"],
            "extensions": {"code": "THING_NOT_FOUND"},
        }
    ]
    assert logs == []


@pytest.mark.anyio
async def test_unexpected_errors_are_masked_and_their_id_is_in_the_log() -> None:
    with capture_logs() as logs:
        response = await Door().post("query Dashboard { boom }")
    assert response.status_code == 200
    assert "hunter2" not in response.text
    (error,) = response.json()["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["boom"], "INTERNAL_ERROR")
    (entry,) = logs
    assert entry["error_id"] == error["extensions"]["id"]
    assert (entry["operation"], entry["path"]) == ("Dashboard", ["boom"])
    assert SECRET in str(entry["exc_info"])


@pytest.mark.anyio
async def test_values_that_the_schema_cannot_express_are_masked_as_well() -> None:
    with capture_logs() as logs:
        response = await Door().post("{ tooBig }")
    assert (code(response), len(logs)) == ("INTERNAL_ERROR", 1)
    assert str(2**40) not in response.text


@pytest.mark.anyio
async def test_a_slow_operation_is_stopped() -> None:
    door = Door(Options(timeout_seconds=0.02))
    response = await door.post("{ slow }")
    assert (response.status_code, code(response)) == (503, "QUERY_TIMEOUT")
    assert door.context["cancelled"]


@pytest.mark.anyio
async def test_what_is_known_to_take_long_gets_its_time() -> None:
    response = await Door(Options(timeout_seconds=0.02)).post("{ patient }")
    assert response.json()["data"] == {"patient": "done"}


@pytest.mark.anyio
async def test_a_timeout_inside_a_resolver_is_an_error_like_any_other() -> None:
    with capture_logs():
        response = await Door().post("{ late }")
    assert (response.status_code, code(response)) == (200, "INTERNAL_ERROR")


@pytest.mark.anyio
async def test_introspection_can_depend_on_who_asks() -> None:
    door = Door(Options(introspection=lambda context: context["key"] == "admin"))
    question = {"query": '{ __type(name: "Thing") { name } }'}
    for key, allowed in (("good", False), ("admin", True), ("good", False)):
        response = await door.client.post(
            "/graphql", json=question, headers={"Authorization": f"Bearer {key}"}
        )
        assert ("data" in response.json()) is allowed


@pytest.mark.anyio
async def test_names_are_suggested_in_development_only() -> None:
    picking = 'query($c: Colour) { since(at: "2026-01-01", colour: $c) }'
    for development in (False, True):
        door = Door(Options(development=development))
        for response in (await door.post("{ helo }"), await door.post(picking, variables={"c": "GREN"})):
            assert response.status_code == 400
            assert ("Did you mean" in response.text) is development


@pytest.mark.anyio
async def test_a_value_that_a_scalar_refuses_is_the_callers_mistake() -> None:
    with capture_logs() as logs:
        response = await Door().post("query($at: DateTime!) { since(at: $at) }", variables={"at": "soon"})
    assert (response.status_code, code(response), logs) == (400, "BAD_USER_INPUT", [])
    assert "$at" in response.json()["errors"][0]["message"]


@pytest.mark.anyio
async def test_a_null_where_the_schema_takes_none_is_the_callers_mistake() -> None:
    with capture_logs() as logs:
        response = await Door().post("query($n: Int) { things(first: $n) { id } }", variables={"n": None})
    assert (code(response), logs) == ("BAD_USER_INPUT", [])


@pytest.mark.anyio
async def test_subscriptions_are_for_the_socket() -> None:
    response = await Door().post("subscription { ticks }")
    assert (response.status_code, code(response)) == (400, "SUBSCRIPTIONS_NOT_HERE")


@pytest.mark.anyio
async def test_too_costly_a_query_is_told_its_cost() -> None:
    query = "query($n: Int!) { things(first: $n) { id number } }"
    door = Door(Options(limits=Limits(cost=100)))
    response = await door.post(query, variables={"n": 60})
    assert (response.status_code, code(response)) == (400, "QUERY_TOO_COSTLY")
    assert response.json()["extensions"] == {"cost": {"requested": 121, "limit": 100}}


@pytest.mark.anyio
async def test_the_page_is_for_browsers_only() -> None:
    door = Door(Options(page="<p>ide", page_headers={"Content-Security-Policy": "default-src 'none'"}))
    browser = "text/html,application/xhtml+xml,*/*;q=0.8"
    response = await door.client.get("/graphql", headers={"Accept": browser})
    assert (response.status_code, response.text) == (200, "<p>ide")
    assert response.headers["content-security-policy"] == "default-src 'none'"
    assert (await door.client.get("/graphql", headers={"Accept": "*/*"})).status_code == 405
    assert (await Door().client.get("/graphql", headers={"Accept": "text/html"})).status_code in (405, 406)
