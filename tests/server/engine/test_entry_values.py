"""What an audience brings along into a run: the line of an uploaded list, the coupon that ends first."""

from io import StringIO
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.journey.audience import Facts, Person
from server.journey.audience.coupons import COUPON, GIVEN, Act, HasCoupon, HasFreshCoupon, told
from server.journey.moment import Past
from server.lists import audience
from tests.world import DAY, HOUR, NOON, World, line, step

pytestmark = pytest.mark.anyio
SEOUL = "Asia/Seoul"


def letters(**entry: Any) -> dict[str, Any]:
    return line(step("in", "entry_audience", **entry), step("out", "exit"))


def every_morning(**more: Any) -> dict[str, Any]:
    return letters(when={"kind": "every_days", "every": 1, "start": "2024-03-02", "at": "09:00"}, **more)


async def brought(world: World, name: str) -> list[Any]:
    runs = sorted(await world.runs(), key=lambda run: (run.entered_at, run.id))
    return [orjson.loads(run.properties).get(name) for run in runs]


async def issue(world: World, user: str, code: str, **more: Any) -> None:
    await world.live(world.event("Coupon Issued", NOON, user=user, code=code, **more))


async def test_a_list_puts_its_lines_into_the_runs(world: World) -> None:
    tell = world.event
    await world.live(*(tell("", NOON, user=one, type="identify", n=1) for one in ("kim", "lee")))
    text = "user_id,#{이름},Amount\nkim,김철수,12000\nlee,이영희,\n"
    wish = audience.Wish("march")
    await audience.take_in(world.db, StringIO(text), world.project_id, world.shards, wish, NOON)
    await world.settle()
    await world.add_journey(letters(list="march"))
    await world.settle()
    rows = sorted(await brought(world, "row"), key=str)
    assert rows == [{"Amount": "12000", "이름": "김철수"}, {"이름": "이영희"}]


async def test_the_coupon_that_ends_first_comes_along_and_each_only_once(world: World) -> None:
    await issue(world, "kim", "B", name="장바구니 20%", expires_at="2024-03-15")
    await issue(world, "kim", "A", name="장바구니 20%", expires_at="2024-03-16")
    await issue(world, "kim", "C", name="봄", expires_at="2024-03-15")
    await issue(world, "lee", "D", name="장바구니 20%", expires_at="2024-05-02")
    await issue(world, "park", "E", name="장바구니 20%", expires_at="2024-03-15")
    await world.live(world.event("Coupon Used", NOON + 1, user="park", code="E"))
    await world.add_journey(
        every_morning(coupon={"coupons": ["장바구니 20%"], "expires_within_days": 3}, members=True)
    )
    for day in range(1, 5):
        await world.settle(NOON + day * DAY)
    coupons = await brought(world, "coupon")
    assert [one["code"] for one in coupons] == ["B", "A"]
    assert coupons[0] == {
        "code": "B",
        "name": "장바구니 20%",
        "expires_at": "2024-03-15T23:59:59+09:00",
        "last_day": "2024-03-15",
        "issued_at": "2024-03-13T20:00:00+09:00",
    }


async def test_a_coupon_that_another_name_of_the_person_brought_is_not_brought_again(world: World) -> None:
    await world.live(
        world.event("Coupon Issued", NOON, anonymous="phone", code="A", name="봄", expires_at="2024-03-20")
    )
    await world.add_journey(every_morning(coupon={}))
    await world.settle(NOON + DAY)
    assert len(await world.runs()) == 1
    await world.live(world.event("", NOON + DAY, user="kim", type="identify", n=1))
    await world.live(world.event("view", NOON + DAY + 1, user="kim", anonymous="phone"))
    await world.settle(NOON + 2 * DAY)
    await world.settle(NOON + 3 * DAY)
    assert len(await world.runs()) == 1


async def test_members_are_those_with_a_user_id(world: World) -> None:
    await world.live(world.event("", NOON, user="kim", type="identify", n=1))
    await world.live(world.event("view", NOON, anonymous="phone"))
    await world.add_journey(letters(members=True))
    await world.settle()
    assert len(await world.runs()) == 1


moments = st.integers(0, 20).map(lambda hours: NOON + (hours - 5) * HOUR)
coupons = st.dictionaries(
    st.sampled_from("ABCDEF"),
    st.fixed_dictionaries({"expires_at": st.none() | moments, "used_at": st.none() | moments}),
)


def _past(code: str, one: dict[str, Any]) -> Past:
    expiry = None if one["expires_at"] is None else NOON - DAY
    nothing = {"expired_at": None, "name": "", "issued_at": NOON - DAY, "expiry_at": expiry}
    return Past(0, {"code": code, **nothing, **one})


@settings(max_examples=60, deadline=None)
@given(coupons)
def test_asked_again_and_again_every_usable_coupon_comes_once_in_the_order_in_which_they_end(
    known: dict[str, dict[str, Any]],
) -> None:
    given: list[Past] = []
    facts = {COUPON: [_past(code, one) for code, one in known.items()], Facts(GIVEN, journey=7): given}
    person = Person(NOON, {}, lambda wanted: facts.get(wanted, []), zone=SEOUL)
    question = HasFreshCoupon(HasCoupon(Act.USABLE), 7)
    codes = []
    while (found := question.first(person)) is not None:
        assert question.holds(person)
        codes.append(found.code)
        given.append(Past(NOON, {"code": told(found, SEOUL)["code"]}))
        assert len(codes) <= len(known)
    usable = {
        code: one
        for code, one in known.items()
        if (one["expires_at"] is None or one["expires_at"] > NOON)
        and (one["used_at"] is None or one["used_at"] > NOON)
    }
    assert codes == sorted(
        usable, key=lambda code: (usable[code]["expires_at"] is None, usable[code]["expires_at"] or 0, code)
    )
