"""Suppressions and consents over the API."""

import pytest

from server.store import projects, sightings
from tests.server.schema.api import Api, open_api
from tests.world import DAY, NOON, open_world

pytestmark = pytest.mark.anyio
LIST = """query($filter: SuppressionFilter, $first: Int, $after: String) {
    suppressions(filter: $filter, first: $first, after: $after) {
        edges { node { channel address purpose reason source until isSetByPeople note } }
        pageInfo { hasNextPage endCursor } } }"""
ADDED = "... on AddSuppressionPayload { suppression { address purpose reason source } }"
REMOVED = "... on RemoveSuppressionPayload { removed }"
DECIDED = "... on SetConsentPayload { consent { channel isGranted decidedAt userKey } }"
KIM = {"channel": "email", "address": "kim@example.com"}


async def addresses(api: Api, **filter: object) -> list[str]:
    found = await api.ask(LIST, filter=filter)
    return [edge["node"]["address"] for edge in found["suppressions"]["edges"]]


async def test_an_address_is_suppressed_listed_and_let_go(api: Api) -> None:
    added = await api.change(
        "addSuppression", ADDED, **KIM | {"address": "Kim@Example.com"}, idempotencyKey="a"
    )
    assert added["suppression"] == {
        "address": "kim@example.com", "purpose": None, "reason": "OPTED_OUT", "source": "API",
    }  # fmt: skip
    assert await addresses(api, address="KIM@example.com") == ["kim@example.com"]
    refused = await api.change("removeSuppression", REMOVED, **KIM)
    assert (refused["__typename"], refused["path"]) == ("InputProblem", ["input", "evidence"])
    assert (await api.change("removeSuppression", REMOVED, **KIM, evidence="called us"))["removed"] == 1
    assert await addresses(api) == []
    assert (await api.change("removeSuppression", REMOVED, **KIM))["__typename"] == "NotFoundProblem"


async def test_what_the_reader_said_is_let_go_with_evidence_and_kept_as_a_note(api: Api) -> None:
    world = api.world
    about = (world.project_id, "email", "kim@example.com", "")
    async with world.db.write() as session:
        await sightings.opt_out_address(session, *about, source="inbound", now=NOON)
    assert await addresses(api, source="INBOUND") == ["kim@example.com"]
    assert "evidence" in (await api.change("removeSuppression", REMOVED, **KIM))["message"]
    assert (await api.change("removeSuppression", REMOVED, **KIM, evidence="letter"))["removed"] == 1
    assert await addresses(api) == []
    async with world.db.write() as session:
        await sightings.opt_out_address(session, *about, source="inbound", now=NOON + DAY)
    world.clock.reach(NOON + DAY)
    found = await api.ask(LIST)
    assert found["suppressions"]["edges"][0]["node"]["note"] == "letter"


