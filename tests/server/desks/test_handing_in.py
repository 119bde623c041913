"""Handing in what differs in little, what takes long, what ends open; and what shares its code."""

import base64
from collections.abc import Sequence
from typing import Any

import pytest

from channels.alimtalk.desk import Attachment, Inspection, Registered
from channels.alimtalk.template import Template
from channels.testing.providers.pictures import a_png
from server.clock import SECOND
from server.desks.following import follow
from server.resolvers.alimtalk_reviews import desks_of
from server.schema.ids import key_in
from server.store import alimtalk_registrations
from server.store.tables import AlimtalkRegistration
from tests.server.desks.relay import LOST, NO
from tests.server.schema.test_alimtalk_reviews import HELLO, Shop, open_shop
from tests.world import MINUTE, World

pytestmark = pytest.mark.anyio
VERSIONS: list[dict[str, Any]] = [
    {"link": {"mobile": "https://shop.example"}},
    {"category": "001001"},
    {"isSecure": True},
    {"name": "다른 이름"},
]


async def test_what_differs_beside_the_text_alone_is_handed_in_and_reviewed(sqlite_world: World) -> None:
    async with open_shop(sqlite_world) as shop:
        await shop.requested()
        shop.relay.approve("welcome_1")
        await shop.look()
        content: dict[str, Any] = dict(HELLO)
        for number, beside in enumerate(VERSIONS, 2):
            content |= beside
            made = await shop.save(template=content)
            assert made["version"]["number"] == number, beside
            answer = await shop.request(made["template"]["id"])
            first, live = answer["template"]["registrations"][:2]
            assert (first["version"], first["inspection"]) == (number, "REQUESTED"), beside
            assert live["isSendable"]
            # A look while it waits finds the live one as it was.
            await shop.look(all=True)
            assert [one["isSendable"] for one in (await shop.template())["registrations"][:2]] == [
                False,
                True,
            ]
            shop.relay.approve("welcome_1")
            await shop.look(all=True)
            now = (await shop.template())["registrations"][:2]
            assert [one["isSendable"] for one in now] == [True, False], beside
        assert shop.relay.asked.count("update") == len(VERSIONS)
        assert shop.relay.kept["welcome_1"].template.is_secure


async def test_another_picture_is_another_version_at_the_relay(sqlite_world: World) -> None:
    async with open_shop(sqlite_world) as shop:
        selection = "... on UploadAlimtalkImagePayload { image { name url width height size mediaType } }"
        for number, size in enumerate(((800, 400), (1000, 500)), 1):
            picture = {"kind": "IMAGE", "content": base64.b64encode(a_png(*size)).decode()}
            image = (await shop.api.change("uploadAlimtalkImage", selection, **picture))["image"]
            made = await shop.save(template={**HELLO, "emphasis": "IMAGE", "image": image})
            answer = await shop.request(made["template"]["id"])
            first = answer["template"]["registrations"][0]
            assert (first["version"], first["inspection"]) == (number, "REQUESTED")
            await shop.look(all=True)
            assert (await shop.template())["registrations"][-1]["isSendable"] is (number == 2)
            shop.relay.approve("welcome_1")
            await shop.look(all=True)
            [newest, *older] = (await shop.template())["registrations"]
            assert (newest["version"], newest["isSendable"]) == (number, True)
            assert not any(one["isSendable"] for one in older)
        kept = shop.relay.kept["welcome_1"].template.image
        assert kept is not None
        assert kept.name == f"at-relay-{shop.relay.pictures[1].name}"


async def test_a_revision_is_not_deleted_together_with_the_one_that_is_live(sqlite_world: World) -> None:
    async with open_shop(sqlite_world) as shop:
        await shop.requested()
        shop.relay.approve("welcome_1")
        await shop.look()
        made = await shop.save(template={**HELLO, "body": "새 글"})
        [edit, live] = (await shop.request(made["template"]["id"]))["template"]["registrations"]
        shop.relay.reject("welcome_1", "왜")
        await shop.look()
        [edit, live] = (await shop.template())["registrations"]
        assert edit["inspection"] == "REJECTED"
        assert "DELETE" not in edit["allowedActs"]
        for name, id in (("deleteAlimtalkRegistration", edit["id"]), ("stopAlimtalkTemplate", live["id"])):
            refused = await shop.act(name, id)
            assert refused["__typename"] == "AlimtalkStandingProblem"
        assert shop.relay.kept["welcome_1"].inspection is Inspection.APPROVED
        assert (await shop.template())["isSendable"]


