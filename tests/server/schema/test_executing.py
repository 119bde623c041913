"""Plain fields that are read at once come to the same as graphql-core makes of them."""

import asyncio
from enum import Enum
from typing import Any

import pytest
import strawberry
from graphql import ExecutionResult, execute, parse
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext as Usual

from server.schema.executing import Executor
from server.schema.root import SCHEMA
from tests.server.schema.api import Api
from tests.server.schema.test_stats import lived, stats

pytestmark = pytest.mark.anyio


@strawberry.enum
class Colour(Enum):
    RED = "red"


@strawberry.interface
class Named:
    name: str


@strawberry.type
class Leaf(Named):
    number: int
    maybe: int | None
    colour: Colour = Colour.RED

    @strawberry.field
    def doubled(self) -> int:
        return self.number * 2

    @strawberry.field
    def fails(self) -> int | None:
        raise ValueError(f"{self.name} cannot")

    @strawberry.field
    def must(self) -> int:
        raise ValueError(f"{self.name} must not")

    @strawberry.field
    def times(self, by: int = 3) -> int:
        return self.number * by

    @strawberry.field
    async def later(self) -> int:
        await asyncio.sleep(0)
        return self.number

    @strawberry.field
    async def never(self) -> int:
        await asyncio.sleep(0)
        raise ValueError(f"{self.name} never")


@strawberry.type
class Branch:
    leaf: Leaf
    named: Named
    leaves: list[Leaf]
    some: list[Leaf | None]
    missing: Leaf | None = None

    @strawberry.field
    def nothing(self) -> Leaf | None:
        return None

    @strawberry.field
    def words(self) -> list[str]:
        return ["a", "b"]


def a_leaf(name: str, number: Any = 1) -> Leaf:
    return Leaf(name=name, number=number, maybe=None)


@strawberry.type
class Root:
    @strawberry.field
    def branch(self) -> Branch | None:
        leaf, broken = a_leaf("first"), a_leaf("broken", "no number")
        return Branch(leaf=leaf, named=leaf, leaves=[leaf, a_leaf("second", 2)], some=[leaf, None, broken])


MORE = "fragment more on Leaf { number doubled @skip(if: true) colour @include(if: true) maybe }"
TREE = strawberry.Schema(Root, types=[Leaf], execution_context_class=Executor)


def told(result: ExecutionResult) -> tuple[Any, list[Any]]:
    errors = sorted((error.formatted for error in result.errors or ()), key=str)
    return result.data, [{**error, "locations": None} for error in errors]


async def both(schema: strawberry.Schema, text: str) -> list[Any]:
    found = []
    for kind in (Executor, Usual):
        result: Any = execute(
            schema._schema, parse(text), executor_class=kind, hide_suggestions=True, root_value=Root()
        )
        found.append(told(result if isinstance(result, ExecutionResult) else await result))
    return found


@pytest.mark.parametrize(
    "selection",
    [
        "leaf { name number maybe colour doubled __typename }",
        "leaves { n: name ...more }",
        "named { __typename name ... on Leaf { number doubled } } words missing { name } nothing { name }",
        "leaf { fails name } leaves { fails number }",
        "leaf { must }",
        "leaves { must name }",
        "some { name number }",
        "some { must }",
        "leaf { times other: times(by: 5) later } leaves { later doubled }",
        "leaf { never } leaves { later }",
        "leaves { never later must }",
        "some { later }",
    ],
)
async def test_answers_and_errors_are_those_of_graphql_core(selection: str) -> None:
    ours, usual = await both(TREE, f"{{ branch {{ {selection} }} }} {MORE}")
    assert ours == usual


async def test_figures_are_those_of_graphql_core(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    journey_id = await lived(api)
    ours = await stats(api, journey_id)
    monkeypatch.setattr(SCHEMA, "execution_context_class", Usual)
    assert await stats(api, journey_id) == ours
    assert SCHEMA.execution_context_class is Usual
