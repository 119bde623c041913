"""The four dashboards and the canvas of one journey whose every figure is counted by hand, here."""

from itertools import pairwise
from typing import Any

import pytest

from server.schema.ids import to_id
from server.store.tables import Message
from tests.server.schema.api import Api, hear
from tests.world import DAY, HOUR, MINUTE, NOON, World, line, reaching, saying, step

pytestmark = pytest.mark.anyio

MIDNIGHT = NOON + 4 * HOUR
"""In Seoul, between the first day and the second."""

VIP = {"from": "attribute", "name": "vip_until", "if_passed": "go_on"}
GRAPH = line(
    step("in", "entry_event", event="sign_up"),
    saying("email", "mail", connection="mail"),
    step("hour", "delay", duration_ms=HOUR),
    saying("sms", "text", connection="texts", if_not_sent="end"),
    step("vip", "delay", date_from=VIP),
    step("out", "exit"),
    goals=[
        {"key": "bought", "event": "purchase", "amount_property": "total", "currency": "KRW"},
        {"key": "met", "event": "met", "ends_journey": True},
    ],
    cancel_events=[{"event": "stop"}],
)


PEOPLE = ["kim", "lee", "choi", "park", "jung", "yoon", "han"]


async def lived(api: Api) -> int:
    """Seven people come.

    kim    mail opened by a person twice and by a machine, clicked; text; buys for 1000 and 500; completes
    lee    mail sent; buys for 300 in the next day, without an open; text; completes
    choi   no e-mail: skipped; text bounced; completes
    park   mail failed; leaves by the cancel event while waiting for the hour
    jung   mail sent; leaves by the goal `met` at the same place
    yoon   mail sent; no phone: ends at the text, as nothing can be sent
    han    mail and text sent; a date that cannot be read: ends by an internal error
    kim comes again while inside, and is refused.
    """
    world = api.world
    await world.add_connection("mail", "fake")
    await world.add_connection("texts", "fake", channel="sms")
    journey_id = await world.add_journey(GRAPH)
    await world.live(*(world.event("", NOON, user=one, type="identify", **traits(one)) for one in PEOPLE))
    await world.live(*(world.event("sign_up", NOON + 1, user=name) for name in PEOPLE))
    await world.live(world.event("sign_up", NOON + 2, user="kim"))
    await mailed(world)
    await world.live(
        world.event("purchase", NOON + 10 * MINUTE, user="kim", total=1000),
        world.event("purchase", NOON + 11 * MINUTE, user="kim", total=500),
        world.event("stop", NOON + 12 * MINUTE, user="park"),
        world.event("met", NOON + 13 * MINUTE, user="jung"),
        until=NOON + HOUR + 1,
    )
    await texted(world)
    await world.settle(NOON + 3 * HOUR)
    await world.live(world.event("purchase", MIDNIGHT + HOUR, user="lee", total=300))
    await world.settle(NOON + DAY)
    return journey_id


def traits(name: str) -> dict[str, str]:
    found = {"vip_until": "never" if name == "han" else "2024-03-13T21:30:00+09:00"}
    if name != "choi":
        found["email"] = f"{name}@example.com"
    if name != "yoon":
        found["phone"] = f"010-1234-567{PEOPLE.index(name)}"
    return found


async def queued(world: World, step_key: str) -> dict[str, int]:
    """By the end of their addresses."""
    found = [one for one in await world.rows(Message) if one.step_key == step_key and one.status == "queued"]
    return {one.address[-1:] if step_key == "text" else one.address: one.id for one in found}


async def mailed(world: World) -> None:
    mails = await queued(world, "mail")
    for name in ("kim", "lee", "jung", "yoon", "han"):
        await hear(world, mails[f"{name}@example.com"], ("accepted", NOON + MINUTE, {}))
    refused = ("refused", NOON + MINUTE, {"reason": "invalid_recipient", "code": "550"})
    await hear(world, mails["park@example.com"], refused)
    await hear(
        world,
        mails["kim@example.com"],
        ("delivered", NOON + 2 * MINUTE, {}),
        ("opened", NOON + 3 * MINUTE, {"actor": "human"}),
        ("opened", NOON + 4 * MINUTE, {"actor": "human"}),
        ("opened", NOON + 5 * MINUTE, {"actor": "machine"}),
        ("clicked", NOON + 6 * MINUTE, {"actor": "human", "url": "https://shop.example/"}),
    )


