"""GraphQL over HTTP by somebody else's measure."""

import pytest
import strawberry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from server.errors import Refused
from server.routes.graphql import GraphQLEndpoint, Options
from tests.node.audit import audit
from tests.tools import serving


@strawberry.type
class Query:
    @strawberry.field
    def hello(self, id: strawberry.ID | None = None) -> str:
        return "hello"


@strawberry.type
class Mutation:
    @strawberry.mutation
    def touch(self) -> bool:
        return True


async def context_for(request: Request) -> None:
    if request.headers.get("authorization") != "Bearer key":
        raise Refused("Send the key.")


@pytest.mark.node
@pytest.mark.anyio
async def test_all_audits_are_ok() -> None:
    options = Options(introspection=True, get_queries=True)
    endpoint = GraphQLEndpoint(strawberry.Schema(Query, Mutation), context_for, options)
    async with serving(Starlette(routes=[Route("/graphql", endpoint)])) as address:
        results = await audit(f"{address}/graphql", {"Authorization": "Bearer key"})
    assert [result for result in results if result["status"] != "ok"] == []
    assert len(results) == 61