async def look_at(shop: Shop) -> None:
    await follow(desks_of(await shop.context()), key_in(shop.connection, "Connection")[0], all=True)


async def test_a_slow_relay_loses_no_registration(sqlite_world: World, monkeypatch: Any) -> None:
    async with open_shop(sqlite_world) as shop:
        relay, clock = shop.relay, sqlite_world.clock
        find, create = relay.template, relay.create

        async def found(code: str) -> Registered | None:
            clock.reach(clock.now() + 130 * SECOND)
            return await find(code)

        async def created(code: str, template: Template) -> Registered:
            clock.reach(clock.now() + 50 * SECOND)
            monkeypatch.setattr(relay, "template", find)
            await look_at(shop)
            return await create(code, template)

        monkeypatch.setattr(relay, "template", found)
        monkeypatch.setattr(relay, "create", created)
        known = await shop.requested()
        assert (known["code"], known["inspection"]) == ("welcome_1", "REQUESTED")


async def test_one_that_was_let_go_while_the_relay_answered_is_there_again(
    sqlite_world: World, monkeypatch: Any
) -> None:
    async with open_shop(sqlite_world) as shop:
        ask = shop.relay.request_review

        async def asked(code: str, comment: str = "", attachments: Sequence[Attachment] = ()) -> Registered:
            async with sqlite_world.db.write() as session:
                await alimtalk_registrations.remove(session, 1)
            return await ask(code, comment, attachments)

        monkeypatch.setattr(shop.relay, "request_review", asked)
        known = await shop.requested()
        assert (known["code"], known["inspection"]) == ("welcome_1", "REQUESTED")
        assert (await shop.template())["versions"][0]["submittedAt"] is not None


async def test_a_code_that_was_given_is_kept_when_the_next_question_ends_open(sqlite_world: World) -> None:
    async with open_shop(sqlite_world, chooses_code=True) as shop:
        made = await shop.save()
        shop.relay.fails = {"request_review": LOST}
        answer = await shop.request(made["template"]["id"])
        assert (answer["__typename"], answer["isOpen"]) == ("DeskProblem", True)
        [known] = (await shop.template())["registrations"]
        assert (known["code"], known["inspection"], known["waitsFor"]) == ("KA1", "DRAFT", "REQUEST")
        shop.relay.fails = {}
        await shop.look(all=True)
        [known] = (await shop.request(made["template"]["id"]))["template"]["registrations"]
        assert (known["inspection"], known["waitsFor"]) == ("REQUESTED", None)
        assert list(shop.relay.kept) == ["KA1"]


async def test_a_refusal_leaves_the_idempotency_key_free(sqlite_world: World) -> None:
    async with open_shop(sqlite_world) as shop:
        made = await shop.save()
        shop.relay.fails = {"create": NO, "cancel": NO}
        refused = await shop.request(made["template"]["id"], idempotencyKey="a")
        assert refused["__typename"] == "DeskProblem"
        shop.relay.fails.pop("create")
        answer = await shop.request(made["template"]["id"], idempotencyKey="a")
        assert answer["__typename"] == "RequestAlimtalkReviewPayload"
        id = answer["template"]["registrations"][0]["id"]
        assert (await shop.act("cancelAlimtalkReview", id, idempotencyKey="b"))["__typename"] == "DeskProblem"
        shop.relay.fails = {}
        done = await shop.act("cancelAlimtalkReview", id, idempotencyKey="b")
        assert done["registration"]["inspection"] == "DRAFT"


async def test_a_lost_answer_is_not_asked_for_twice_with_one_key(sqlite_world: World) -> None:
    async with open_shop(sqlite_world) as shop:
        known = await shop.requested()
        shop.relay.approve("welcome_1")
        await shop.look()
        shop.relay.loses = {"stop"}
        for _ in range(2):
            lost = await shop.act("stopAlimtalkTemplate", known["id"], idempotencyKey="c")
            assert lost["isOpen"]
        assert shop.relay.asked.count("stop") == 1
        [row] = await sqlite_world.rows(AlimtalkRegistration)
        assert row.intent == "stop"
        sqlite_world.clock.reach(sqlite_world.clock.now() + MINUTE)
