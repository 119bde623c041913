"""An Alimtalk made of a template of the project, from the step to the relay."""

from dataclasses import replace

import orjson
import pytest

from channels import Unknown
from channels.alimtalk.findings import Finding, Severity
from channels.alimtalk.limits import Limits
from channels.alimtalk.lint.about import About
from channels.alimtalk.template import Template
from channels.contract import ContentField, OnUnknown
from channels.testing.fake import FakeChannel, fake_capabilities
from channels.testing.script import Script
from server.delivery import stopped
from server.delivery.alimtalk import writing
from server.store.tables import (
    AlimtalkRegistration,
    Connection,
    Consent,
    Message,
    Receipt,
    SenderProfile,
    User,
)
from tests.server.delivery.office import open_office
from tests.server.delivery.relays import (
    BINDINGS,
    BY_TERMS,
    COUPON,
    COUPON_BINDINGS,
    PAID,
    change,
    open_relays,
    put_template,
    sign_up,
)
from tests.world import DAY, HOUR, MINUTE, NOON, World, reaching, statements, step

pytestmark = pytest.mark.anyio
ORDER = {"product": "꽃신", "order_id": "A-1"}


def paid(key: str = "paid", **config: object) -> dict[str, object]:
    return step("alimtalk", "alimtalk", template=key, **config)


async def messages(world: World) -> list[tuple[str, str, int | None]]:
    """Status, reason and version of each."""
    return [(row.status, row.reason, row.template_version) for row in await world.rows(Message, "id")]


async def details(world: World) -> list[str]:
    return [row.detail for row in await world.rows(Receipt, "message_id", "key") if row.detail]


async def test_one_relay_gets_the_variables_and_another_the_whole_text(world: World) -> None:
    async with open_relays(world) as relays:
        await put_template(world, "paid", PAID, BINDINGS, relays.by_solapi, relays.by_sens)
        await world.add_journey(reaching(paid(variables={"#{상품}": "{{ event.product | upcase }} 1켤레"})))
        await sign_up(world, "kim", "lee", **ORDER)
        await relays.settle()
        first = min(relays.at_solapi(), key=lambda one: one["to"])
        assert first["kakaoOptions"]["templateId"] == f"paid-1-{relays.by_solapi}"
        # SOLAPI fills everything itself, and wants nothing else beside variables.
        assert {"title", "buttons"}.isdisjoint(first["kakaoOptions"])
        assert "text" not in first
        assert first["kakaoOptions"]["variables"] == {
            "#{이름}": "Kim",
            "#{상품}": "꽃신 1켤레",
            "#{주문번호}": "A-1",
        }
        assert [row.template for row in await world.rows(Message)] == ["paid", "paid"]
        assert await messages(world) == [("accepted", "", 1)] * 2
        [registration] = [
            row for row in await world.rows(AlimtalkRegistration) if row.connection_id == relays.by_solapi
        ]
        assert (registration.operation, registration.first_sent_at) == ("active", NOON)
        profiles = {row.connection_id: row.last_sent_at for row in await world.rows(SenderProfile)}
        assert profiles == {relays.by_solapi: NOON, relays.by_sens: None}
        # Dormant at SOLAPI: what comes now moves on to SENS at once, and says why.
        await change(world, AlimtalkRegistration, registration.id, is_dormant=True)
        await sign_up(world, "park", at=NOON + HOUR, **ORDER)
        world.clock.reach(NOON + HOUR)
        await relays.settle()
        [whole] = relays.at_sens()
        assert whole["templateCode"] == f"paid-1-{relays.by_sens}"
        assert whole["content"] == "Park님, 주문하신 꽃신 1켤레의 결제가 완료되었습니다."
        assert whole["buttons"] == [
            {"type": "WL", "name": "주문 보기", "linkMobile": "https://shop.example/o/A-1"}
        ]
        assert any("may not be sent through connection" in one for one in await details(world))
        # And dormant there, too: nobody is left who could send it.
        for row in await world.rows(AlimtalkRegistration):
            await change(world, AlimtalkRegistration, row.id, is_dormant=True)
        await sign_up(world, "choi", at=NOON + DAY, **ORDER)
        world.clock.reach(NOON + DAY)
        await relays.settle()
        assert ("skipped", "template_unavailable", None) in await messages(world)
        assert await world.counts("skipped", "reason") == {"template_unavailable": 1}
        assert len(relays.at_solapi()) == 2


