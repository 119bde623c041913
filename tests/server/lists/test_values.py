"""Lists whose lines say more than whom they name: Kakao's variables, kept with who is on the list."""

from collections.abc import AsyncIterator

import orjson
import pytest

from server.errors import BadInput
from server.lists.values import Columns, read_columns
from server.store.tables import Endpoint, Identity, ListMember, User
from tests.server.engine.divided import divided_world, without_complaint
from tests.world import DAY, NOON, World

from .test_audience import on, people, upload

pytestmark = pytest.mark.anyio


@pytest.fixture
async def four_shards() -> AsyncIterator[World]:
    with without_complaint():
        async with divided_world(4) as world:
            yield world


async def lines(world: World) -> list[dict[str, str]]:
    rows = [orjson.loads(row.line or "{}") for row in await world.rows(ListMember)]
    return sorted(rows, key=str)


async def test_the_other_cells_are_kept_and_what_is_wrong_with_a_line_is_told(world: World) -> None:
    await people(world)
    text = [
        "phone,user_id,#{이름},금액,Memo",
        "010-1234-5678,,김철수,12000,a",
        ",lee,이영희,,",
        ",park,,5000,",
        f",park,박민수,{'9' * 1001},",
        "01012345678,,김철수,12000,a",
        ",김철수,김영수,12000,a",
        "01099999999,,최,1,",
        ",nobody,최,1,",
    ]
    found = await upload(world, "\n".join(text))
    taken = found.taken
    assert (taken.changed, taken.known, taken.refused, found.created) == (2, 1, 5, 0)
    assert [one.partition(": ")[0] for one in taken.problems if "empty" in one] == ["line 4"]
    assert any("longer than 1000" in one for one in taken.problems)
    assert any("line 7: line 2 names the same person with other values" in one for one in taken.problems)
    assert await lines(world) == [
        {"Memo": "a", "금액": "12000", "이름": "김철수"},
        {"이름": "이영희"},
    ]


async def test_of_two_files_the_later_line_holds_and_one_that_says_nothing_holds_against_none(
    world: World,
) -> None:
    await people(world)
    await upload(world, "user_id,이름\nlee,이전", at=NOON)
    await upload(world, "user_id,이름\nlee,나중", at=NOON + 1)
    await upload(world, "user_id\nlee", at=NOON + 2)
    assert await lines(world) == [{"이름": "나중"}]
    await upload(world, "user_id,이름\nlee,새로", at=NOON + 3, replaces=True)
    assert await lines(world) == [{"이름": "새로"}]


async def test_a_merge_takes_the_line_along(four_shards: World) -> None:
    world = four_shards
    await world.live(world.event("", NOON, user="kim", type="identify", name="Kim"))
    await world.live(world.event("view", NOON, anonymous="phone"))
    await upload(world, "anonymous_id,이름\nphone,손님")
    await world.live(world.event("view", NOON + 1, user="kim", anonymous="phone"))
    assert (await on(world), await lines(world)) == (["kim"], [{"이름": "손님"}])


async def test_a_number_that_nobody_has_makes_a_user_if_asked_for(four_shards: World) -> None:
    world = four_shards
    await people(world)
    text = "phone,#{이름}\n010-2222-0001,가\n010-2222-0002,나\n01022220001,가\n전화,다\n010-1234-5678,라"
    found = await upload(world, text, creates_users=True)
    assert (found.taken.changed, found.taken.known, found.taken.refused, found.created) == (3, 1, 1, 2)
    again = await upload(world, text, at=NOON + DAY, creates_users=True)
    assert (again.created, len(await world.rows(ListMember))) == (0, 3)
    identities = {row.value for row in await world.rows(Identity) if row.kind == "anonymous_id"}
    # Whoever could name them might say to be those people.
    assert len({one for one in identities if one.startswith("contact-")}) == 2
    assert not [one for one in identities if "8210" in one]
    addresses = {row.address for row in await world.rows(Endpoint) if row.channel == "sms"}
    assert addresses == {"+821012345678", "+821022220001", "+821022220002"}
    assert len(await world.rows(User)) == 6


def test_columns_may_be_written_as_variables_and_have_to_be_different() -> None:
    people = ("user_id", "phone")
    found = read_columns(["Phone", "#{이름}", "금액", ""], people, ["금액"])
    assert found == Columns(("이름", "금액"), frozenset({"이름", "금액"}))
    for heading, wrong in ((["#{이름}", "이름"], "several"), (["a"], "no column b")):
        with pytest.raises(BadInput, match=wrong):
            read_columns(heading, people, ["b"] if wrong.startswith("no") else ())
    with pytest.raises(BadInput, match="at most 50"):
        read_columns([f"c{n}" for n in range(51)], people)
