"""From a draft to an approval, over the API, at a relay that is all in memory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from channels.alimtalk.desk import DeskError, Does
from channels.reasons import Reason
from server.desks.following import follow
from server.resolvers.alimtalk_reviews import desks_of
from server.schema.ids import key_in
from server.store import alimtalk_templates, projects
from server.store.tables import AlimtalkRegistration, AlimtalkVersion
from tests.server.desks.relay import LOST, NO, SECRET, Relay, host_of
from tests.server.schema.api import Api, open_api
from tests.world import MINUTE, NOON, World

pytestmark = pytest.mark.anyio

SETTLES = 3 * MINUTE
"""After so long a look at the relay settles what was not answered."""
HELLO = {"body": "#{이름}님, 가입을 환영합니다.", "name": "환영"}
STANDING = "id code version inspection operation isSendable isReplaced waitsFor allowedActs"
TEMPLATE = f"""id key name isSendable registrations {{ {STANDING} comments {{ kind text }} }}
    versions {{ number submittedAt content {{ body variables }} bindings {{ name value }}
        declaration {{ noticeOf missing }} }}"""
REFUSED = """
    ... on DeskProblem { reason relayCode detail isOpen }
    ... on AlimtalkStandingProblem { allowedActs }"""
UNFIT = """
    ... on AlimtalkDeclarationProblem { missing }
    ... on AlimtalkProblems { findings { rule message } }"""
REQUESTED = f"""... on RequestAlimtalkReviewPayload {{ template {{ {TEMPLATE} }}
    refusals {{ reason isOpen connection {{ name }} }} }} {REFUSED} {UNFIT}"""
ACTED = f"... on AlimtalkActionPayload {{ registration {{ {STANDING} }} template {{ key }} }} {REFUSED}"


@dataclass
class Shop:
    api: Api
    relay: Relay
    connection: str

    async def save(self, key: str = "welcome", **more: Any) -> dict[str, Any]:
        selection = f"... on SaveAlimtalkTemplatePayload {{ version {{ number }} template {{ {TEMPLATE} }} }}"
        wish = {"key": key, "template": HELLO, **more}
        return await self.api.change("saveAlimtalkTemplate", selection, **wish)

    async def request(self, id: str, **more: Any) -> dict[str, Any]:
        return await self.api.change("requestAlimtalkReview", REQUESTED, id=id, **more)

    async def requested(self, key: str = "welcome", **more: Any) -> dict[str, Any]:
        """The registration of a new template, whose review was asked for."""
        made = await self.save(key, **more)
        answer = await self.request(made["template"]["id"])
        assert answer["__typename"] == "RequestAlimtalkReviewPayload", answer
        return dict(answer["template"]["registrations"][0])

    async def look(self, *, all: bool = False, after: int = SETTLES) -> None:
        self.api.world.clock.reach(self.api.world.clock.now() + after)
        context = await self.context()
        await follow(desks_of(context), key_in(self.connection, "Connection")[0], all=all)

    async def context(self) -> Any:
        from server.context import Context

        world, access = self.api.world, projects.Access(self.api.world.project_id, frozenset({"read"}))
        return Context(world.db, world.clock, access, world.shards, host_of(self.relay))

    async def template(self, key: str = "welcome") -> dict[str, Any]:
        text = f"query($of: String!) {{ alimtalkTemplate(key: $of) {{ {TEMPLATE} }} }}"
        return dict((await self.api.ask(text, of=key))["alimtalkTemplate"])

    async def act(self, name: str, id: str, **more: Any) -> dict[str, Any]:
        return await self.api.change(name, ACTED, id=id, **more)

    async def notices(self) -> list[tuple[str, str]]:
        found = await self.api.ask("{ notices(first: 20) { edges { node { kind text } } } }")
        return [(one["node"]["kind"], one["node"]["text"]) for one in found["notices"]["edges"]]


@asynccontextmanager
async def open_shop(world: World, **can: Any) -> AsyncIterator[Shop]:
    relay = Relay(world.clock.now, **can)
    world.clock.reach(NOON)
    async with open_api(world, host_of(relay)) as api:
        wish = {"name": "카카오", "adapter": "relay", "settings": {"pf_id": "PF1", "api_key": SECRET}}
        made = await api.change(
            "createConnection", "... on CreateConnectionPayload { connection { id } }", **wish
        )
        yield Shop(api, relay, made["connection"]["id"])


async def test_a_template_is_saved_reviewed_approved_and_sendable(world: World) -> None:
    async with open_shop(world) as shop:
        bindings = [{"name": "이름", "value": "{{ user.name }}"}]
        made = await shop.save(bindings=bindings, declaration={"noticeOf": "INFORMATION"})
        template, version = made["template"], made["template"]["versions"][0]
        assert (template["key"], template["name"], template["isSendable"]) == ("welcome", "환영", False)
        assert version["content"] == {"body": HELLO["body"], "variables": ["이름"]}
        assert version["bindings"] == bindings
        files = [{"name": "화면.png", "mediaType": "image/png", "content": "aGVsbG8="}]
        answer = await shop.request(
            template["id"], comment="가입 직후", attachments=files, idempotencyKey="a"
        )
        [registration] = answer["template"]["registrations"]
        assert (registration["code"], registration["inspection"]) == ("welcome_1", "REQUESTED")
        assert registration["allowedActs"] == ["CANCEL"]
        assert shop.relay.files == ["화면.png"]
        again = await shop.request(template["id"], comment="가입 직후", attachments=files, idempotencyKey="a")
        assert again == answer
        assert shop.relay.asked.count("create") == shop.relay.asked.count("request_review") == 1
        shop.relay.approve("welcome_1")
        await shop.look()
        template = await shop.template()
        assert template["isSendable"]
        assert template["registrations"][0]["inspection"] == "APPROVED"
        assert await shop.notices() == [
            (
                "ALIMTALK_APPROVED",
                "Version 1 of the template “welcome” was approved at “카카오”: it can be sent.",
            )
        ]
        await shop.look()
        assert len(await shop.notices()) == 1


async def test_one_that_was_rejected_is_answered_or_changed(world: World) -> None:
    async with open_shop(world) as shop:
        registration = await shop.requested()
        shop.relay.reject("welcome_1", "변수가 너무 많습니다.")
        await shop.look()
        template = await shop.template()
        [standing] = template["registrations"]
        assert standing["comments"] == [{"kind": "REJECTION", "text": "변수가 너무 많습니다."}]
        [(kind, text)] = await shop.notices()
        assert kind == "ALIMTALK_REJECTED"
        assert "“변수가 너무 많습니다.”" in text
        answered = await shop.act("commentOnAlimtalk", registration["id"], comment="회원 가입 안내입니다.")
        assert answered["registration"]["inspection"] == "REQUESTED"
        busy = await shop.act("commentOnAlimtalk", registration["id"], comment="그리고")
        assert (busy["__typename"], busy["allowedActs"]) == ("AlimtalkStandingProblem", ["CANCEL"])
        shop.relay.reject("welcome_1", "여전히")
        await shop.look()
        # What was handed in stays as it is: another text is another version, under the same code.
        made = await shop.save(template={**HELLO, "body": "#{이름}님, 환영합니다."})
        assert made["version"]["number"] == 2
        answer = await shop.request(made["template"]["id"])
        assert [
            (one["version"], one["inspection"], one["isReplaced"])
            for one in answer["template"]["registrations"]
        ] == [(2, "REQUESTED", False), (1, "REJECTED", True)]
        assert [one["number"] for one in answer["template"]["versions"]] == [2, 1]
        assert list(shop.relay.kept) == ["welcome_1"]


async def test_an_approved_one_is_sent_on_while_its_revision_is_reviewed(world: World) -> None:
    async with open_shop(world) as shop:
        await shop.requested()
        shop.relay.approve("welcome_1")
        await shop.look()
        made = await shop.save(template={**HELLO, "body": "새 글"})
        answer = await shop.request(made["template"]["id"])

        def standings(template: dict[str, Any]) -> list[tuple[Any, ...]]:
            names = ("version", "code", "inspection", "isSendable", "isReplaced")
            return [tuple(one[name] for name in names) for one in template["registrations"]]

        live = (1, "welcome_1", "APPROVED", True, False)
        assert standings(answer["template"]) == [(2, "welcome_1", "REQUESTED", False, False), live]
        await shop.look(all=True)
        assert standings(await shop.template())[1] == live
        shop.relay.approve("welcome_1")
        await shop.look()
        assert standings(await shop.template()) == [
            (2, "welcome_1", "APPROVED", True, False),
            (1, "welcome_1", "APPROVED", False, True),
        ]


async def test_journeys_go_on_when_the_next_version_is_approved(sqlite_world: World) -> None:
    async with open_shop(sqlite_world) as shop:
        await shop.requested()
        shop.relay.approve("welcome_1")
        await shop.look()
        wider = {**HELLO, "body": HELLO["body"] + " #{택배사}"}
        made = await shop.save(template=wider)
        refused = await shop.request(made["template"]["id"])
        assert (refused["__typename"], refused["path"]) == ("InputProblem", ["input", "id"])
        assert "Nothing fills #{택배사}" in refused["message"]
        bindings = [{"name": name, "value": "{{ event.carrier }}"} for name in ("이름", "택배사")]
        made = await shop.save(template=wider, bindings=bindings)
        asked = await shop.request(made["template"]["id"])
        assert [one["version"] for one in asked["template"]["registrations"]] == [2, 1]


async def test_where_approved_ones_cannot_be_revised_the_next_version_has_its_own_code(
    sqlite_world: World,
) -> None:
    async with open_shop(sqlite_world, does=frozenset(Does) - {Does.REVISE}) as shop:
        await shop.requested()
        shop.relay.approve("welcome_1")
        await shop.look()
        made = await shop.save(template={**HELLO, "body": "새 글"})
        await shop.request(made["template"]["id"])
        assert list(shop.relay.kept) == ["welcome_1", "welcome_2"]
        assert (await shop.template())["isSendable"]


@pytest.mark.parametrize("chooses", [False, True])
@pytest.mark.parametrize("lost", ["create", "request_review"])
async def test_an_answer_that_never_comes_registers_nothing_twice(
    sqlite_world: World, lost: str, chooses: bool
) -> None:
    async with open_shop(sqlite_world, chooses_code=chooses) as shop:
        made = await shop.save()
        shop.relay.loses = {lost}
        answer = await shop.request(made["template"]["id"], idempotencyKey="a")
        assert (answer["__typename"], answer["isOpen"]) == ("DeskProblem", True)
        assert await shop.request(made["template"]["id"], idempotencyKey="a") == answer
        [waiting] = (await shop.template())["registrations"]
        assert waiting["waitsFor"] == "REQUEST"
        # Whoever asks may still be at it: a look at once ends nothing.
        await shop.look(all=True, after=1)
        [waiting] = (await shop.template())["registrations"]
        assert waiting["waitsFor"] == "REQUEST"
        shop.relay.loses = set()
        # Asked again at once nobody is asked; the next look at the relay knows.
        assert (await shop.request(made["template"]["id"]))["__typename"] == "AlimtalkStandingProblem"
        await shop.look(all=True)
        [known] = (await shop.template())["registrations"]
        assert known["waitsFor"] is None
        assert known["inspection"] == ("DRAFT" if lost == "create" else "REQUESTED")
        if lost == "create":
            again = await shop.request(made["template"]["id"])
            assert again["template"]["registrations"][0]["inspection"] == "REQUESTED"
        assert shop.relay.asked.count("create") == 1
        assert len(shop.relay.kept) == 1


async def test_who_asks_again_before_a_look_finds_what_is_there(sqlite_world: World) -> None:
    async with open_shop(sqlite_world, chooses_code=True) as shop:
        made = await shop.save()
        shop.relay.loses = {"create"}
        await shop.request(made["template"]["id"])
        shop.relay.loses = set()
        shop.api.world.clock.reach(shop.api.world.clock.now() + SETTLES)
        answer = await shop.request(made["template"]["id"])
        assert answer["template"]["registrations"][0]["code"] == "KA1"
        assert list(shop.relay.kept) == ["KA1"]


async def test_what_never_arrived_is_told_and_can_be_asked_again(sqlite_world: World) -> None:
    async with open_shop(sqlite_world) as shop:
        made = await shop.save()
        shop.relay.fails = {"create": LOST}
        await shop.request(made["template"]["id"])
        shop.relay.fails = {}
        await shop.look(all=True)
        assert [kind for kind, _ in await shop.notices()] == ["ALIMTALK_UNSETTLED"]
        template = await shop.template()
        assert (template["registrations"], template["versions"][0]["submittedAt"]) == ([], None)
        await shop.requested()


async def test_a_desk_that_says_no_leaves_all_as_it_was_and_no_secret_goes_out(world: World) -> None:
    async with open_shop(world) as shop:
        made = await shop.save()
        shop.relay.fails = {"create": NO}
        refused = await shop.request(made["template"]["id"])
        assert (refused["__typename"], refused["reason"], refused["relayCode"], refused["isOpen"]) == (
            "DeskProblem",
            "CONTENT_REJECTED",
            "-1",
            False,
        )
        assert SECRET not in str(refused)
        assert await shop.template() == made["template"]
        shop.relay.fails = {"request_review": NO}
        # What was done before the relay said no is done.
        await shop.request(made["template"]["id"])
        [half] = (await shop.template())["registrations"]
        assert (half["inspection"], half["waitsFor"]) == ("DRAFT", None)
        shop.relay.fails = {}
        registration = (await shop.request(made["template"]["id"]))["template"]["registrations"][0]
        before = await shop.template()
        shop.relay.fails = {"cancel": DeskError(Reason.RATE_LIMITED, "429", "slowly")}
        assert (await shop.act("cancelAlimtalkReview", registration["id"]))["detail"] == "slowly"
        assert await shop.template() == before
        shop.relay.fails = {}
        done = await shop.act("cancelAlimtalkReview", registration["id"], idempotencyKey="c")
        assert done["registration"]["inspection"] == "DRAFT"
        assert await shop.act("cancelAlimtalkReview", registration["id"], idempotencyKey="c") == done
        assert shop.relay.asked.count("cancel") == 2


async def test_each_act_is_guarded_and_done(sqlite_world: World) -> None:
    async with open_shop(sqlite_world) as shop:
        id = (await shop.requested())["id"]
        assert (await shop.act("stopAlimtalkTemplate", id))["__typename"] == "AlimtalkStandingProblem"
        shop.relay.approve("welcome_1")
        await shop.look()
        stopped = await shop.act("stopAlimtalkTemplate", id)
        assert (stopped["registration"]["operation"], stopped["registration"]["isSendable"]) == (
            "STOPPED",
            False,
        )
        assert (await shop.act("reuseAlimtalkTemplate", id))["registration"]["isSendable"]
        shop.relay.kept["welcome_1"].is_dormant = True
        shop.relay._touched("welcome_1")
        await shop.look()
        assert not (await shop.template())["isSendable"]
        assert (await shop.act("releaseAlimtalkTemplate", id))["registration"]["isSendable"]
        given_back = await shop.act("cancelAlimtalkApproval", id)
        assert given_back["registration"]["inspection"] == "DRAFT"
        deleted = await shop.act("deleteAlimtalkRegistration", id)
        assert (deleted["registration"], shop.relay.kept) == (None, {})
        template = await shop.template()
        assert (template["registrations"], template["versions"][0]["submittedAt"]) == ([], None)
        assert (await shop.act("stopAlimtalkTemplate", id))["__typename"] == "NotFoundProblem"


async def test_what_a_desk_cannot_do_is_not_asked(sqlite_world: World) -> None:
    async with open_shop(sqlite_world, does=frozenset({Does.REQUEST})) as shop:
        id = (await shop.requested())["id"]
        refused = await shop.act("cancelAlimtalkReview", id)
        assert (refused["__typename"], "does not offer" in refused["message"]) == (
            "AlimtalkStandingProblem",
            True,
        )
        assert "cancel" not in shop.relay.asked


async def test_a_notice_about_coupons_is_declared_before_anybody_is_asked(sqlite_world: World) -> None:
    async with open_shop(sqlite_world) as shop:
        coupon = {"noticeOf": "COUPON", "ground": "TERMS", "issueCondition": "구매", "company": "소전몰"}
        body = {"body": "[소전몰] 구매 쿠폰 안내\n※ 이 메시지는 약관에 따라 지급된 쿠폰 안내입니다."}
        made = await shop.save(template=body, declaration=coupon)
        assert len(made["template"]["versions"][0]["declaration"]["missing"]) == 2
        refused = await shop.request(made["template"]["id"])
        assert (refused["__typename"], refused["code"]) == ("AlimtalkDeclarationProblem", "MISSING")
        assert len(refused["missing"]) == 2
        assert shop.relay.asked == []
        whole = {**coupon, "termsVersion": "3", "termsAt": "2026-01-01"}
        again = await shop.save(template=body, declaration=whole)
        assert again["version"]["number"] == 1
        answer = await shop.request(made["template"]["id"])
        assert answer["__typename"] == "RequestAlimtalkReviewPayload"


async def test_the_same_text_with_other_bindings_is_the_same_version(sqlite_world: World) -> None:
    async with open_shop(sqlite_world) as shop:
        await shop.requested()
        again = await shop.save(bindings=[{"name": "이름", "value": "{{ user.name }}"}])
        assert (again["version"]["number"], len(again["template"]["versions"])) == (1, 1)
        assert again["template"]["versions"][0]["bindings"] == [{"name": "이름", "value": "{{ user.name }}"}]
        [version] = await sqlite_world.rows(AlimtalkVersion)
        assert version.submitted_at is not None


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"key": " "}, ["input", "key"]),
        ({"key": "k" * 101}, ["input", "key"]),
        ({"bindings": [{"name": "없음", "value": "x"}]}, ["input", "bindings", "0"]),
        ({"bindings": [{"name": "이름", "value": "{{ user."}]}, ["input", "bindings", "0", "value"]),
        ({"declaration": {"company": "x" * 501}}, ["input", "declaration", "company"]),
    ],
)
async def test_what_cannot_be_saved_is_told_with_its_place(
    sqlite_world: World, wrong: dict[str, Any], path: list[str]
) -> None:
    async with open_shop(sqlite_world) as shop:
        refused = await shop.save(**wrong)
        assert (refused["__typename"], refused["path"]) == ("InputProblem", path)


async def test_attachments_are_looked_at(sqlite_world: World) -> None:
    more = {"profile_setting": "pf_id", "attachment_types": ["png"]}
    async with open_shop(sqlite_world, more=more) as shop:
        made = await shop.save()
        for wrong, path in (
            ({"name": "a.exe", "mediaType": "image/png", "content": "aGVsbG8="}, "name"),
            ({"name": "../a.png", "mediaType": "image/png", "content": "aGVsbG8="}, "name"),
            ({"name": "a.png", "mediaType": "image/png", "content": "!"}, "content"),
        ):
            refused = await shop.request(made["template"]["id"], attachments=[wrong])
            assert refused["path"] == ["input", "attachments", "0", path]
        assert await sqlite_world.rows(AlimtalkRegistration) == []


async def test_templates_are_listed_in_pages_and_found(small_api: Api) -> None:
    for key in ("b", "a", "환영"):
        await small_api.change("saveAlimtalkTemplate", "", key=key, template=HELLO)
    text = """query($filter: AlimtalkTemplateFilter, $after: String) {
        alimtalkTemplates(filter: $filter, first: 2, after: $after) {
            edges { node { key latest { number findings { rule } } } }
            pageInfo { hasNextPage endCursor } } }"""

    async def keys(**more: Any) -> tuple[list[str], dict[str, Any]]:
        found = (await small_api.ask(text, **more))["alimtalkTemplates"]
        return [one["node"]["key"] for one in found["edges"]], found["pageInfo"]

    first, info = await keys()
    assert (first, info["hasNextPage"]) == (["a", "b"], True)
    assert (await keys(after=info["endCursor"]))[0] == ["환영"]
    assert (await keys(filter={"search": "환"}))[0] == ["a", "b"]
    assert (await keys(filter={"inspection": "APPROVED"}))[0] == []
    assert (await keys(filter={"isArchived": True}))[0] == []
    with small_api.statements() as one:
        await keys(filter={"search": "환영"})
    template = (await small_api.ask('{ alimtalkTemplate(key: "a") { id } }'))["alimtalkTemplate"]
    selection = "... on ArchiveAlimtalkTemplatePayload { template { archivedAt } }"
    put_away = await small_api.change("archiveAlimtalkTemplate", selection, id=template["id"])
    assert put_away["template"]["archivedAt"] is not None
    assert (await keys())[0] == ["b", "환영"]
    with small_api.statements() as two:
        await keys()
    assert len(one) == len(two)


async def test_what_was_declared_of_what_was_handed_in_is_not_taken_back(sqlite_world: World) -> None:
    declared = {
        "noticeOf": "COUPON",
        "ground": "CONSENT",
        "issueCondition": "회원가입",
        "company": "소전몰",
    }
    async with open_shop(sqlite_world) as shop:
        await shop.save(declaration=declared)
        async with sqlite_world.db.write() as session:
            await alimtalk_templates.submitted(session, 1, 1, NOON)
        for looser in (
            {"noticeOf": "COUPON"},
            {"noticeOf": "INFORMATION"},
            {**declared, "ground": "EVENT_PRIZE"},
        ):
            answer = await shop.save(declaration=looser)
            assert (answer["__typename"], answer["path"]) == ("InputProblem", ["input", "declaration"])
        better = await shop.save(declaration={**declared, "issueCondition": "첫 회원가입"})
        assert better["version"]["number"] == 1
        other = {**HELLO, "body": "새 글"}
        newer = await shop.save(template=other, declaration={"noticeOf": "INFORMATION"})
        assert newer["version"]["number"] == 2
