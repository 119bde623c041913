"""`sojourn project properties`, as an operator types it."""

import pytest

from tests.test_cli_retention import sojourn
from tests.world import World

pytestmark = pytest.mark.anyio


async def test_an_operator_says_by_which_properties_people_are_counted(sqlite_world: World) -> None:
    about = ("project", "properties")
    assert await sojourn(sqlite_world, *about) == ""
    count = ("--count", "Product Viewed", "category", "--count", "Product Viewed", "색상")
    assert await sojourn(sqlite_world, *about, *count) == "Product Viewed: category\nProduct Viewed: 색상\n"
    left = await sojourn(sqlite_world, *about, "--drop", "Product Viewed", "category")
    assert left == "Product Viewed: 색상\n" == await sojourn(sqlite_world, *about)
    many = [word for n in range(50) for word in ("--count", "view", str(n))]
    assert "At most 50" in await sojourn(sqlite_world, *about, *many, fails=True)
