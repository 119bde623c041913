"""The first page tells the truth: its query is asked, and its answer is what comes back."""

import json
import re
from pathlib import Path

import pytest

from server.context import Context
from server.schema.root import SCHEMA
from server.store.projects import READ, Access
from tests.world import HOUR, MINUTE, NOON, World, abandoned_cart

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", README, re.DOTALL)
    assert found
    return found[1]


@pytest.mark.anyio
async def test_the_query_on_the_first_page_has_the_answer_on_the_first_page(sqlite_world: World) -> None:
    world = sqlite_world
    await world.add_connection()
    await world.add_journey(abandoned_cart(), title="Abandoned cart")
    await world.live(*(world.event("add_to_cart", NOON + n * MINUTE, user=f"user {n}") for n in range(4)))
    await world.live(
        world.event("purchase", NOON + 10 * MINUTE, user="user 1"), until=NOON + HOUR + 2 * MINUTE
    )
    context = Context(world.db, world.clock, Access(world.project_id, frozenset({READ})), world.shards)
    answer = await SCHEMA.execute(block("graphql"), context_value=context)
    assert answer.errors is None
    assert answer.data == json.loads(block("json"))


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "CHANGELOG.md",
        *sorted(p.relative_to(ROOT).as_posix() for p in (ROOT / "docs").rglob("*.md")),
    ],
)
def test_what_a_page_links_to_exists(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in target]
    assert [target for target in targets if not ((ROOT / page).parent / target).exists()] == []


def test_every_script_is_in_the_list_of_scripts() -> None:
    listed = set(
        re.findall(
            r"^\| `([a-z-]+)` \|", (ROOT / "scripts/README.md").read_text(encoding="utf-8"), re.MULTILINE
        )
    )
    assert listed == {path.name for path in (ROOT / "scripts").iterdir() if path.name != "README.md"}
