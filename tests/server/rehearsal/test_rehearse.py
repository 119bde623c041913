"""Rehearsals: the same engine, in no time, with nobody real."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from server.aggregates import recount
from server.rehearsal.performance import Performance, grain_of
from server.rehearsal.plan import Plan
from server.rehearsal.reading import Setting, read_plan
from server.rehearsal.rehearse import Rehearsed, rehearse
from server.rehearsal.stage import open_stage
from tests.world import DAY, HOUR, MINUTE, NOON, abandoned_cart, line, reaching, saying, step

pytestmark = pytest.mark.anyio

SHY = {"opened": 0.5, "clicked": 0.5, "bounced": 0.1, "refused": 0.1, "unsubscribed": 0.2, "complained": 0.1}
BUYS = [
    {"event": "purchase", "share": 0.3, "latest": "3d", "properties": {"total": 10}},
    {"event": "purchase", "share": 0.9, "after": "clicked", "step": "mail", "latest": "1h"},
]


def plan(graph: dict[str, Any], **said: Any) -> Plan:
    made, problems = read_plan(said, Setting(graph, NOON))
    assert problems == []
    return made


async def played(graph: dict[str, Any], **said: Any) -> Rehearsed:
    return await rehearse(plan(graph, **said))


async def test_two_people_take_the_ways_that_what_they_do_asks_for() -> None:
    told = await played(
        abandoned_cart(),
        events=[
            {"who": "kim", "event": "add_to_cart", "at": "10m"},
            {"who": "kim", "event": "purchase", "at": "30m"},
            {"who": "lee", "event": "add_to_cart", "at": "10m", "properties": {"sku": "shoe"}},
        ],
        until="2d",
    )
    assert told["kim"].path == ["cart", "hour", "bought", "done"]
    assert told["kim"].messages == []
    assert told["kim"].runs[0].reached[0].goal_key == "bought"
    assert told["lee"].path == ["cart", "hour", "bought", "mail", "done"]
    [message] = told["lee"].messages
    assert (message.status, message.decided_at) == ("delivered", NOON + 10 * MINUTE + HOUR)
    assert message.content["subject"] == "Still thinking, friend?"
    assert "https://shop.example/cart" in message.content["html"]
    assert told["lee"].runs[0].properties == {"sku": "shoe"}
    assert (told.entries, told.inside, told.ended) == (2, 0, {"completed": 2})
    assert (told.arrivals("mail"), told.passed("bought", "yes"), told.reached) == (1, 1, {"bought": 1})
    assert (told.is_complete, told.reached_at, told.troubles) == (True, NOON + 2 * DAY, [])


async def test_vouchers_are_made_up_and_no_list_is_so_bad_that_it_ends_the_rehearsal() -> None:
    mail = saying("email", text="{{ voucher.code }}", voucher={"pool": "summer", "remember_as": "code"})
    told = await played(reaching(mail), people=[{"count": 2}], rates={"bounced": 1.0}, until="1d")
    said = [person.messages[0] for person in told.people]
    assert len({message.content["text"] for message in said}) == 2
    assert {message.status for message in said} == {"bounced"}


async def test_who_waits_at_the_end_is_inside_and_where() -> None:
    told = await played(abandoned_cart(), people=[{"count": 3}], until="30m")
    assert (told.entries, told.inside, told.waiting("hour")) == (3, 3, 3)
    [run] = told["person-2"].runs
    assert (run.path, run.waiting_until, run.visits[-1].left_at) == (["cart", "hour"], NOON + 1 + HOUR, None)


async def test_the_same_seed_is_the_same_rehearsal_and_another_is_another() -> None:
    said = {"people": [{"count": 8}], "rates": SHY, "habits": BUYS, "until": "10d"}
    first, again = await played(abandoned_cart(), **said), await played(abandoned_cart(), **said)
    assert first.people == again.people
    other = await played(abandoned_cart(), seed=2, **said)
    assert first.people != other.people


async def test_a_person_lives_the_same_life_alone_and_in_a_crowd_that_is_played_in_grains() -> None:
    said: dict[str, Any] = {"rates": SHY, "habits": BUYS, "arrivals": {"within": "1d"}, "until": "10d"}
    crowd = plan(abandoned_cart(), people=[{"count": 51}], **said)
    assert grain_of(crowd) == 15 * MINUTE - 1
    together = await rehearse(crowd)
    for person in crowd.people[::17]:
        alone = await rehearse(replace(crowd, people=[person]))
        assert alone.people == [together[person.name]]


async def test_all_counts_agree_with_the_facts_and_the_laws_hold() -> None:
    said = {"people": [{"count": 12}], "rates": SHY, "habits": BUYS, "until": "10d"}
    made = plan(abandoned_cart(), arrivals={"within": "9d 23h 30m"}, **said)
    async with open_stage(made) as stage:
        await Performance(stage).play()
        async with stage.db.read() as session:
            assert await recount.differences(session) == []
    told = await rehearse(made)
    assert told.entries == told.inside + sum(told.ended.values()) == 12
    for key in ("cart", "hour", "bought", "mail", "done"):
        ended = sum(count.n for count in told.answer.counts["ended"][key])
        assert told.arrivals(key) == told.waiting(key) + told.passed(key) + ended


async def test_shares_are_about_what_was_asked_for() -> None:
    graph = reaching(saying("email", "mail"))
    told = await played(graph, people=[{"count": 400}], rates={"bounced": 0.25, "opened": 0.5}, until="1d")
    statuses = [message.status for message in told.messages]
    assert 70 < statuses.count("bounced") < 130
    opened = sum(any(one.kind == "opened" for one in message.heard) for message in told.messages)
    assert 110 < opened < 190


async def test_rates_of_a_step_go_before_those_of_its_channel() -> None:
    graph = reaching(saying("email", "one"), saying("email", "two"), saying("sms", "three"))
    rates = {"two": {"refused": 1}, "email": {"bounced": 1}, "all": {"delivered": 0}}
    told = await played(graph, people=[{"count": 1}], rates=rates, until="1h")
    assert [message.status for message in told.messages] == ["bounced", "failed", "accepted"]


async def test_a_text_that_cannot_be_rendered_says_so_and_where() -> None:
    graph = reaching(saying("email", "mail", subject="{{ 1 | divided_by: user.children }}"))
    people = [{"name": "kim", "attributes": {"children": 0}}, {"name": "lee", "attributes": {"children": 1}}]
    told = await played(graph, people=people, until="1h")
    [broken], [sound] = told["kim"].messages, told["lee"].messages
    assert (broken.status, broken.reason, broken.content) == ("skipped", "template_error", {})
    assert "subject" in broken.detail
    assert (sound.status, sound.content["subject"]) == ("delivered", "1")


async def test_people_are_reached_where_they_are_said_to_be() -> None:
    graph = reaching(saying("email"), saying("push"), saying("sms"), saying("in_app"))
    people = [{"name": "kim"}, {"name": "lee", "channels": ["push"]}]
    told = await played(graph, people=people, until="1h")
    assert [message.status for message in told["kim"].messages] == ["delivered"] * 4
    assert [message.reason for message in told["lee"].messages] == ["no_address", "", "no_address", ""]


async def test_a_habit_can_follow_the_arrival_at_a_step_where_people_wait() -> None:
    graph = line(
        step("in", "entry_event", event="sign_up"),
        step("first", "delay", duration_ms=DAY),
        step("second", "delay", duration_ms=DAY),
        step("out", "exit"),
        goals=[{"key": "won", "event": "won", "ends_journey": True}],
    )
    habits = [{"event": "won", "step": "second", "soonest": "2h", "latest": "2h"}]
    told = await played(graph, people=[{"name": "kim"}], habits=habits, until="5d")
    [run] = told["kim"].runs
    assert (run.end_reason, run.ended_at) == ("goal", NOON + 1 + DAY + 2 * HOUR)


async def test_who_comes_again_and_who_is_refused_show() -> None:
    graph = reaching(step("wait", "delay", duration_ms=HOUR), reentry="never")
    events = [{"who": "kim", "event": "sign_up", "at": at} for at in ("1m", "2m", "3h")]
    told = await played(graph, events=events, until="1d")
    assert [one.reason for one in told["kim"].refusals] == ["already_inside", "entered_before"]
    assert told.refused == {"already_inside": 1, "entered_before": 1}


async def test_when_its_time_is_over_it_tells_how_far_it_came() -> None:
    graph = reaching(step("wait", "delay", duration_ms=HOUR))
    made = replace(plan(graph, people=[{"count": 2}], until="1d"), wall_seconds=0.0)
    told = await rehearse(made)
    assert (told.is_complete, told.reached_at) == (False, NOON)


async def test_the_ways_out_of_a_rehearsal_lead_nowhere() -> None:
    async with open_stage(plan(abandoned_cart(), people=[{"count": 1}])) as stage:
        tools = stage.dispatcher.lender.tools(1)
        for client in (tools.http, tools.outside):
            with pytest.raises(httpx.ConnectError, match="reaches nobody"):
                await client.get("http://127.0.0.1:1/")


async def test_an_audience_is_let_in_at_its_very_time_however_many_come() -> None:
    when = {"kind": "every_days", "every": 1, "start": "2024-03-01", "at": "09:05"}
    graph = line(
        step("everybody", "entry_audience", when=when, if_passed="skip"),
        step("wait", "delay", duration_ms=HOUR),
        step("out", "exit"),
    )
    said = {"people": [{"count": 60}], "until": "30h", "zone": "Asia/Seoul"}
    told = await played(graph, habits=[{"event": "other", "latest": "1h"}], **said)
    assert {run.entered_at for one in told.people for run in one.runs} == {NOON + 13 * HOUR + 5 * MINUTE}
    assert (told.entries, told.ended) == (60, {"completed": 60})


async def test_an_audience_is_let_in_at_its_times() -> None:
    when = {"kind": "every_days", "every": 1, "start": "2024-03-01", "at": "09:00"}
    graph = line(
        step("in", "entry_audience", when=when, if_passed="skip"),
        step("wait", "delay", duration_ms=HOUR),
        step("done", "exit"),
    )
    told = await played(graph, people=[{"count": 3}], until="3d")
    assert (told.entries, told.inside, told.ended) == (9, 0, {"completed": 9})