async def test_the_newest_sendable_version_leaves_and_a_key_of_no_template_is_the_relays_own_code(
    sqlite_world: World,
) -> None:
    world = sqlite_world
    async with open_relays(world) as relays:
        await put_template(world, "paid", PAID, BINDINGS, relays.by_solapi)
        newer = {**PAID, "body": "#{이름}님, 감사합니다."}
        more = {"number": 2, "inspection": "in_review"}
        await put_template(world, "paid", newer, BINDINGS, relays.by_solapi, **more)
        steps = (paid(), step("own", "alimtalk", template="KA01", variables={"이름": "{{ user.name }}"}))
        await world.add_journey(reaching(*steps))
        await sign_up(world, "kim", **ORDER)
        await relays.settle()
        sent = {one["kakaoOptions"]["templateId"] for one in relays.at_solapi()}
        assert sent == {f"paid-1-{relays.by_solapi}", "KA01"}
        by_step = {row.step_key: row for row in await world.rows(Message)}
        assert (by_step["own"].template, by_step["own"].template_version) == ("", None)
        second = next(row for row in await world.rows(AlimtalkRegistration) if row.number == 2)
        await change(world, AlimtalkRegistration, second.id, inspection="approved")
        await sign_up(world, "lee", at=NOON + MINUTE, **ORDER)
        world.clock.reach(NOON + MINUTE)
        await relays.settle()
        last = relays.at_solapi()[-2]["kakaoOptions"]
        assert last["templateId"] == f"paid-2-{relays.by_solapi}"


async def test_what_a_relay_would_refuse_never_reaches_it(sqlite_world: World) -> None:
    world = sqlite_world
    async with open_relays(world) as relays:
        await put_template(world, "paid", PAID, {"이름": "{{ user.name }}"}, relays.by_solapi)
        await world.add_journey(reaching(paid()))
        await sign_up(world, "kim", **ORDER)
        await relays.settle()
        assert relays.at_solapi() == []
        assert {(status, reason) for status, reason, _ in await messages(world)} == {
            ("skipped", "content_invalid")
        }
        told = await details(world)
        assert any("#{상품}, #{주문번호}" in one for one in told)