async def texted(world: World) -> None:
    texts = await queued(world, "text")
    for name in ("kim", "lee", "choi", "han"):
        await hear(world, texts[str(PEOPLE.index(name))], ("accepted", NOON + HOUR + MINUTE, {}))
    bounced = ("bounced", NOON + HOUR + 2 * MINUTE, {"reason": "unreachable", "code": "30003"})
    await hear(world, texts[str(PEOPLE.index("choi"))], bounced)


async def stats(api: Api, journey_id: int, selection: str, arguments: str = "", **variables: Any) -> Any:
    text = f"query($id: ID!) {{ journey(id: $id) {{ stats{arguments} {{ {selection} }} }} }}"
    text += " fragment R on Share { count of base rate }" if "...R" in selection else ""
    return (await api.ask(text, id=to_id("Journey", journey_id), **variables))["journey"]["stats"]


def rate(count: int, of: int, base: str) -> dict[str, Any]:
    return {"count": count, "of": of, "base": base, "rate": count / of if of else None}


async def test_audience_and_performance(api: Api) -> None:
    journey_id = await lived(api)
    found = await stats(
        api,
        journey_id,
        """audience {
            entries users triggered heldOut insideNow ended refused { reason count share { ...R } }
            completed { ...R } leftEarly { count goal cancelEvent otherwise share { ...R } }
            dropOffs { count of base rate internal send } messaged { ...R } insideByStep { count }
        }
        performance {
            goal { key } hits reached { total users } perRun { ...R } perUser { ...R }
            credit { afterOpen { ...R } afterSend { ...R } uncredited { ...R } }
            revenue { amount } firstRevenue { amount } averageOrderValue { amount }
            revenuePerRecipient { amount currency }
            over { at reached hits revenue { amount } }
        }""",
    )
    assert found["audience"] == {
        "entries": 7,
        "users": 7,
        "triggered": 8,
        "heldOut": 0,
        "insideNow": 0,
        "ended": 7,
        "refused": [{"reason": "ALREADY_INSIDE", "count": 1, "share": rate(1, 8, "TRIGGERED")}],
        "completed": rate(3, 7, "ENDED"),
        "leftEarly": {
            "count": 2,
            "goal": 1,
            "cancelEvent": 1,
            "otherwise": 0,
            "share": rate(2, 7, "ENDED"),
        },
        "dropOffs": {**rate(2, 7, "ENTRIES"), "internal": 1, "send": 1},
        # All but park, whose mail was refused.
        "messaged": rate(6, 7, "USERS_ENTERED"),
        "insideByStep": [],
    }
    bought, met = found["performance"]
    assert bought == {
        "goal": {"key": "bought"},
        "hits": 3,
        "reached": {"total": 2, "users": 2},
        "perRun": rate(2, 7, "ENTRIES"),
        "perUser": rate(2, 7, "USERS_ENTERED"),
        "credit": {
            "afterOpen": rate(2, 3, "HITS"),
            "afterSend": rate(1, 3, "HITS"),
            "uncredited": rate(0, 3, "HITS"),
        },
        "revenue": {"amount": "1800"},
        "firstRevenue": {"amount": "1300"},
        "averageOrderValue": {"amount": "600"},
        "revenuePerRecipient": {"amount": "300", "currency": "KRW"},
        "over": [
            {"at": "2024-03-12T15:00:00+00:00", "reached": 1, "hits": 2, "revenue": {"amount": "1500"}},
            {"at": "2024-03-13T15:00:00+00:00", "reached": 1, "hits": 1, "revenue": {"amount": "300"}},
        ],
    }
    assert (met["hits"], met["reached"]["total"], met["revenue"]) == (1, 1, None)
    assert met["credit"]["afterSend"] == rate(1, 1, "HITS")


