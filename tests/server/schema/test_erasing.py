"""A person is erased: nothing of them is found in any table, and every figure is as it was."""

from typing import Any

import orjson
import pytest

from channels.contract import ReceiptKind
from server.aggregates import recount
from server.delivery.receipts import HeardReceipt, encode
from server.store import inbox, projects, suppressed, suppressions
from server.store.bulk import inserting
from server.store.erasing import WHAT_BECOMES
from server.store.receipts import key_of
from server.store.suppressions import PutRow
from server.store.tables import (
    Consent,
    DeedSet,
    Endpoint,
    Event,
    Idempotency,
    Inbound,
    Inbox,
    KeptRefusal,
    Message,
    Purchase,
    Quarantine,
    Run,
    Suppression,
    Unclaimed,
    User,
    VisitSession,
    metadata,
)
from tests.server.engine.test_experiments import splitting
from tests.server.schema.api import Api
from tests.server.schema.test_changes import start
from tests.world import HOUR, MINUTE, NOON, World

pytestmark = pytest.mark.anyio

EMAIL, PHONE, NAME, USER, DEVICE = (
    "kim.minji@example.com",
    "+821099998888",
    "김민지",
    "user-4711",
    "device-0815",
)
PERSONAL = (EMAIL, PHONE, NAME, USER, DEVICE, "secret-cart", "10.9.8.7")


def test_it_is_said_of_every_table_what_becomes_of_it() -> None:
    assert set(WHAT_BECOMES) == set(metadata.tables)


async def lived(api: Api) -> str:
    """Somebody with a device, a name and two addresses, who has done and received all kinds of things."""
    world, journey_id = api.world, await start(api)
    about = {"context": {"ip": "10.9.8.7"}}
    await world.live(world.event("view", NOON, anonymous=DEVICE, product="secret-cart", **about))
    await world.live(
        world.event("", NOON, user=USER, type="identify", email=EMAIL, phone=PHONE, name=NAME, **about)
    )
    await world.live(world.event("add_to_cart", NOON, anonymous=DEVICE, product="secret-cart"))
    await world.live(world.event("view", NOON + 1, user=USER, anonymous=DEVICE))
    await world.settle(NOON + 2 * HOUR)
    await world.live(world.event("purchase", NOON + 2 * HOUR, user=USER, product="secret-cart"))
    await world.live(world.event("add_to_cart", NOON + 3 * HOUR, user=USER, product="secret-cart"))
    return journey_id


async def heard(world: World) -> None:
    """The message was accepted, opened and its link followed."""
    [message] = await world.rows(Message)
    shard, _ = key_of(message.id)
    at = NOON + 2 * HOUR
    said = {"detail": f"250 ok {EMAIL}", "raw": f'{{"to": "{EMAIL}"}}'}
    receipts = [
        HeardReceipt(message.id, "a", ReceiptKind.ACCEPTED, at, **said),
        HeardReceipt(message.id, "o", ReceiptKind.OPENED, at + 1, actor="human"),
        HeardReceipt(message.id, "c", ReceiptKind.CLICKED, at + 2, actor="human", url=f"https://x/?u={USER}"),
        HeardReceipt(message.id, "d", ReceiptKind.CLICKED, at + 3, actor="human", url="https://x/"),
    ]
    rows = [inbox.Entry(shard, world.project_id, inbox.RECEIPT, encode(one), at) for one in receipts]
    async with world.db.write() as session:
        await inbox.append(session, rows)
    await world.settle()


