"""Why: of runs, of entries and of messages, in plain words and in codes."""

from typing import Any

import pytest

from server.schema.ids import to_id
from server.store import segments
from server.store.tables import Message
from tests.world import DAY, HOUR, MINUTE, NOON, abandoned_cart, line, reaching, saying, step

from .api import Api, hear

pytestmark = pytest.mark.anyio

FACTS = "{ code text at stepKey values }"
RUN = f"query($id: ID!) {{ run(id: $id) {{ explain {FACTS} }} }}"
MESSAGE = f"query($id: ID!) {{ message(id: $id) {{ explain {FACTS} }} }}"
ENTRY = f"""query($journey: ID!, $i: IdentityInput!, $at: DateTime) {{
  explainEntry(journey: $journey, identity: $i, at: $at) {{
    __typename
    ... on Problem {{ message path }}
    ... on EntryExplanation {{ verdict user {{ userId }} facts {FACTS} }}
  }}
}}"""


def told(facts: list[dict[str, Any]], *codes: str) -> list[str]:
    return [one["text"] for one in facts if not codes or one["code"] in codes]


async def of_run(api: Api, number: int = 0) -> list[dict[str, Any]]:
    run = (await api.world.runs())[number]
    return list((await api.ask(RUN, id=to_id("Run", run.id)))["run"]["explain"])


async def of_message(api: Api, number: int = 0) -> list[dict[str, Any]]:
    message = (await api.world.rows(Message, "id"))[number]
    found = await api.ask(MESSAGE, id=to_id("Message", message.shard, message.id))
    return list(found["message"]["explain"])


async def of_entry(api: Api, journey_id: int, user: str = "kim", at: str | None = None) -> dict[str, Any]:
    wanted = {"journey": to_id("Journey", journey_id), "i": {"userId": user}, "at": at}
    return dict((await api.ask(ENTRY, **wanted))["explainEntry"])


async def test_a_run_tells_each_decision_with_what_it_looked_at(api: Api) -> None:
    world = api.world
    await world.add_connection()
    await world.add_journey(abandoned_cart())
    await world.live(world.event("", NOON, user="kim", type="identify", email="kim@example.com"))
    await world.live(world.event("add_to_cart", NOON, user="kim", sku="shoe"), until=NOON + HOUR)
    facts = await of_run(api)
    assert [(one["code"], one["stepKey"]) for one in facts] == [
        ("ENTERED", "cart"),
        ("DECIDED", "cart"),
        ("DECIDED", "hour"),
        ("DECIDED", "bought"),
        ("SENT", "mail"),
        ("DECIDED", "mail"),
        ("ENDED", "done"),
    ]
    assert facts[0]["text"] == "It entered at 'cart' by the event 'add_to_cart', in version 1."
    assert facts[3]["text"] == (
        "The step 'bought' (Bought since?) let it go on at once by 'otherwise'. It looked at did purchase: 0."
    )
    assert facts[3]["values"] == {"did purchase": 0}
    assert facts[-1]["text"] == "It came to the end of the journey."


async def test_a_run_that_waits_tells_for_what_and_what_would_end_it(api: Api) -> None:
    world = api.world
    graph = abandoned_cart(cancel_events=[{"event": "logged_out"}])
    graph["goals"][0]["ends_journey"] = True
    journey_id = await world.add_journey(graph)
    await world.live(world.event("add_to_cart", NOON, user="kim"))
    assert told(await of_run(api), "WAITS", "CAN_END") == [
        "The step 'hour' (One hour) has it wait until 2024-03-13 21:00:00 (Asia/Seoul).",
        "It ends at once if the user does 'purchase': the goal 'bought'.",
        "It ends at once if the user does 'logged_out', which takes people out.",
    ]
    await world.live(world.event("purchase", NOON + MINUTE, user="kim"))
    facts = await of_run(api)
    assert told(facts, "ENDED") == ["It reached the goal 'bought', which ends the journey."]
    assert told(facts, "CONVERTED") == ["It reached the goal 'bought'."]
    assert told(facts, "WAITS", "CAN_END") == []
    assert (await of_entry(api, journey_id))["verdict"] == "ENTERED"


