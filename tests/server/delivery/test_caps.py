"""No more messages on a channel to one person than a project has said, whoever sends them."""

import asyncio
from typing import Any

import pytest

from channels import Reason, Rejected, Unknown
from channels.contract import OnUnknown
from channels.testing.script import Script
from server.delivery.claims import claim
from server.delivery.quiet import Quiet
from server.delivery.status import SkipReason
from server.store import caps
from server.store.caps import Limit
from server.store.tables import Message
from tests.server.delivery.office import open_office, sign_up, welcome
from tests.world import DAY, HOUR, NOON, World, line, reaching, saying, statements, step

pytestmark = pytest.mark.anyio
KIM = "kim@example.com"


async def cap(world: World, *limits: Limit, channel: str = "email") -> None:
    async with world.db.write() as session:
        await caps.replace(session, world.project_id, [(channel, one) for one in limits], NOON)


def mails(event: str, *keys: str, **more: Any) -> dict[str, Any]:
    """Enter on this event; these e-mails at once."""
    return reaching(*(saying("email", key, connection="mail", **more) for key in keys), event=event)


async def happen(world: World, name: str, at: int, *users: str) -> None:
    await world.live(*(world.event(name, at, user=user) for user in users), until=at)


async def ready(world: World, *graphs: dict[str, Any], users: tuple[str, ...] = ("kim",)) -> None:
    await world.add_connection()
    for graph in graphs:
        await world.add_journey(graph)
    await sign_up(world, *users)
    await world.settle()


async def statuses(world: World) -> list[tuple[str, str, str]]:
    rows = await world.rows(Message, "id")
    return [(row.step_key, row.status, row.reason) for row in rows]


CAPPED = ("skipped", "capped")
SENT = ("accepted", "")


async def test_the_messages_of_one_claim_count_for_those_behind_them(world: World) -> None:
    await cap(world, Limit(2, DAY))
    await ready(world, mails("buy", "a", "b", "c"))
    await happen(world, "buy", NOON + HOUR, "kim")
    async with open_office(world) as office:
        await office.settle()
        assert len(office.fake.sends) == 2
    assert await statuses(world) == [("a", *SENT), ("b", *SENT), ("c", *CAPPED)]
    assert await world.counts("skipped", "reason") == {SkipReason.CAPPED: 1}
    assert await office.receipts() == [("accepted", ""), ("accepted", ""), ("skipped", "capped")]


async def test_a_cap_is_for_all_journeys_of_a_project_and_for_each_person_alone(world: World) -> None:
    await cap(world, Limit(1, DAY))
    await ready(world, mails("buy", "a"), mails("look", "b"), users=("kim", "lee"))
    async with open_office(world) as office:
        await happen(world, "buy", NOON + HOUR, "kim", "lee")
        await office.settle()
        await happen(world, "look", NOON + 2 * HOUR, "kim")
        await office.settle()
        assert len(office.fake.sends) == 2
    assert (await statuses(world))[-1] == ("b", *CAPPED)


async def test_the_window_rolls_and_the_tightest_of_several_caps_holds(world: World) -> None:
    await cap(world, Limit(1, HOUR), Limit(2, DAY))
    await ready(world, mails("buy", "a"))
    async with open_office(world) as office:
        for at in (0, 30, 61, 200, 24 * 60 + 1):
            await happen(world, "buy", NOON + at * 60_000, "kim")
            await office.settle()
    found = [
        (row.created_at - NOON) // 60_000 for row in await world.rows(Message) if row.status == "accepted"
    ]
    assert sorted(found) == [0, 61, 24 * 60 + 1]


async def test_another_channel_has_its_own_cap(world: World) -> None:
    await cap(world, Limit(1, DAY), channel="sms")
    await ready(world, mails("buy", "a", "b"))
    await happen(world, "buy", NOON + HOUR, "kim")
    async with open_office(world) as office:
        await office.settle()
    assert [one[1] for one in await statuses(world)] == ["accepted", "accepted"]


async def test_a_step_that_ignores_caps_goes_and_counts_against_nobody(world: World) -> None:
    await cap(world, Limit(1, DAY))
    free = saying("email", "free", connection="mail", frequency_cap={"rule": "ignore"})
    kept = [saying("email", key, connection="mail") for key in "ab"]
    await ready(world, reaching(free, *kept, free | {"key": "late"}, event="buy"))
    await happen(world, "buy", NOON + HOUR, "kim")
    async with open_office(world) as office:
        await office.settle()
    wanted = [("free", *SENT), ("a", *SENT), ("b", *CAPPED), ("late", *SENT)]
    assert await statuses(world) == wanted