MESSAGE = """
    queued { unique } sent { unique users share { ...R } } delivered { observable unique share { ...R } }
    opened { total unique users human machine share { ...R } ofDelivered { ...R } humanShare { ...R } }
    clicked { total unique users share { ...R } } clickToOpen { ...R }
    bounced { unique } failed { unique share { ...R } } skipped { unique } notSent { ...R }
    issues { family reason count share { ...R } codes { code count } }
"""


async def test_communications(api: Api) -> None:
    journey_id = await lived(api)
    found = await stats(
        api,
        journey_id,
        f"""communications {{
            channel {MESSAGE} metrics {{ metric }}
            over(metric: SENT, by: HOUR) {{ at count }}
            messages(goal: "bought") {{
                step {{ key }} isCurrent {MESSAGE}
                conversion {{
                    goal {{ key }} total unique uniqueAfterOpen afterOpen afterSend assisted share {{ ...R }}
                    shareAfterOpen {{ ...R }} revenue {{ amount }} averageOrderValue {{ amount }}
                    revenuePerMessage {{ amount }}
                }}
                over(metric: SENT, by: HOUR) {{ at count }}
            }}
        }}""",
        '(period: {from: "2024-03-13", until: "2024-03-15"})',
    )
    email, sms = found["communications"]
    [mail], [text] = email.pop("messages"), sms.pop("messages")
    figures = {
        "queued": {"unique": 7},
        "sent": {"unique": 5, "users": 5, "share": rate(5, 7, "QUEUED")},
        "delivered": {"observable": True, "unique": 1, "share": rate(1, 5, "SENT")},
        "opened": {
            "total": 3,
            "unique": 1,
            "users": 1,
            "human": 1,
            "machine": 1,
            "share": rate(1, 5, "SENT"),
            "ofDelivered": rate(1, 1, "DELIVERED"),
            "humanShare": rate(1, 5, "SENT"),
        },
        "clicked": {"total": 1, "unique": 1, "users": 1, "share": rate(1, 5, "SENT")},
        "clickToOpen": rate(1, 1, "OPENED"),
        "bounced": {"unique": 0},
        "failed": {"unique": 1, "share": rate(1, 7, "QUEUED")},
        "skipped": {"unique": 1},
        "notSent": rate(2, 7, "QUEUED"),
        "issues": [
            {
                "family": "FAILED",
                "reason": "INVALID_RECIPIENT",
                "count": 1,
                "share": rate(1, 7, "QUEUED"),
                "codes": [{"code": "550", "count": 1}],
            },
            {
                "family": "SKIPPED",
                "reason": "NO_ADDRESS",
                "count": 1,
                "share": rate(1, 7, "QUEUED"),
                "codes": [{"code": None, "count": 1}],
            },
        ],
    }
    sent_in_hours = [{"at": "2024-03-13T11:00:00+00:00", "count": 5}]
    assert email.pop("channel") == "EMAIL"
    shown = [one["metric"] for one in email.pop("metrics")]
    assert ("SHOWN" in shown, "UNSUBSCRIBED" in shown) == (False, True)
    assert email == {**figures, "over": sent_in_hours}
    assert mail.pop("conversion") == {
        "goal": {"key": "bought"},
        "total": 2,
        "unique": 1,
        "uniqueAfterOpen": 1,
        "afterOpen": 2,
        "afterSend": 0,
        "assisted": 1,
        "share": rate(1, 5, "SENT"),
        "shareAfterOpen": rate(1, 5, "SENT"),
        "revenue": {"amount": "1500"},
        "averageOrderValue": {"amount": "750"},
        "revenuePerMessage": {"amount": "300"},
    }
    assert mail == {"step": {"key": "mail"}, "isCurrent": True, **figures, "over": sent_in_hours}
    # Four people have a phone and came as far, and yoon came without one.
    assert (text["queued"]["unique"], text["sent"]["unique"], text["bounced"]["unique"]) == (5, 4, 1)
    assert text["conversion"]["afterSend"] == 1
    assert [(one["family"], one["reason"], one["codes"]) for one in text["issues"]] == [
        ("BOUNCED", "UNREACHABLE", [{"code": "30003", "count": 1}]),
        ("SKIPPED", "NO_ADDRESS", [{"code": None, "count": 1}]),
    ]
    assert text["over"] == [{"at": "2024-03-13T12:00:00+00:00", "count": 4}]


