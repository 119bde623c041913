"""Journeys that named a relay's code go on when its template becomes the project's."""

from typing import Any

import pytest

from channels.alimtalk.desk import Inspection, Operation, Registered
from channels.alimtalk.template import Template
from server.desks.adopting import adopt
from server.desks.telling import Whose
from server.store import alimtalk_keyed, alimtalk_templates
from server.store.alimtalk_templates import Text
from server.store.tables import AlimtalkVersion, Message
from tests.server.delivery.relays import Relays, open_relays, sign_up
from tests.world import MINUTE, NOON, World, reaching, step

pytestmark = pytest.mark.anyio
HELLO = Template(body="#{이름}님, 환영합니다.", name="환영")


async def adopted(world: World, connection: int, *codes: str, template: Template = HELLO) -> int:
    told = [Registered(code, Inspection.APPROVED, Operation.ACTIVE, template=template) for code in codes]
    async with world.db.write() as session:
        whose = Whose(world.project_id, connection, "계정")
        return (await adopt(session, whose, told, world.clock.now(), world.clock.now())).made


async def later(world: World, relays: Relays, user: str) -> dict[str, tuple[str, str, str]]:
    """What became of this user's messages: by step, their template, status and reason."""
    known = {row.id for row in await world.rows(Message)}
    world.clock.reach(world.clock.now() + MINUTE)
    await sign_up(world, user, at=world.clock.now())
    await relays.settle()
    rows = [row for row in await world.rows(Message) if row.id not in known]
    return {row.step_key: (row.template, row.status, row.reason) for row in rows}


def talk(key: str, **config: Any) -> dict[str, Any]:
    return step(key, "alimtalk", **{"template": "W1", **config})


async def test_a_running_journey_that_names_a_code_goes_on_after_it_is_adopted(world: World) -> None:
    variables = {"#{이름}": "{{ user.name }}"}
    steps = (
        talk("whole", connection="sens_alimtalk", text="{{ user.name }}님, 환영합니다."),
        talk("other", connection="solapi_alimtalk", variables=variables),
        talk("lacking", connection="sens_alimtalk", text="", variables={}, template="W2"),
        talk("plain", connection="solapi_alimtalk", variables=variables, template="S1"),
    )
    async with open_relays(world) as relays:
        await world.add_journey(reaching(*steps))
        before = await later(world, relays, "kim")
        assert before["whole"] == before["other"] == before["plain"] == ("", "accepted", "")
        assert await adopted(world, relays.by_sens, "W1", "W2") == 2
        assert await adopted(world, relays.by_solapi, "S1") == 1
        after = await later(world, relays, "lee")
        assert after == {**before, "plain": ("S1", "accepted", "")}
        said = [one["content"] for one in relays.at_sens() if one["templateCode"] == "W1"]
        assert said == ["Kim님, 환영합니다.", "Lee님, 환영합니다."]
        assert [one["kakaoOptions"]["templateId"] for one in relays.at_solapi()] == ["W1", "S1"] * 2
        async with world.db.read() as session:
            sends = await alimtalk_keyed.sends(session, world.project_id, ["W1", "W2", "S1"])
            graph = reaching(*steps)
            assert [key for key in ("W1", "W2", "S1") if sends(key, graph)] == ["S1"]


async def test_of_one_code_at_two_accounts_each_means_its_own(sqlite_world: World) -> None:
    world, variables = sqlite_world, {"이름": "{{ user.name }}"}
    async with open_relays(world) as relays:
        await world.add_journey(reaching(talk("say", variables=variables)))
        assert await adopted(world, relays.by_sens, "W1") == 1
        # Through SOLAPI, the preferred one, nothing is known of it: what is known may be sent by SENS.
        assert await later(world, relays, "kim") == {"say": ("W1", "accepted", "")}
        assert [one["content"] for one in relays.at_sens()] == ["Kim님, 환영합니다."]
        # SOLAPI has another template of this code: the step means that one, as before.
        other = Template(body="다른 글 #{이름}")
        assert await adopted(world, relays.by_solapi, "W1", template=other) == 1
        assert await later(world, relays, "lee") == {"say": ("", "accepted", "")}
        assert [one["kakaoOptions"]["templateId"] for one in relays.at_solapi()] == ["W1"]


async def test_what_is_saved_and_declared_holds_for_journeys_that_run(sqlite_world: World) -> None:
    world = sqlite_world
    async with open_relays(world) as relays:
        await world.add_journey(reaching(talk("say", connection="solapi_alimtalk", template="S1")))
        assert await adopted(world, relays.by_solapi, "S1") == 1
        assert (await later(world, relays, "kim"))["say"][0] == ""
        [version] = await world.rows(AlimtalkVersion)
        text = Text(version.content, '{"이름": "{{ user.name }}"}', "{}")
        async with world.db.write() as session:
            await alimtalk_templates.rewrite(session, version.template_id, 1, text, NOON)
        assert await later(world, relays, "lee") == {"say": ("S1", "accepted", "")}
        declared = '{"kind": "coupon", "ground": "consent", "issue_condition": "가입", "company": "소전몰"}'
        async with world.db.write() as session:
            told = Text(text.content, text.bindings, declared)
            await alimtalk_templates.rewrite(session, version.template_id, 1, told, NOON)
        assert await later(world, relays, "park") == {"say": ("S1", "skipped", "no_consent")}
        # And what was emptied behind everybody's back goes to nobody.
        async with world.db.write() as session:
            told = Text(text.content, text.bindings, '{"kind": "coupon"}')
            await alimtalk_templates.rewrite(session, version.template_id, 1, told, NOON)
        assert await later(world, relays, "choi") == {"say": ("S1", "skipped", "template_unavailable")}