async def test_the_rules_are_asked_for_each_recipient_and_name_themselves(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = sqlite_world
    asked: list[tuple[str, Limits, About]] = []

    def lint_filled(
        template: Template, filled: Template, limits: Limits, about: About, values: object
    ) -> list[Finding]:
        asked.append((filled.body, limits, about))
        is_long = "Lee" in filled.body
        severity = Severity.ERROR if is_long else Severity.WARNING
        return [Finding("AT015", severity, ("body",), "It is too long.", "너무 깁니다.", "", "")]

    monkeypatch.setattr(writing, "lint_filled", lint_filled)
    async with open_relays(world) as relays:
        await put_template(world, "paid", PAID, BINDINGS, relays.by_solapi)
        [profile, _] = await world.rows(SenderProfile, "id")
        await change(world, SenderProfile, profile.id, is_first_time=True)
        await world.add_journey(reaching(paid()))
        await sign_up(world, "kim", "lee", **ORDER)
        await relays.settle()
        assert [one["kakaoOptions"]["variables"]["#{이름}"] for one in relays.at_solapi()] == ["Kim"]
        assert sorted(await messages(world)) == [("accepted", "", 1), ("skipped", "content_invalid", 1)]
        assert "AT015: It is too long." in await details(world)
        [about] = {about.is_first_time for _, _, about in asked}
        assert about is True


async def test_a_coupon_goes_to_members_who_agreed_and_leaves_its_evidence(world: World) -> None:
    async with open_relays(world) as relays:
        about = {"declaration": BY_TERMS}
        await put_template(world, "coupon", COUPON, COUPON_BINDINGS, relays.by_solapi, **about)
        await world.add_journey(reaching(paid("coupon")))
        coupon = {"code": "WELCOME-7", "name": "가입 쿠폰", "expires_at": "2026-12-31T23:59:59+09:00"}
        said = {"granted": True, "at": NOON - DAY, "source": "join", "evidence": "terms 2026-01"}
        await sign_up(world, "kim", "lee", coupon=coupon)
        anonymous = {"phone": "010-9999-0000", "name": "Nobody"}
        await world.send(
            world.event("", NOON, anonymous="nobody", type="identify", **anonymous),
            world.event("sign_up", NOON, anonymous="nobody", coupon=coupon),
        )
        await agree(world, "kim", **said)
        await relays.settle()
        found = await world.rows(Message)
        reasons = sorted((row.status, row.reason, row.demands) for row in found)
        assert reasons == [
            ("accepted", "", "benefit_notice"),
            ("skipped", "no_consent", "benefit_notice"),
            ("skipped", "not_member", "benefit_notice"),
        ]
        [sent] = relays.at_solapi()
        assert sent["kakaoOptions"]["variables"]["#{쿠폰}"] == "WELCOME-7"
        [evidence] = [orjson.loads(row.evidence) for row in found if row.evidence]
        assert evidence["coupon"] == "WELCOME-7"
        assert evidence["declaration"]["terms_version"] == "2026-01"
        assert (evidence["version"], evidence["code"]) == (1, f"coupon-1-{relays.by_solapi}")
        assert evidence["consent"]["evidence"] == "terms 2026-01"


async def agree(world: World, name: str, *, granted: bool, at: int, source: str, evidence: str) -> None:
    await world.settle()
    [user] = [row for row in await world.rows(User) if row.user_id == name]
    async with world.db.write() as session:
        session.add(
            Consent(
                shard=user.shard,
                project_id=world.project_id,
                user_number=user.number,
                channel="kakao",
                purpose="benefit_notice",
                granted=granted,
                decided_at=at,
                source=source,
                evidence=evidence,
            )
        )


async def test_a_claim_asks_for_its_templates_once(sqlite_world: World) -> None:
    world = sqlite_world

    async def asked(relays: object, *names: str) -> int:
        await sign_up(world, *names, at=world.clock.now(), **ORDER)
        await world.settle()
        with statements(world.db) as seen:
            await relays.settle()  # type: ignore[attr-defined]  # it has one
        return sum("alimtalk" in one for one in seen)

    async with open_relays(world) as relays:
        await put_template(world, "paid", PAID, BINDINGS, relays.by_solapi)
        await world.add_journey(reaching(paid()))
        assert await asked(relays, "kim") == 2  # the templates, and that one was used
        world.clock.reach(NOON + 1000)
        assert await asked(relays, *(f"u{number}" for number in range(6))) == 1


async def test_a_sender_that_fails_hands_on_only_to_who_may_send_the_template(sqlite_world: World) -> None:
    world = sqlite_world
    async with open_relays(world) as relays:
        await put_template(world, "paid", PAID, BINDINGS, relays.by_solapi, relays.by_sens)
        await put_template(world, "only", PAID, BINDINGS, relays.by_solapi)
        await world.add_journey(reaching(paid(), step("only", "alimtalk", template="only")))
        relays.solapi.keys.clear()
        await sign_up(world, "kim", **ORDER)
        await relays.settle()
        assert [one["templateCode"] for one in relays.at_sens()] == [f"paid-1-{relays.by_sens}"]
        found = {row.step_key: row for row in await world.rows(Message)}
        assert (found["alimtalk"].status, found["alimtalk"].connection_id) == ("accepted", relays.by_sens)
        assert (found["only"].reason, found["only"].connection_id) == ("auth_failed", relays.by_solapi)


async def test_a_connection_that_is_off_keeps_what_no_other_may_send(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = sqlite_world
    monkeypatch.setattr(stopped, "MOST_AT_ONCE", 1)
    async with open_relays(world) as relays:
        await put_template(world, "paid", PAID, BINDINGS, relays.by_solapi, relays.by_sens)
        await put_template(world, "only", PAID, BINDINGS, relays.by_solapi)
        await world.add_journey(reaching(step("only", "alimtalk", template="only"), paid()))
        await sign_up(world, "kim", **ORDER)
        await world.settle()
        await change(world, Connection, relays.by_solapi, is_enabled=False)
        await relays.settle()
        found = {row.step_key: (row.status, row.connection_id) for row in await world.rows(Message)}
        assert found == {"alimtalk": ("accepted", relays.by_sens), "only": ("queued", relays.by_solapi)}
        await change(world, Connection, relays.by_solapi, is_enabled=True)
        await relays.settle()
        assert [one["kakaoOptions"]["templateId"] for one in relays.at_solapi()] == [
            f"only-1-{relays.by_solapi}"
        ]


async def test_what_may_have_arrived_is_asked_about_whatever_has_become_of_its_template(
    sqlite_world: World,
) -> None:
    world = sqlite_world
    async with open_office(world) as office:
        fields = {name: ContentField() for name in ("template", "text", "title")}
        can = replace(fake_capabilities("kakao"), content=fields, on_unknown=OnUnknown.ASK)
        relay = FakeChannel(
            key="relay", channel="kakao", capabilities=can, script=Script(turns={1: Unknown()})
        )
        office.host.channels["relay"] = relay
        first = await world.add_connection("relay", "relay", channel="kakao")
        plain = {"name": "인사", "body": "#{이름}님, 안녕하세요."}
        await put_template(world, "paid", plain, {"이름": "{{ user.name }}"}, first)
        await world.add_journey(reaching(paid()))
        await sign_up(world, "kim")
        await office.settle()
        [registration] = await world.rows(AlimtalkRegistration)
        await change(world, AlimtalkRegistration, registration.id, operation="stopped")
        world.clock.reach(NOON + MINUTE)
        await office.settle()
        assert len(relay.asked) == 1
        message = await office.message()
        # The relay had it all the time: to call it skipped would have been a lie.
        assert (message.status, message.template_version) == ("accepted", 1)


async def test_what_breaks_a_limit_only_once_it_is_filled_never_reaches_the_relay(
    sqlite_world: World,
) -> None:
    world = sqlite_world
    async with open_relays(world) as relays:
        await put_template(world, "paid", PAID, BINDINGS, relays.by_solapi)
        [profile, _] = await world.rows(SenderProfile, "id")
        await change(world, SenderProfile, profile.id, is_first_time=True)
        await world.add_journey(reaching(paid()))
        for number, product in enumerate(("꽃신", "꽃" * 40, "꽃" * 1400)):
            await sign_up(world, f"user{number}", product=product, order_id="A-1")
        await relays.settle()
        assert [one["kakaoOptions"]["variables"]["#{상품}"] for one in relays.at_solapi()] == ["꽃신"]
        told = " ".join(await details(world))
        assert "AT027" in told
        assert "AT015" in told
