"""Message steps over the API: what is drawn comes back, and what cannot be sent is told."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from channels import Host
from channels.contract import Capabilities, ContentField
from channels.kakao.nhn_brand import NhnBrandChannel
from channels.testing.fake import FakeChannel
from server.store.tables import Message
from tests.server.schema.api import Api, hear, open_api
from tests.world import NOON, World

pytestmark = pytest.mark.anyio

SENDING = {
    "key": "one",
    "title": "One",
    "connection": "mine",
    "purpose": "ADVERTISEMENT",
    "expiresAfterSeconds": 3600,
    "variables": [{"name": "#{name}", "value": "{{ user.name }}"}],
    "options": {"some_key": [1, {"deep": "{{ user.name }}"}]},
}
OWN: dict[str, dict[str, Any]] = {
    "email": {"subject": "S", "html": "H", "text": "T", "fromName": "F", "replyTo": "R"},
    "push": {"messageTitle": "M", "text": "T", "url": "U", "imageUrl": "I"},
    "sms": {"text": "T", "messageTitle": "M", "imageUrl": "I"},
    "whatsapp": {"template": "A", "language": "ko", "text": "T", "mediaUrl": "U"},
    "alimtalk": {"template": "A", "text": "T", "messageTitle": "M"},
    "brandMessage": {"text": "T", "template": "A"},
    "inApp": {"messageTitle": "M", "text": "T", "url": "U", "imageUrl": "I"},
    "webhook": {"text": "T"},
    "message": {"channelName": "pigeon", "content": [{"name": "knot", "value": "{{ user.name }}"}]},
}
CHANNEL = {"inApp": "IN_APP", "alimtalk": "KAKAO", "brandMessage": "BRAND_MESSAGE", "message": "OTHER"}
SELECT = (
    "... on SendingStep { connection purpose expiresAfterSeconds variables { name value } options channel }"
)


class Options(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    ttl: int = 0
    tags: list[str] = []


class Sms(FakeChannel):
    options = Options


SMS = Sms(
    key="fake-sms",
    channel="sms",
    capabilities=Capabilities(
        content={"text": ContentField(max_length=20, required=True), "title": ContentField(required=True)}
    ),
)


class Plain(FakeChannel):
    options = None


PLAIN = Plain()


@pytest.fixture
async def texting(sqlite_world: World) -> AsyncIterator[Api]:
    host = Host({"fake-sms": SMS, "fake": PLAIN}, {})
    async with open_api(sqlite_world, host) as api:
        await sqlite_world.add_connection("mine", "fake-sms", channel="sms")
        yield api


def graph(kind: str, **config: Any) -> dict[str, Any]:
    step = {kind: {"key": "one", **config}}
    return {
        "steps": [{"entryEvent": {"key": "in", "event": "go"}}, step, {"exit": {"key": "out"}}],
        "edges": [{"from": "in", "to": "one"}, {"from": "one", "to": "out"}],
    }


async def drawn(api: Api, kind: str, selection: str = "", **config: Any) -> dict[str, Any]:
    made = await api.change(
        "createJourney",
        f"""... on CreateJourneyPayload {{ journey {{ id draft {{
            steps {{ __typename key title {SELECT} {selection} }}
            problems {{ message code path }} }} }} }}""",
        title="Any",
        graph=graph(kind, **config),
    )
    return dict(made["journey"])


@pytest.mark.parametrize("kind", OWN)
async def test_a_step_of_each_kind_comes_back_as_it_was_drawn(small_api: Api, kind: str) -> None:
    name = f"{kind[0].upper()}{kind[1:]}Step"
    fields = " ".join("content { name value }" if one == "content" else one for one in OWN[kind])
    config = {**SENDING, **OWN[kind]}
    step = (await drawn(small_api, kind, f"... on {name} {{ {fields} }}", **config))["draft"]["steps"][1]
    assert step == {"__typename": name, "channel": CHANNEL.get(kind, kind.upper()), **config}


async def test_what_is_left_out_is_left_out(small_api: Api) -> None:
    step = (await drawn(small_api, "sms", text="T"))["draft"]["steps"][1]
    assert step == {
        "__typename": "SmsStep",
        "key": "one",
        "title": "one",
        "connection": None,
        "purpose": "INFORMATION",
        "expiresAfterSeconds": None,
        "variables": [],
        "options": None,
        "channel": "SMS",
    }


async def told(api: Api, kind: str = "sms", **config: Any) -> set[str]:
    """The places of all problems, within the step."""
    found = (await drawn(api, kind, **config))["draft"]["problems"]
    return {".".join(one["path"]).removeprefix("input.graph.steps.1.") for one in found}


GOOD = {"connection": "mine", "text": "Hello", "messageTitle": "T"}


async def test_a_draft_that_its_connection_can_send_has_no_problem(texting: Api) -> None:
    options = {"ttl": "{{ event.ttl }}", "tags": ["a", "{{ user.id }}"]}
    assert await told(texting, **GOOD, options=options) == set()
    assert await told(texting, text="Hello") == set()


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"connection": "other"}, "sms.connection"),
        ({"messageTitle": None}, "sms.messageTitle"),
        ({"imageUrl": "https://a.example"}, "sms.imageUrl"),
        ({"text": "x" * 21}, "sms.text"),
        ({"text": "{{ usr }}"}, "sms.text"),
        ({"options": {"ttl": "soon"}}, "sms.options.ttl"),
        ({"options": {"tags": ["a", 3]}}, "sms.options.tags.1"),
        ({"options": {"some_key": 1}}, "sms.options.some_key"),
        ({"options": {"tags": ["{{ usr }}"]}}, "sms.options.tags.0"),
        ({"options": [1]}, "sms.options"),
        ({"variables": [{"name": "n", "value": "{{ usr }}"}]}, "sms.variables.0.value"),
        ({"expiresAfterSeconds": 0}, "sms.expiresAfterSeconds"),
    ],
)
async def test_what_its_connection_cannot_send_is_told_with_its_place(
    texting: Api, wrong: dict[str, Any], place: str
) -> None:
    assert await told(texting, **{**GOOD, **wrong}) == {place}


async def test_the_length_of_a_template_is_not_that_of_its_text(texting: Api) -> None:
    assert await told(texting, **{**GOOD, "text": "{{ user.name | default: 'dear friend' }}"}) == set()


async def test_an_adapter_without_options_takes_none(texting: Api) -> None:
    await texting.world.add_connection("mail")
    config = {"connection": "mail", "subject": "S", "text": "T", "options": {"a": 1}}
    assert await told(texting, "email", **config) == {"email.options"}


async def test_a_channel_without_any_connection_is_told(texting: Api) -> None:
    assert await told(texting, "push", text="T") == {"push.connection"}
    assert await told(texting, "message", channelName="", content=[]) == {"message.channelName"}


async def test_figures_are_those_of_the_channel_of_a_step(sqlite_world: World) -> None:
    async with open_api(sqlite_world) as api:
        await sqlite_world.add_connection("talk", channel="kakao")
        journey = (await drawn(api, "alimtalk", template="A"))["id"]
        await api.change("publishJourney", id=journey)
        await api.change("startJourney", id=journey)
        await sqlite_world.live(
            sqlite_world.event("", NOON, user="kim", type="identify", phone="010-1234-5678"),
            sqlite_world.event("go", NOON + 1, user="kim"),
        )
        [message] = await sqlite_world.rows(Message)
        await hear(sqlite_world, message.id, ("accepted", NOON + 2, {}))
        stats = await api.ask(
            """query($id: ID!) { journey(id: $id) { stats { communications {
                channel
                messages { step { key } metrics { metric unique users } } } } } }""",
            id=journey,
        )
    [channel] = stats["journey"]["stats"]["communications"]
    assert channel["channel"] == "KAKAO"
    [one] = channel["messages"]
    totals = {item["metric"]: (item["unique"], item["users"]) for item in one["metrics"]}
    assert totals["QUEUED"] == (1, None)
    assert totals["SENT"] == (1, 1)


FALLBACK = {
    "channel": "sms",
    "connection": "mine",
    "text": "Hello, {{ user.name }}",
    "title": "T",
    "mustArrive": True,
    "withinSeconds": 3600,
}
FALLBACK_FIELDS = "... on SendingStep { fallback { channel connection text title mustArrive withinSeconds } }"


async def test_what_goes_in_its_place_comes_back_and_is_checked_like_a_step(texting: Api) -> None:
    async def places(**wrong: Any) -> set[str]:
        found = await told(texting, "email", subject="S", text="T", fallback={**FALLBACK, **wrong})
        assert "email.connection" in found  # Nothing sends the e-mail itself.
        return {one.removeprefix("email.fallback.") for one in found - {"email.connection"}}

    drawing = await drawn(texting, "email", FALLBACK_FIELDS, subject="S", fallback=FALLBACK)
    assert drawing["draft"]["steps"][1]["fallback"] == FALLBACK
    assert await places() == set()
    assert await places(connection="other") == {"connection"}
    assert await places(title=None) == {"title"}
    assert await places(text="x" * 21) == {"text"}
    assert await places(text="{{ usr }}") == {"text"}
    assert await places(content=[{"name": "nope", "value": "x"}]) == {"content.0.value"}
    assert await places(channel="email", connection=None) == {"channel", "connection"}


async def test_an_advertisement_has_none(texting: Api) -> None:
    about = {"subject": "S", "text": "T", "purpose": "ADVERTISEMENT"}
    found = await told(texting, "email", **about, fallback=FALLBACK)
    assert found == {"email.connection", "email.fallback"}


async def test_a_character_that_the_networks_lack_is_told_before_anybody_gets_it(
    texting: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = {"text": ContentField(max_length=20, charset="euc-kr"), "title": ContentField()}
    monkeypatch.setattr(SMS, "capabilities", Capabilities(content=fields))
    assert await told(texting, **{**GOOD, "text": "안녕 👋"}) == {"sms.text"}
    assert await told(texting, **{**GOOD, "text": "가나다라마바사아자차카"}) == {"sms.text"}
    assert await told(texting, **{**GOOD, "text": "가나다라마 {{ user.name }}"}) == set()


async def test_what_a_relay_would_refuse_of_a_brand_message_is_told_when_it_is_drawn(
    sqlite_world: World,
) -> None:
    host = Host({"nhn_brand": NhnBrandChannel()}, {})
    async with open_api(sqlite_world, host) as api:
        await sqlite_world.add_connection("mine", "nhn_brand", channel="brand_message")
        wrong = {
            "connection": "mine",
            "text": "(광고) 사과",
            "options": {"coupon": {"title": "사은품", "description": "{{ user.name }}"}},
        }
        assert await told(api, "brandMessage", **wrong) == {
            "brandMessage.text",
            "brandMessage.options.coupon.title",
            "brandMessage.options.coupon.link",
        }
        assert await told(api, "brandMessage", connection="mine", text="사과") == set()
        aside = {"channelName": "brand_message", "connection": "mine", "purpose": "INFORMATION"}
        content = [{"name": "text", "value": "사과"}]
        assert await told(api, "message", content=content, **aside) == {"message.purpose"}