async def test_pages_filters_and_instants_find_what_they_say(api: Api) -> None:
    for number in range(3):
        await api.change("addSuppression", channel="sms", address=f"+8210000000{number}0")
    await api.change("addSuppression", **KIM, purpose="ADVERTISEMENT", until="2024-03-20T00:00:00Z")
    seen, after = [], None
    while True:
        page = (await api.ask(LIST, first=1, after=after))["suppressions"]
        seen += [edge["node"]["channel"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == ["email", "sms", "sms", "sms"]
    assert await addresses(api, purpose="ADVERTISEMENT") == ["kim@example.com"]
    assert await addresses(api, at="2024-03-20T00:00:00Z", channel="email") == []


@pytest.mark.parametrize(
    ("input", "path"),
    [
        ({"channel": "E Mail", "address": "a@b.c"}, "channel"),
        ({"channel": "mail", "address": "a@b.c"}, "channel"),
        ({"channel": "email", "address": "김@" + "가" * 666}, "address"),
        ({"channel": "email", "address": "nobody"}, "address"),
        ({"channel": "sms", "address": "12"}, "address"),
        ({**KIM, "until": "2020-01-01T00:00:00Z"}, "until"),
        ({**KIM, "until": "2030-01-01T00:00:00"}, "until"),
        ({**KIM, "note": "x" * 2001}, "note"),
    ],
)
async def test_what_cannot_be_suppressed_is_refused_with_its_place(
    small_api: Api, input: dict[str, str], path: str
) -> None:
    answer = await small_api.change("addSuppression", ADDED, **input)
    assert (answer["__typename"], answer["path"]) == ("InputProblem", ["input", path])


async def test_an_address_may_be_as_long_as_an_index_takes_in_any_script(api: Api) -> None:
    # All different: what repeats would be packed.
    address = "김@" + "".join(chr(0xAC00 + 7 * number) for number in range(665))
    assert len(address.encode()) == 1999
    await api.change("addSuppression", channel="email", address=address)
    assert await addresses(api) == [address]


@pytest.mark.parametrize(
    ("zone", "number"), [("Asia/Seoul", "+82212345678"), ("Asia/Tokyo", "+81212345678"), ("UTC", None)]
)
async def test_a_number_without_its_country_is_dialled_where_the_project_is(
    database_url: str, zone: str, number: str | None
) -> None:
    async with open_world(database_url, zone=zone) as world, open_api(world) as api:
        answer = await api.change("addSuppression", ADDED, channel="sms", address="02-1234-5678")
        assert (answer["__typename"] == "InputProblem") is (number is None)
        assert await addresses(api) == ([number] if number else [])


async def test_a_decision_is_kept_through_the_inbox_and_shown_with_its_user(api: Api) -> None:
    world = api.world
    await world.live(world.event("", NOON, type="identify", user="kim", email="kim@example.com"))
    about = {"channel": "email", "purpose": "ADVERTISEMENT", "source": "desk", "identity": {"userId": "kim"}}
    answer = await api.change("setConsent", DECIDED, **about, granted=True, idempotencyKey="k")
    assert answer["consent"]["isGranted"] is True
    assert api.wakes
    world.clock.reach(NOON + DAY)
    assert await api.change("setConsent", DECIDED, **about, granted=True, idempotencyKey="k") == answer
    await world.settle()
    shown = """{ user(identity: {userId: "kim"}) {
            id endpoints { state reachedAt } consents { channel isGranted } }
        consents(filter: {isGranted: true}) { edges { node { userKey source } } } }"""
    found = await api.ask(shown)
    assert found["user"]["consents"] == [{"channel": "email", "isGranted": True}]
    node = {"userKey": found["user"]["id"], "source": "desk"}
    assert found["consents"]["edges"] == [{"node": node}]
    earlier = "2024-03-01T00:00:00Z"
    await api.change("setConsent", DECIDED, **about, granted=False, decidedAt=earlier)
    await world.settle()
    assert (await api.ask(shown))["user"]["consents"] == [{"channel": "email", "isGranted": True}]


async def test_a_decision_of_nobody_or_of_tomorrow_is_refused(small_api: Api) -> None:
    world = small_api.world
    about = {"channel": "email", "purpose": "ADVERTISEMENT", "source": "", "granted": True}
    who = {"userId": "kim"}
    nobody = await small_api.change("setConsent", DECIDED, **about, identity=who)
    assert nobody["__typename"] == "NotFoundProblem"
    await world.live(world.event("", NOON, type="identify", user="kim"))
    answer = await small_api.change(
        "setConsent", DECIDED, **about, identity=who, decidedAt="2999-01-01T00:00:00Z"
    )
    assert answer["path"] == ["input", "decidedAt"]


async def test_nothing_is_seen_or_changed_from_another_project(api: Api) -> None:
    world = api.world
    await world.live(world.event("", NOON, type="identify", user="kim"))
    about = {"channel": "email", "purpose": "ADVERTISEMENT", "source": "desk", "identity": {"userId": "kim"}}
    await api.change("setConsent", DECIDED, **about, granted=True)
    await world.settle()
    await api.change("addSuppression", **KIM)
    async with world.db.write() as session:
        own, api.key = api.key, (await projects.create(session, "Other", "UTC", NOON)).secret_key
    assert await addresses(api) == []
    assert (await api.ask("{ consents { edges { cursor } } }"))["consents"]["edges"] == []
    removed = await api.change("removeSuppression", REMOVED, **KIM, evidence="mine")
    decided = await api.change("setConsent", DECIDED, **about, granted=False)
    assert {removed["__typename"], decided["__typename"]} == {"NotFoundProblem"}
    await api.change("addSuppression", **KIM, purpose="ADVERTISEMENT")
    api.key = own
    assert (await api.ask(LIST))["suppressions"]["edges"][0]["node"]["purpose"] is None
    assert await addresses(api) == ["kim@example.com"]


async def test_a_channel_may_be_written_as_the_api_tells_it(small_api: Api) -> None:
    world = small_api.world
    await world.live(world.event("", NOON, type="identify", user="kim", email="kim@example.com"))
    about = {"purpose": "ADVERTISEMENT", "source": "desk", "identity": {"userId": "kim"}, "granted": False}
    answer = await small_api.change("setConsent", DECIDED, **about, channel="EMAIL")
    assert answer["consent"]["channel"] == "email"
    await world.settle()
    shown = """{ user(identity: {userId: "kim"}) { consents { channel isGranted } } }"""
    assert (await small_api.ask(shown))["user"]["consents"] == [{"channel": "email", "isGranted": False}]
    refused = await small_api.change("setConsent", DECIDED, **about, channel="e mail")
    assert (refused["__typename"], refused["path"]) == ("InputProblem", ["input", "channel"])
    await small_api.change("addSuppression", ADDED, **KIM | {"channel": "EMAIL"})
    assert await addresses(small_api, address="kim@example.com") == ["kim@example.com"]