async def test_a_run_that_waits_in_silence_tells_so(api: Api) -> None:
    world = api.world
    silence = [{"channels": ["email"], "ranges": [{"from": "21:00", "until": "08:00"}]}]
    await world.add_journey(abandoned_cart(silence=silence))
    await world.live(world.event("add_to_cart", NOON, user="kim"), until=NOON + HOUR)
    assert told(await of_run(api), "WAITS") == [
        "The step 'mail' (Reminder) has it wait until 2024-03-14 08:00:00 (Asia/Seoul), "
        "the end of silent hours."
    ]
    await world.settle(NOON + 12 * HOUR)
    assert "The step 'mail' (Reminder) let it go on by 'next': waited for the end of silent hours." in told(
        await of_run(api), "DECIDED"
    )


async def test_a_poisoned_run_tells_what_was_raised(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from server.journey.steps import Delay

    world = api.world
    world.engine.strict = False

    def broken(self: Any, moment: Any) -> Any:
        raise KeyError("price")

    monkeypatch.setattr(Delay, "arrive", broken)
    await world.add_journey(abandoned_cart())
    await world.live(world.event("add_to_cart", NOON, user="kim"))
    assert told(await of_run(api), "ENDED") == ["Something went wrong inside: KeyError: 'price'."]


def asking(**more: Any) -> dict[str, Any]:
    where = [
        {"name": "total", "operator": "at_least", "value": 10},
        {"name": "shop", "operator": "exists"},
    ]
    return line(
        step("in", "entry_event", event="order", where=where),
        step("wait", "delay", duration_ms=DAY),
        step("out", "exit"),
        **more,
    )


async def test_an_entry_tells_every_condition_with_what_was_found(api: Api) -> None:
    world = api.world
    journey_id = await world.add_journey(asking())
    await world.live(world.event("order", NOON, user="kim", total=5, shop="a"))
    found = await of_entry(api, journey_id)
    assert (found["verdict"], found["user"]) == ("CONDITIONS", {"userId": "kim"})
    assert told(found["facts"], "CONDITION_FAILED", "CONDITION_HELD") == [
        "`total` is 5; wanted was that it is at least 10: that does not hold.",
        "`shop` is 'a'; wanted was that it is there: that holds.",
    ]
    assert found["facts"][3]["values"]["found"] == 5
    await world.live(world.event("order", NOON + HOUR, user="kim", total=50, shop="a"))
    assert (await of_entry(api, journey_id))["verdict"] == "ENTERED"
    before = await of_entry(api, journey_id, at="2024-03-13T11:30:00Z")
    assert before["verdict"] == "CONDITIONS"


async def test_an_entry_tells_refusals_and_the_rule_for_coming_again(api: Api) -> None:
    world = api.world
    journey_id = await world.add_journey(asking(reentry="never"))
    for n in (0, 1, 30 * HOUR):
        await world.live(world.event("order", NOON + n, user="kim", total=50, shop="a"))
    found = await of_entry(api, journey_id)
    assert found["verdict"] == "REFUSED"
    assert told(found["facts"], "REENTRY", "REFUSED") == [
        "Everybody comes in once.",
        "Not let in at 'in': the user was inside already.",
        "Not let in at 'in': the user had been in before, and the journey lets everybody in only once.",
    ]
    [entered] = told(found["facts"], "ENTERED")
    assert "in version 1, and ended 2024-03-14 20:00:00 (Asia/Seoul) as completed." in entered


async def test_nobody_somebody_who_did_nothing_and_a_journey_that_is_not_there_are_three_answers(
    api: Api,
) -> None:
    world = api.world
    journey_id = await world.add_journey(asking())
    await world.live(world.event("", NOON, user="lee", type="identify"))
    assert (await of_entry(api, journey_id, "nobody"))["__typename"] == "UnknownIdentity"
    assert (await of_entry(api, journey_id + 1, "lee"))["__typename"] == "NotFoundProblem"
    found = await of_entry(api, journey_id, "lee")
    assert found["verdict"] == "NO_EVENT"
    assert told(found["facts"], "NO_EVENT") == ["This person has never done 'order'."]


async def test_before_a_journey_started_nobody_could_enter(api: Api) -> None:
    world = api.world
    journey_id = await world.add_journey(asking(), status="draft")
    await world.live(world.event("order", NOON, user="kim", total=50, shop="a"))
    assert (await of_entry(api, journey_id))["verdict"] == "NOT_RUNNING"


async def test_a_message_tells_its_way_from_the_decision_to_what_was_heard(api: Api) -> None:
    world = api.world
    await world.add_connection()
    await world.add_journey(reaching(saying("email", "mail")), title="Welcome")
    await world.live(world.event("", NOON, user="kim", type="identify", email="kim@example.com"))
    await world.live(world.event("sign_up", NOON, user="kim"))
    [message] = await world.rows(Message)
    waiting = await of_message(api)
    assert waiting[-1]["text"] == "It waits to be sent."
    bounced = {"reason": "invalid_recipient", "code": "550", "detail": "5.1.1 nobody here"}
    await hear(api.world, message.id, ("accepted", NOON + 1, {}), ("bounced", NOON + MINUTE, bounced))
    facts = await of_message(api)
    assert told(facts, "DECIDED") == [
        "The step 'mail' of 'Welcome' decided to send it, in a run that entered by 'sign_up'."
    ]
    assert told(facts, "ADDRESS")[0] == "It was for kim@example.com on email."
    assert told(facts, "CONNECTION") == ["It goes, or went, through the connection 'mail'."]
    assert told(facts, "SUPPRESSED") == [
        "The address is suppressed, from what was heard of it: invalid_recipient."
    ]
    assert told(facts, "HEARD") == [
        "The provider took it over.",
        "It came back: invalid recipient. 550 5.1.1 nobody here",
    ]
    assert told(facts, "OUTCOME") == ["It was taken over, and came back: invalid recipient."]


async def test_a_message_that_was_never_tried_tells_why(api: Api) -> None:
    world = api.world
    await world.add_connection()
    await world.add_journey(reaching(saying("email", "mail")))
    await world.live(world.event("sign_up", NOON, user="kim"))
    facts = await of_message(api)
    assert told(facts, "ADDRESS") == ["The user had no address on email to write to."]
    assert told(facts, "OUTCOME") == ["It was never tried: the user has no address on this channel."]


async def test_explanations_of_many_take_as_many_statements_as_of_one(api: Api) -> None:
    world = api.world
    await world.add_connection()
    journey_id = await world.add_journey(abandoned_cart())
    text = """query($id: ID!) { journey(id: $id) { runs(first: 10) { edges { node {
      explain { text } visits { message { explain { text } } }
    } } } } }"""
    counts = []
    for n in range(3):
        at = NOON + n * 3 * HOUR
        who = {"user": f"user-{n}", "type": "identify", "email": f"user-{n}@example.com"}
        await world.live(world.event("", at, **who))
        await world.live(world.event("add_to_cart", at, user=f"user-{n}"), until=at + 2 * HOUR)
        with api.statements() as seen:
            found = await api.ask(text, id=to_id("Journey", journey_id))
        assert len(found["journey"]["runs"]["edges"]) == n + 1
        counts.append(len([statement for statement in seen if "SELECT" in statement]))
    assert len(set(counts)) == 1


async def test_what_is_no_question_is_told_with_its_place(small_api: Api) -> None:
    journey_id = await small_api.world.add_journey(abandoned_cart())
    asked = {"journey": to_id("Journey", journey_id), "i": {"userId": "kim"}, "at": "2024-03-13T20:00:00"}
    found = (await small_api.ask(ENTRY, **asked))["explainEntry"]
    assert (found["__typename"], found["path"]) == ("InputProblem", ["at"])
    found = (await small_api.ask(ENTRY, **{**asked, "journey": "x", "at": None}))["explainEntry"]
    assert (found["__typename"], found["path"]) == ("NotFoundProblem", ["journey"])


async def test_an_audience_tells_who_belongs_to_it(api: Api) -> None:
    world = api.world
    async with world.db.write() as session:
        conditions = '{"attribute": {"name": "plan", "operator": "equals", "value": "member"}}'
        await segments.create(session, world.project_id, "Members", conditions, NOON)
    for name, plan in (("kim", "member"), ("lee", "free")):
        await world.live(world.event("", NOON, user=name, type="identify", plan=plan))
    graph = line(step("members", "entry_audience", segment="Members"), step("out", "exit"))
    journey_id = await world.add_journey(graph)
    await world.settle(NOON + 1)
    found = await of_entry(api, journey_id, "kim")
    assert found["verdict"] == "ENTERED"
    assert told(found["facts"], "ENTRY", "CONDITION_HELD") == [
        "The entry 'members' lets in who belongs to the segment 'Members', at its times.",
        "This person belongs to the segment 'Members' now.",
    ]
    found = await of_entry(api, journey_id, "lee")
    assert found["verdict"] == "CONDITIONS"
    assert told(found["facts"], "CONDITION_FAILED") == [
        "This person does not belong to the segment 'Members' now."
    ]
