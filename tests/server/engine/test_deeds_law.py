"""Laws of deeds, whoever turns out to be whom and however late it is told."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from server.aggregates import recount
from server.aggregates.deed_sets import Of
from server.aggregates.deed_sets import read as read_deeds
from server.store.tables import DeedSet, Event, Inbox, Quarantine, User
from tests.world import DAY, HOUR, MINUTE, World, abandoned_cart

from .divided import divided_world, without_complaint

LAW = settings(
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    print_blob=False,
    max_examples=12,
)


class Does(NamedTuple):
    """Somebody does something, some time after what happened before; it may reach us late."""

    who: tuple[str | None, str | None]
    what: str
    after: int
    late: int = 0
    came_by: str = ""


WHO = st.sampled_from(
    [("kim", None), ("lee", None), (None, "phone"), (None, "pc"), (None, "phone"), ("kim", "phone"),
     ("lee", "phone"), ("kim", "pc")]
)  # fmt: skip
WHAT = st.sampled_from(["page", "page", "page", "add_to_cart", "order", "refund", "identify", "alias"])
AFTER = st.sampled_from([0, MINUTE, 29 * MINUTE, 30 * MINUTE, 4 * HOUR, DAY])
anything = st.builds(
    Does, WHO, WHAT, AFTER, st.sampled_from([0, 0, 0, 20 * MINUTE, 5 * HOUR]), st.sampled_from(["", "", "ad"])
)
in_order = anything.map(lambda one: one._replace(late=0))


def event(world: World, does: Does, at: int) -> Any:
    user, anonymous = does.who
    context = {"campaign": {"source": "naver", "medium": "cpc", "name": "spring"}} if does.came_by else {}
    told: dict[str, Any] = {"user": user, "anonymous": anonymous, "context": context}
    if does.what == "page":
        return world.event("Home", at, type="page", **told)
    if does.what == "identify":
        return world.event("", at, type="identify", **told)
    if does.what == "alias":
        return world.event("", at, type="alias", previous="pc", **{**told, "user": user or "kim"})
    if does.what == "order":
        return world.event("Order Completed", at, order_id=f"{at}", total=10, currency="KRW", **told)
    if does.what == "refund":
        return world.event("Order Refunded", at, order_id=f"{at - MINUTE}", total=3, currency="KRW", **told)
    return world.event(does.what, at, **told)


def play(
    did: list[Does], then: Callable[[World], Awaitable[Any]], *, divided: int, at_once: bool = False
) -> Any:
    async def all_of_it() -> Any:
        async with divided_world(divided) as world:
            await world.add_connection()
            await world.add_journey(abandoned_cart())
            at = world.clock.now()
            events = []
            for one in did:
                at += one.after
                events.append(event(world, one, at - one.late)._replace(received_at=at))
            if at_once:
                await world.live(*events)
            else:
                for told in events:
                    await world.live(told)
            return await then(world)

    with without_complaint():
        return asyncio.run(all_of_it())


async def agrees(world: World) -> None:
    assert await world.rows(Inbox) == []
    assert await world.rows(Quarantine) == []
    async with world.db.read() as session:
        assert await recount.differences(session) == []
    await every_event_counts_once_for_who_did_it_in_the_end(world)


async def every_event_counts_once_for_who_did_it_in_the_end(world: World) -> None:
    """Said without any of what counts or recounts."""
    became = {(row.shard, row.number): row.merged_into for row in await world.rows(User)}

    def in_the_end(who: tuple[int, int]) -> tuple[int, int]:
        while into := became[who]:
            home, number = into.split(":")
            who = (int(home), int(number))
        return who

    owners: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for row in await world.rows(Event):
        names = {row.name, "$page"} if row.type == "page" else {row.name} - {""}
        for name in names:
            owners[name].append(in_the_end((row.shard, row.user_number)))
    told = {
        of.value: found for (of, span), found in (await figures(world)).items() if is_did(of) and not span
    }
    assert told == {name: (len(set(who)), len(who)) for name, who in owners.items()}


def is_did(of: Of) -> bool:
    return (of.unit, of.dimension) == ("user", "did")


async def figures(world: World) -> dict[Any, tuple[int, int]]:
    """How many and how much, of every deed and span, over all shards."""
    rows = await world.rows(DeedSet)
    wanted = sorted({Of(row.unit, row.dimension, row.value) for row in rows if row.dimension != "masked"})
    spans = sorted({row.span for row in rows})
    found: dict[Any, tuple[int, int]] = {}
    async with world.db.read() as session:
        read = await read_deeds(session, world.project_id, world.shards, wanted, spans)
    for (_, of, span), held in read.items():
        users, sums = found.get((of, span), (0, 0))
        more = int(held.amounts.sum()) if held.amounts is not None else 0
        found[of, span] = (users + len(held.users), sums + more)
    return {key: value for key, value in found.items() if value != (0, 0)}


PHONE = (None, "phone")
LOGIN = [
    Does(("kim", None), "identify", 0),
    Does(PHONE, "page", MINUTE, came_by="ad"),
    Does(PHONE, "add_to_cart", 0),
    Does(PHONE, "order", MINUTE),
    Does(("kim", "phone"), "identify", MINUTE),
    Does(("kim", "phone"), "page", MINUTE),
    Does(("kim", "phone"), "refund", 0),
]


@example(LOGIN, 1, True)
@example(LOGIN, 4, True)
@settings(LAW, max_examples=14)
@given(st.lists(anything, max_size=16), st.sampled_from([1, 4]), st.booleans())
def test_deeds_are_what_the_facts_say(did: list[Does], divided: int, at_once: bool) -> None:
    play(did, agrees, divided=divided, at_once=at_once)


@example(LOGIN)
@settings(LAW, max_examples=6)
@given(st.lists(in_order, max_size=14))
def test_one_shard_and_four_tell_the_same_of_people(did: list[Does]) -> None:
    assert play(did, figures, divided=1) == play(did, figures, divided=4)