async def strewn(api: Api) -> None:
    """What is left of somebody in other corners."""
    world, project_id = api.world, api.world.project_id
    wrote = Inbound(
        connection_id=1, key="k", project_id=project_id, channel="sms", address=PHONE, text=f"I am {NAME}",
        occurred_at=NOON, received_at=NOON,
    )  # fmt: skip
    stuck = orjson.dumps([1, "track", "m", USER, None])
    unclaimed = orjson.dumps({"raw": f"to {EMAIL}"})
    async with world.db.write() as session:
        session.add(wrote)
        await session.flush()
        await session.bulk(inserting(Quarantine), [(0, 99, project_id, "event", stuck, "broken", NOON)])
        await session.bulk(inserting(Quarantine), [(0, 98, project_id, "event", b'["lee"]', "broken", NOON)])
        await session.bulk(inserting(Unclaimed), [(1, "u", unclaimed, NOON)])
    await api.change("removeFromJourneys", userIds=[USER, "nobody"], idempotencyKey="one")
    await api.change("setConsent", identity={"userId": USER}, channel="email", purpose="ADVERTISEMENT",
        granted=False, source="form", evidence=f"letter of {NAME}", idempotencyKey="two")  # fmt: skip
    await world.settle()


async def erase(api: Api, **identity: Any) -> dict[str, Any]:
    selection = "... on EraseUserPayload { users endingRuns cancelledMessages }"
    done = await api.change("eraseUser", selection, identity=identity or {"userId": USER})
    await api.world.settle()
    assert await api.world.rows(Inbox) == []
    return done


async def found(world: World) -> list[str]:
    """Where in the database any of it stands."""
    places = []
    for name, table in metadata.tables.items():
        async with world.db.read() as session:
            for row in await session.rows(table.select()):
                text = " ".join(_plain(value) for value in row)
                places += [f"{name}: {one}" for one in PERSONAL if one in text]
    return places