async def test_campaign_health(api: Api) -> None:
    journey_id = await lived(api)
    found = await stats(
        api,
        journey_id,
        """health {
            entries { total users } sent sentByChannel { channel count } opened { ...R }
            dropOffs { count internal send rate } goalsReached goals { goal { key } hits }
            endedBy { reason count }
            over(fill: true) {
                at entries sent sentByChannel { channel count } opened completed
                dropOffs internalErrors sendErrors goalsReached hits
            }
        }""",
    )
    day = {
        "at": "2024-03-12T15:00:00+00:00",
        "entries": 7,
        "sent": 9,
        "sentByChannel": [{"channel": "EMAIL", "count": 5}, {"channel": "SMS", "count": 4}],
        "opened": 1,
        "completed": 3,
        "dropOffs": 2,
        "internalErrors": 1,
        "sendErrors": 1,
        "goalsReached": 2,
        "hits": 3,
    }
    nothing = {name: [] if name == "sentByChannel" else 0 for name in day}
    assert found["health"] == {
        "entries": {"total": 7, "users": 7},
        "sent": 9,
        "sentByChannel": [{"channel": "EMAIL", "count": 5}, {"channel": "SMS", "count": 4}],
        # Both connections can tell of opens.
        "opened": rate(1, 9, "SENT_OBSERVABLE"),
        "dropOffs": {"count": 2, "internal": 1, "send": 1, "rate": 2 / 7},
        "goalsReached": 3,
        "goals": [{"goal": {"key": "bought"}, "hits": 3}, {"goal": {"key": "met"}, "hits": 1}],
        "endedBy": [
            {"reason": "COMPLETED", "count": 3},
            {"reason": "CANCEL_EVENT", "count": 1},
            {"reason": "GOAL", "count": 1},
            {"reason": "INTERNAL_ERROR", "count": 1},
            {"reason": "SEND_ERROR", "count": 1},
        ],
        "over": [day, {**nothing, "at": "2024-03-13T15:00:00+00:00", "goalsReached": 1, "hits": 1}],
    }