async def test_a_limit_of_the_steps_own_takes_the_place_of_the_projects_and_counts(world: World) -> None:
    await cap(world, Limit(1, DAY))
    own = {"frequency_cap": {"rule": "own", "most": 3, "window_ms": DAY}}
    steps = [saying("email", key, connection="mail", **own) for key in ("a", "b")]
    await ready(world, reaching(*steps, saying("email", "usual", connection="mail"), event="buy"))
    await happen(world, "buy", NOON + HOUR, "kim")
    async with open_office(world) as office:
        await office.settle()
    assert await statuses(world) == [("a", *SENT), ("b", *SENT), ("usual", *CAPPED)]


async def test_what_was_refused_does_not_count_and_what_may_have_arrived_does(world: World) -> None:
    await cap(world, Limit(1, DAY))
    await ready(world, mails("buy", "a"))
    answers = [Rejected(Reason.CONTENT_REJECTED), Unknown()]
    async with open_office(world, script=Script(addresses={KIM: answers})) as office:
        for hour in (1, 2, 3):
            await happen(world, "buy", NOON + hour * HOUR, "kim")
            await office.settle()
    assert [one[1:] for one in await statuses(world)] == [
        ("failed", "content_rejected"),
        ("unknown", "outcome_unknown"),
        CAPPED,
    ]


async def test_a_message_that_is_tried_again_has_its_room_already(world: World) -> None:
    await cap(world, Limit(1, DAY))
    await ready(world, mails("buy", "a"))
    await happen(world, "buy", NOON + HOUR, "kim")
    script = Script(addresses={KIM: [Unknown()]})
    async with open_office(world, script=script, on_unknown=OnUnknown.RESEND_SAME_KEY) as office:
        await office.settle()
        world.clock.reach(NOON + 5 * HOUR)
        await office.settle()
        assert len(office.fake.attempts) == 2
    assert await statuses(world) == [("a", *SENT)]


async def test_one_passage_to_several_devices_is_one_message_to_its_user(world: World) -> None:
    await cap(world, Limit(1, DAY), channel="push")
    await world.add_connection("push", channel="push")
    await world.add_journey(reaching(saying("push", "a"), saying("push", "b")))
    tokens = {"push_tokens": ["fcm:one", "fcm:two", "apns:three"]}
    await world.send(world.event("", NOON, user="kim", type="identify", **tokens))
    await happen(world, "sign_up", NOON + HOUR, "kim")
    async with open_office(world) as office:
        await office.settle()
    found = await statuses(world)
    assert found == [*[("a", *SENT)] * 3, *[("b", *CAPPED)] * 3]


async def test_a_loop_that_comes_by_again_is_another_passage(world: World) -> None:
    await cap(world, Limit(1, DAY))
    steps = [step("entry", "entry_event", event="buy"), saying("email", "a", connection="mail")]
    graph = line(*steps, step("wait", "delay", duration_ms=HOUR))
    graph["edges"].append({"from": "wait", "output": "next", "to": "a"})
    await ready(world, graph)
    await happen(world, "buy", NOON, "kim")
    async with open_office(world) as office:
        await office.settle()
        await world.settle(NOON + HOUR)
        await office.settle()
    assert await statuses(world) == [("a", *SENT), ("a", *CAPPED)]


async def test_a_claim_takes_the_same_statements_however_many_messages_there_are(
    sqlite_world: World,
) -> None:
    world, counts = sqlite_world, []
    await cap(world, Limit(1, DAY))
    await ready(world, welcome(), users=tuple(f"u{number}" for number in range(5)))
    messages = await world.rows(Message)
    quiet, connection_id = Quiet(), messages[0].connection_id
    async with world.db.read() as session:
        # Read once for each version, and then known.
        await quiet.learn(session, messages)
    async with open_office(world) as office:
        await office.dispatcher.take_shards()
        for most in (1, 4):
            async with world.db.write() as session:
                with statements(world.db) as seen:
                    claimed = await claim(session, world.clock, 0, 1, connection_id, most, quiet)
            assert len(claimed.messages) == most
            counts.append(len(seen))
    assert counts[0] == counts[1] == len(["begin", "prove", "due", "caps", "sent before", "attempt"])


async def test_two_workers_never_pass_the_same_person_together(world: World) -> None:
    """The lease of the person's shard decides: whoever has it claims, and the other one finds nothing."""
    await cap(world, Limit(1, DAY))
    await world.add_connection("one")
    await world.add_connection("two")
    for name in ("one", "two"):
        await world.add_journey(reaching(saying("email", connection=name), event="buy"))
    people = tuple(f"u{number}" for number in range(12))
    await sign_up(world, *people)
    await world.settle()
    await happen(world, "buy", NOON + HOUR, *people)
    async with open_office(world) as office:
        other = office.dispatch()
        try:
            for _ in range(3):
                await asyncio.gather(other.until_idle(), office.dispatcher.until_idle())
                await world.engine.until_idle()
        finally:
            await other.aclose()
        assert len(office.fake.sends) == len(people)
    found = await statuses(world)
    assert sorted(one[1:] for one in found) == sorted([SENT, CAPPED] * len(people))