def _plain(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


async def figures(world: World) -> list[Any]:

    rows = sorted(tuple(row)[1:] for row in await world.hours() if row.metric != "ended")
    async with world.db.read() as session:
        assert await recount.differences(session) == []
    return rows


async def test_nothing_of_the_person_is_left_in_any_table(api: Api) -> None:
    world = api.world
    await lived(api)
    await heard(world)
    await strewn(api)
    assert {place.split(":")[0] for place in await found(world)} >= {
        "user", "identity", "endpoint", "event", "run", "message", "receipt", "inbound", "quarantine",
        "unclaimed", "consent",
    }  # fmt: skip
    before = await figures(world)
    done = await erase(api)
    assert done["users"] == 2
    assert await found(world) == []
    assert await figures(world) == before
    assert [row.id for row in await world.rows(Quarantine)] == [98]
    assert len(await world.rows(Event)) == 6
    assert {row.name for row in await world.rows(Event)} >= {"purchase", "add_to_cart"}


async def shopped(api: Api) -> None:
    """A visitor who applies, turns out to be the person, buys and gives something back."""
    world = api.world
    email = [{"event": "Applied", "property": "email"}]
    await api.change("declareProperties", properties=email)
    await world.settle()
    page = {"url": f"https://shop.kr/hello/{USER}?utm_source=a&utm_medium=cpc&utm_term={NAME}"}
    about = {"anonymous": DEVICE, "email": EMAIL, "context": {"page": page}}
    await world.live(world.event("", NOON - HOUR, user=USER, type="identify"))
    await world.live(world.event("Applied", NOON, **about))
    await world.live(world.event("", NOON + 1, user=USER, anonymous=DEVICE, type="identify"))
    await world.settle()
    await world.live(world.event("Applied", NOON + 2 * HOUR, user=USER, **about))
    order = {"user": USER, "order_id": "o-1", "total": 5}
    await world.live(world.event("Order Completed", NOON + 2 * HOUR, **order))
    refund = {**order, "refund_id": f"RMA-{USER}", "total": 2}
    await world.live(world.event("Order Refunded", NOON + 3 * HOUR, **refund))


async def test_facts_of_deeds_tell_nothing_of_the_person_and_still_count(api: Api) -> None:
    world = api.world
    await shopped(api)
    facts = {"event", "adopted_deeds", "visit_session", "purchase"}
    # What has sets of its own is one of the project's words; see docs/behaviour.md.
    words = {"deed_set", "deed_value"}
    assert {place.split(":")[0] for place in await found(world)} >= facts | words
    before = await figures(world)
    deeds = {(row.dimension, row.value, row.span, row.bitmap) for row in await world.rows(DeedSet)}
    await erase(api)
    assert {place.split(":")[0] for place in await found(world)} == words
    assert await figures(world) == before
    assert {(row.dimension, row.value, row.span, row.bitmap) for row in await world.rows(DeedSet)} == deeds
    [purchase] = await world.rows(Purchase)
    assert [one[2] for one in orjson.loads(purchase.refunds).values()] == [20_000]
    assert {row.keyword for row in await world.rows(VisitSession)} == {"(other)"}
    async with world.db.write() as session:
        await recount.rebuild(session)
    counted = [row.value for row in await world.rows(DeedSet) if row.dimension == "property"]
    assert set(counted) == {"Applied\x1femail\x1f(other)"}
    await figures(world)


async def test_what_was_drawn_is_counted_again_as_before(api: Api) -> None:
    world = api.world
    await world.add_journey(splitting(holdout_percent=50))
    people = [USER, *(f"user-{n}" for n in range(6))]
    await world.live(*(world.event("sign_up", NOON, user=name) for name in people))
    await world.live(*(world.event("purchase", NOON + HOUR, user=name, total=1) for name in people))
    await world.settle(NOON + 2 * HOUR)
    before = await figures(world)
    for name in people:
        await erase(api, userId=name)
    assert await figures(world) == before


async def test_open_runs_end_and_queued_messages_are_cancelled_and_counted(api: Api) -> None:
    world = api.world
    await lived(api)
    done = await erase(api)
    assert (done["endingRuns"], done["cancelledMessages"]) == (1, 1)
    assert sorted(run.end_reason for run in await world.runs()) == ["completed", "erased"]
    [message] = await world.rows(Message)
    assert (message.status, message.reason, message.due_at) == ("skipped", "erased", None)
    assert await world.counts("skipped", "reason") == {"erased": 1}
    await figures(world)


async def test_other_people_keep_everything(api: Api) -> None:
    world = api.world
    await lived(api)
    lee = {"email": "lee@example.com", "phone": PHONE}
    await world.live(world.event("", NOON + 3 * HOUR, user="lee", type="identify", **lee))
    await world.live(world.event("add_to_cart", NOON + 3 * HOUR, user="lee"))
    async with world.db.write() as session:
        about = ("", "opted_out", NOON, None, "api", "")
        await suppressions.put(session, [PutRow(world.project_id, "sms", PHONE, *about)])
    await erase(api)
    user = (await api.ask('{ user(identity: {userId: "lee"}) { attributes endpoints { address } } }'))["user"]
    assert user["attributes"]["email"] == "lee@example.com"
    assert {one["address"] for one in user["endpoints"]} == {"lee@example.com", PHONE}
    # The number is somebody else's, too: it stays suppressed as it is.
    assert [(row.address, row.reason) for row in await world.rows(Suppression)] == [(PHONE, "opted_out")]
    assert sum(run.wake_at is not None for run in await world.runs()) == 1


async def refused(api: Api) -> None:
    """Has unsubscribed at one address, and withdrawn consent for another channel."""
    world = api.world
    await lived(api)
    async with world.db.write() as session:
        row = PutRow(world.project_id, "email", EMAIL.upper(), "", "opted_out", NOON, None, "api", NAME)
        await suppressions.put(session, [row])
    await api.change("setConsent", identity={"userId": USER}, channel="sms", purpose="ADVERTISEMENT",
        granted=False, source="form")  # fmt: skip
    await world.settle()


async def test_what_was_refused_is_kept_without_the_address_and_holds_when_it_comes_back(api: Api) -> None:
    world = api.world
    await refused(api)
    await erase(api)
    assert await found(world) == []
    assert (await world.rows(Suppression), await world.rows(Consent)) == ([], [])
    assert len(await world.rows(KeptRefusal)) == 2
    again = {"email": EMAIL, "phone": PHONE}
    await world.live(world.event("", NOON + 4 * HOUR, user="somebody", type="identify", **again))
    [row] = await world.rows(Suppression)
    assert (row.address, row.reason, row.set_by) == (EMAIL, "opted_out", suppressed.PEOPLE)
    [consent] = await world.rows(Consent)
    assert (consent.channel, consent.purpose, bool(consent.granted)) == ("sms", "advertisement", False)
    assert await world.rows(KeptRefusal) == []


async def test_whoever_comes_back_is_new(api: Api) -> None:
    world = api.world
    await lived(api)
    await erase(api)
    assert (await api.ask(f'{{ user(identity: {{userId: "{USER}"}}) {{ id }} }}'))["user"] is None
    await world.live(world.event("add_to_cart", NOON + 4 * HOUR, user=USER, anonymous=DEVICE))
    user = (
        await api.ask(
            """query($id: String!) { user(identity: {userId: $id}) {
                attributes erasedAt runs { edges { cursor } } } }""",
            id=USER,
        )
    )["user"]
    assert (user["attributes"], user["erasedAt"], len(user["runs"]["edges"])) == ({}, None, 1)
    await figures(world)
    assert sum(row.erased_at is None for row in await world.rows(User)) == 1


async def test_what_is_heard_later_of_their_messages_counts_and_tells_nothing(api: Api) -> None:
    world = api.world
    await lived(api)
    async with world.db.write() as session:
        await session.run(
            metadata.tables["message"].update().values(status="attempted", attempt=1, attempted_at=NOON)
        )
    await erase(api)
    await heard(world)
    assert await found(world) == []
    assert await world.counts("clicked", "reason") == {"": 1, "unsure": 1}
    assert await world.rows(Suppression) == []
    await figures(world)


async def test_a_merge_that_was_on_its_way_is_forgotten_too(api: Api) -> None:
    """The device turns out to be the person's, who is erased before the shards have told each other."""
    world = api.world
    await start(api)
    for n in range(4):
        await world.live(world.event("", NOON, user=f"{USER}-{n}", type="identify", email=EMAIL))
        await world.live(world.event("add_to_cart", NOON, anonymous=f"{DEVICE}-{n}", product="secret-cart"))
        await world.live(world.event("", NOON, anonymous=f"{DEVICE}-{n}", type="identify", name=NAME))
    for n in range(4):
        await world.send(world.event("view", NOON + MINUTE, user=f"{USER}-{n}", anonymous=f"{DEVICE}-{n}"))
        await api.change("eraseUser", identity={"userId": f"{USER}-{n}"})
    await world.settle(NOON + 2 * MINUTE)
    # What led to the person is new when it comes again; what was known is gone.
    left = {place for place in await found(world) if not place.startswith("identity")}
    assert {place for place in left if "user-" not in place} == set()
    assert {run.end_reason for run in await world.rows(Run)} <= {"erased", None}
    assert [row for row in await world.rows(Endpoint)] == []
    await figures(world)


async def test_nobody_is_erased_twice_and_a_stranger_is_not_found(small_api: Api) -> None:
    await lived(small_api)
    await erase(small_api, anonymousId=DEVICE)
    again = await small_api.change("eraseUser", identity={"userId": USER})
    assert again["__typename"] == "NotFoundProblem"


async def test_it_needs_a_key_of_an_administrator(small_api: Api) -> None:
    async with small_api.world.db.write() as session:
        about = (small_api.world.project_id, "sj_secret_", ("read", "write"), "Editor", NOON)
        small_api.key = await projects.add_key(session, *about)
    text = 'mutation { eraseUser(input: {identity: {userId: "kim"}}) { __typename } }'
    assert (await small_api.error(text))["extensions"]["code"] == "REFUSED"


async def test_an_answer_that_names_the_person_is_gone(small_api: Api) -> None:
    await lived(small_api)
    await small_api.change(
        "removeFromJourneys", userIds=[USER], anonymousIds=["nobody"], idempotencyKey="one"
    )
    await small_api.change("addSuppression", channel="EMAIL", address=EMAIL, idempotencyKey="two")
    assert len(await small_api.world.rows(Idempotency)) == 2
    await erase(small_api)
    assert [row.key for row in await small_api.world.rows(Idempotency)] == ["one"]