async def test_canvas(api: Api) -> None:
    journey_id = await lived(api)
    found = await stats(
        api,
        journey_id,
        """steps {
            step { key } arrivals { total users } left waitingNow ofEntries { ...R } ofPrevious { ...R }
            endedHere { reason count } dropOffs { count of internal send }
            leftEarly { count goal cancelEvent }
            sent { unique } opened { total unique } clicked { share { ...R } } notSent { ...R }
            conversion { goal { key } total } credited { goal { key } total } message { queued { unique } }
            issues { reason } conclusions { winner }
            timeSpent { runs mean p50 p90 p95 p100: percentile(percent: 100) }
        }
        edges { edge { from output } passed { total users } ofArrivals { ...R } ofEntries { ...R } }""",
    )
    steps = {one.pop("step")["key"]: one for one in found["steps"]}
    for one in steps.values():
        ended = sum(end["count"] for end in one["endedHere"])
        assert one["arrivals"]["total"] == one["waitingNow"] + one["left"] + ended
    assert steps["in"]["ofPrevious"] is None
    assert steps["mail"] == {
        "arrivals": {"total": 7, "users": 7},
        "left": 7,
        "waitingNow": 0,
        "ofEntries": rate(7, 7, "ENTRIES"),
        "ofPrevious": rate(7, 7, "PREVIOUS"),
        "endedHere": [],
        "dropOffs": {"count": 0, "of": 7, "internal": 0, "send": 0},
        "leftEarly": {"count": 0, "goal": 0, "cancelEvent": 0},
        "sent": {"unique": 5},
        "opened": {"total": 3, "unique": 1},
        "clicked": {"share": rate(1, 5, "SENT")},
        "notSent": rate(2, 7, "QUEUED"),
        "conversion": {"goal": None, "total": 3},
        "credited": [{"goal": {"key": "bought"}, "total": 2}, {"goal": {"key": "met"}, "total": 1}],
        "message": {"queued": {"unique": 7}},
        "issues": [{"reason": "INVALID_RECIPIENT"}, {"reason": "NO_ADDRESS"}],
        "conclusions": None,
        "timeSpent": {"runs": 7, "mean": 0, "p50": 0, "p90": 0, "p95": 0, "p100": 0},
    }
    # Five waited for the whole hour, park left after 12 minutes of it and jung after 13.
    spent = steps["hour"]["timeSpent"]
    assert (spent["runs"], spent["mean"]) == (7, pytest.approx((5 * 3600 + 12 * 60 + 13 * 60) / 7, abs=0.01))
    assert spent["p50"] == spent["p90"] == spent["p100"] == pytest.approx(3600, rel=0.05)
    assert steps["hour"]["leftEarly"] == {"count": 2, "goal": 1, "cancelEvent": 1}
    assert (steps["hour"]["sent"], steps["hour"]["conversion"], steps["hour"]["issues"]) == (None, None, None)
    assert steps["text"]["ofPrevious"] == rate(5, 7, "PREVIOUS")
    assert steps["text"]["dropOffs"] == {"count": 1, "of": 5, "internal": 0, "send": 1}
    assert steps["vip"]["dropOffs"] == {"count": 1, "of": 4, "internal": 1, "send": 0}
    assert steps["out"]["arrivals"] == {"total": 3, "users": 3}
    edges = {one.pop("edge")["from"]: one for one in found["edges"]}
    assert edges["hour"] == {
        "passed": {"total": 5, "users": 5},
        "ofArrivals": rate(5, 7, "ARRIVALS"),
        "ofEntries": rate(5, 7, "ENTRIES"),
    }


async def test_different_users_of_any_union_are_exact(api: Api) -> None:
    journey_id = await lived(api)
    found = await stats(
        api,
        journey_id,
        """entered: users(did: ENTERED)
        sent: users(did: SENT)
        sentText: users(did: SENT, steps: ["text"])
        left: users(did: LEFT, steps: ["hour", "text"])
        reached: users(did: REACHED)
        met: users(did: REACHED, goals: ["met"])
        readOrMet: users(did: [OPENED, CLICKED, REACHED], goals: ["met"])""",
    )
    assert found == {
        "entered": 7,
        "sent": 6,
        "sentText": 4,
        "left": 5,
        "reached": 3,
        "met": 1,
        "readOrMet": 2,
    }
    for arguments in ("did: []", 'did: SENT, steps: ["nowhere"]', 'did: REACHED, goals: ["none"]'):
        text = f"query($id: ID!) {{ journey(id: $id) {{ stats {{ users({arguments}) }} }} }}"
        error = await api.error(text, id=to_id("Journey", journey_id))
        assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_a_series_can_have_every_interval_and_any_part_of_a_metric(api: Api) -> None:
    journey_id = await lived(api)
    found = await stats(
        api,
        journey_id,
        """hours: over(metric: HITS, by: HOUR, fill: true, goal: "bought") { count }
        week: over(metric: ENTRIES, by: WEEK, fill: true) { at count }
        text: over(metric: SENT, step: "text") { count }
        sms: over(metric: SENT, channel: SMS) { count }
        human: over(metric: OPENS, actor: HUMAN) { count }
        whole: over(metric: OPENS) { count }
        once: over(metric: OPENED) { count }""",
        '(period: {from: "2024-03-13", until: "2024-03-15"})',
    )
    # From midnight to the noon of the next day, at which the world stands still.
    assert len(found["hours"]) == 45
    assert [(n, one["count"]) for n, one in enumerate(found["hours"]) if one["count"]] == [(20, 2), (25, 1)]
    assert found["week"] == [{"at": "2024-03-10T15:00:00+00:00", "count": 7}]
    assert found["text"] == found["sms"] == [{"count": 4}]
    assert (found["human"], found["whole"], found["once"]) == ([{"count": 2}], [{"count": 3}], [{"count": 1}])


EVERYTHING = """
    audience { entries users refused { reason } insideByStep { count } messaged { rate } }
    performance { reached { users } perUser { rate } over(fill: true) { hits } }
    communications {
        channel sent { users } opened { users } over(metric: SENT) { count }
        messages { step { key } opened { users } conversion { total } over(metric: OPENED) { count }
            issues { reason codes { code count } } }
    }
    health { sent opened { rate } over(by: HOUR) { entries } }
    steps { step { key } arrivals { users } waitingNow variants { output } conclusions { mayStop } }
    edges { passed { users } }
    users(did: [SENT, REACHED])
"""


async def test_forty_steps_take_as_many_statements_as_one(api: Api) -> None:
    await api.world.add_connection("mail", "fake")
    counts = []
    for number in (1, 40):
        mails = [saying("email", f"mail{n}", connection="mail") for n in range(number)]
        splits = [step(f"split{n}", "ab_split", branches=BRANCHES) for n in range(number)]
        graph = reaching(*mails, event=f"go{number}", goals=GRAPH["goals"])
        journey_id = await api.world.add_journey(with_splits(graph, splits))
        await api.world.live(api.world.event(f"go{number}", NOON + number, user="kim"))
        with api.statements() as seen:
            await stats(api, journey_id, EVERYTHING, "(period: {preset: LAST_7_DAYS})")
        counts.append(len([statement for statement in seen if "SELECT" in statement]))
    assert counts[0] == counts[1] <= 16


BRANCHES = [{"output": "a", "percent": 50}, {"output": "b", "percent": 50}]


def with_splits(graph: dict[str, Any], splits: list[dict[str, Any]]) -> dict[str, Any]:
    """The splits one after another before the exit; whatever they draw leads on."""
    keys = [*(one["key"] for one in splits), "done"]
    *others, last = graph["edges"]
    edges = [*others, {**last, "to": keys[0]}]
    for here, there in pairwise(keys):
        edges += [{"from": here, "output": branch["output"], "to": there} for branch in BRANCHES]
    *steps, done = graph["steps"]
    return {**graph, "steps": [*steps, *splits, done], "edges": edges}


async def test_time_spent_has_any_percentile_that_there_is(small_api: Api) -> None:
    journey_id = await lived(small_api)
    found = await stats(small_api, journey_id, "steps { timeSpent { percentile(percent: 10) } }")
    waited = [one["timeSpent"]["percentile"] for one in found["steps"]]
    assert waited[2] == pytest.approx(12 * 60, rel=0.05)
    for percent in ("0", "100.5", "-3"):
        spent = f"steps {{ timeSpent {{ percentile(percent: {percent}) }} }}"
        text = f"query($id: ID!) {{ journey(id: $id) {{ stats {{ {spent} }} }} }}"
        errors = (await small_api.post(text, id=to_id("Journey", journey_id))).json()["errors"]
        assert {error["extensions"]["code"] for error in errors} == {"BAD_USER_INPUT"}


async def test_by_the_clock_of_entry_what_came_of_it_later_counts_as_well(api: Api) -> None:
    journey_id = await lived(api)
    selection = "clock performance { hits perRun { ...R } reached { users } over(fill: true) { at hits } }"
    first_day = '(period: {from: "2024-03-13", until: "2024-03-14"}, clock: ENTERED)'
    found = await stats(api, journey_id, selection, first_day)
    bought = found["performance"][0]
    assert (found["clock"], bought["hits"], bought["reached"]) == ("ENTERED", 3, {"users": 2})
    assert bought["perRun"] == rate(2, 7, "ENTRIES")
    assert bought["over"] == [{"at": "2024-03-12T15:00:00+00:00", "hits": 3}]
    happened = await stats(api, journey_id, selection, first_day.replace("ENTERED", "HAPPENED"))
    assert (happened["performance"][0]["hits"], happened["performance"][0]["reached"]) == (2, {"users": 1})
    codes = "communications { issues { codes { count } } }"
    found = await stats(api, journey_id, codes, first_day)
    assert [one["codes"] for one in found["communications"][0]["issues"]] == [None, None]


async def test_one_version_has_all_figures_of_its_own(api: Api) -> None:
    journey_id = await lived(api)
    selection = """version audience { entries users messaged { ...R } } health { sent over { sent } }
        people: users(did: [SENT, REACHED])"""
    first = await stats(api, journey_id, selection, "(version: 1)")
    assert first == {
        "version": 1,
        "audience": {"entries": 7, "users": 7, "messaged": rate(6, 7, "USERS_ENTERED")},
        "health": {"sent": 9, "over": [{"sent": 9}, {"sent": 0}]},
        "people": 6,
    }
    second = await stats(
        api, journey_id, "audience { entries users } health { over { sent } }", "(version: 2)"
    )
    assert second == {"audience": {"entries": 0, "users": 0}, "health": {"over": []}}


@pytest.mark.parametrize(
    "selection",
    [
        'over(metric: SENT, step: "nowhere") { count }',
        'over(metric: HITS, goal: "none") { count }',
        "over(metric: SENT, channel: OTHER) { count }",
        'communications { messages(goal: "none") { isCurrent } }',
        "over(metric: SENT, by: HOUR, fill: true) { count }",
    ],
)
async def test_what_is_not_there_is_said_and_never_taken_for_nothing(small_api: Api, selection: str) -> None:
    await small_api.world.add_connection("mail", "fake")
    journey_id = await small_api.world.add_journey(reaching(saying("email", connection="mail")))
    period = '(period: {from: "2020-01-01"})'
    text = f"query($id: ID!) {{ journey(id: $id) {{ stats{period} {{ {selection} }} }} }}"
    error = await small_api.error(text, id=to_id("Journey", journey_id))
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_a_channel_from_elsewhere_has_the_same_reports(api: Api) -> None:
    world = api.world
    await world.add_connection("pigeons", "fake", channel="pigeon")
    journey_id = await world.add_journey(reaching(saying("message", "fly", connection="pigeons")))
    await world.live(world.event("sign_up", NOON, user="kim"))
    found = await stats(
        api,
        journey_id,
        """communications {
            channel name queued { unique } metrics { metric observable } messages { step { key } }
        }""",
    )
    (pigeon,) = found["communications"]
    assert (pigeon["channel"], pigeon["name"], pigeon["queued"]) == ("OTHER", "pigeon", {"unique": 1})
    assert [one["metric"] for one in pigeon["metrics"]] == PIGEONS_TELL
    assert all(one["observable"] for one in pigeon["metrics"])
    assert pigeon["messages"] == [{"step": {"key": "fly"}}]
    (message,) = await world.rows(Message)
    await hear(world, message.id, ("accepted", NOON + 1, {}), ("shown", NOON + 2, {}))
    found = await stats(
        api,
        journey_id,
        "communications { metrics { metric } } health { sent sentByChannel { channel name count } }",
    )
    # What nobody expected of it is shown once it was heard.
    assert [one["metric"] for one in found["communications"][0]["metrics"]] == [*PIGEONS_TELL, "SHOWN"]
    assert found["health"]["sentByChannel"] == [{"channel": "OTHER", "name": "pigeon", "count": 1}]


PIGEONS_TELL = [
    *("QUEUED", "SENT", "DELIVERED", "OPENED", "OPENS", "CLICKED", "CLICKS"),
    *("UNSUBSCRIBED", "COMPLAINED", "REPLIED", "BOUNCED", "FAILED", "SKIPPED", "UNKNOWN"),
    *("FALLBACK_SENT", "FALLBACK_DELIVERED"),
]
