"""What adapters are handed: content, variables and options, written for one person."""

from typing import Any

import pytest

from channels import Host
from channels.contract import Capabilities, ContentField, Message, Purpose
from channels.testing.fake import FakeChannel
from server.delivery.links import CLICK_PATH
from server.store.tables import Receipt
from tests.server.delivery.office import open_office, tracking
from tests.world import HOUR, NOON, World, reaching, saying

pytestmark = pytest.mark.anyio

FIELDS = ("subject", "html", "text", "title", "url", "image_url", "media_url", "template", "language")
CHANNEL = {"alimtalk": "kakao", "message": "pigeon"}
KIM = {"name": "Kim <3", "phone": "010-1234-5678", "email": "kim@example.com", "push_tokens": "fcm:ab:c"}
LINK = "https://shop.example/cart?u={{ user.id }}"


async def sent(world: World, kind: str, /, **config: Any) -> Message:
    """The message of a step of this kind, as its adapter was handed it."""
    channel = CHANNEL.get(kind, kind)
    capabilities = Capabilities(content={name: ContentField() for name in FIELDS})
    async with open_office(world) as office:
        fake = FakeChannel(key="any", channel=channel, capabilities=capabilities)
        office.host.channels["any"] = fake
        takes = "fcm:" if kind == "push" else ""
        await world.add_connection("mine", "any", channel=channel, takes=takes)
        await world.add_journey(reaching(saying(kind, **config)))
        await world.send(
            world.event("", NOON, user="kim", type="identify", **KIM),
            world.event("sign_up", NOON, user="kim", plan="gold"),
        )
        await office.settle()
        [message] = fake.attempts
        return message


def target(text: str) -> str:
    """Where the one link in this text leads."""
    token = text.partition(CLICK_PATH)[2].split()[0]
    return tracking().read_click(token).target_url


@pytest.mark.parametrize(
    ("kind", "to"),
    [
        ("push", "ab:c"),
        ("sms", "+821012345678"),
        ("whatsapp", "+821012345678"),
        ("alimtalk", "+821012345678"),
        ("brand_message", "+821012345678"),
        ("in_app", "kim"),
        ("webhook", "kim"),
        ("email", "kim@example.com"),
    ],
)
async def test_an_adapter_is_handed_the_bare_address(sqlite_world: World, kind: str, to: str) -> None:
    assert (await sent(sqlite_world, kind)).to == to


async def test_variables_and_options_are_written_for_the_person(sqlite_world: World) -> None:
    message = await sent(
        sqlite_world,
        "alimtalk",
        variables={"#{name}": "{{ user.name }}"},
        options={"n": 3, "buttons": [{"url": "https://a.example/{{ event.plan }}", "on": True}, None]},
    )
    assert message.variables == {"#{name}": "Kim <3"}
    assert message.options == {"n": 3, "buttons": [{"url": "https://a.example/gold", "on": True}, None]}


async def test_purpose_and_expiry_travel_along(sqlite_world: World) -> None:
    message = await sent(sqlite_world, "sms", purpose="advertisement", expires_after_ms=HOUR)
    assert (message.purpose, message.expires_at) == (Purpose.ADVERTISEMENT, NOON + HOUR)
    assert message.headers == {}


async def test_only_html_is_escaped(sqlite_world: World) -> None:
    message = await sent(sqlite_world, "email", html="{{ user.name }}", text="{{ user.name }}")
    assert "Kim &lt;3" in message.content["html"]
    assert message.content["text"] == "Kim <3"
    assert "List-Unsubscribe" in message.headers


@pytest.mark.parametrize("kind", ["sms", "whatsapp", "push", "in_app"])
async def test_links_in_plain_texts_lead_through_us(sqlite_world: World, kind: str) -> None:
    message = await sent(sqlite_world, kind, text=f"Hello {LINK} there")
    assert target(message.content["text"]) == "https://shop.example/cart?u=kim"
    assert message.content["text"].endswith(" there")


@pytest.mark.parametrize("kind", ["push", "in_app"])
async def test_where_a_tap_leads_leads_through_us(sqlite_world: World, kind: str) -> None:
    message = await sent(sqlite_world, kind, url=LINK, image_url="https://shop.example/a.png")
    assert target(message.content["url"]) == "https://shop.example/cart?u=kim"
    assert message.content["image_url"] == "https://shop.example/a.png"


async def test_a_link_into_an_app_stays_as_it_is(sqlite_world: World) -> None:
    message = await sent(sqlite_world, "push", url="shop://cart/{{ user.id }}")
    assert message.content["url"] == "shop://cart/kim"


async def test_nothing_of_an_alimtalk_is_touched(sqlite_world: World) -> None:
    message = await sent(
        sqlite_world, "alimtalk", text=LINK, variables={"#{url}": LINK}, options={"url": LINK}
    )
    wanted = "https://shop.example/cart?u=kim"
    assert message.content["text"] == wanted
    assert (dict(message.variables), dict(message.options)) == ({"#{url}": wanted}, {"url": wanted})


async def test_a_template_that_fails_says_where(sqlite_world: World) -> None:
    host = Host({"any": FakeChannel(key="any", channel="webhook")}, {})
    async with open_office(sqlite_world) as office:
        office.host.channels.update(host.channels)
        await sqlite_world.add_connection("mine", "any", channel="webhook")
        bad = "{{ 'x' | date: '%Q' }}"
        await sqlite_world.add_journey(reaching(saying("webhook", options={"data": {"when": [bad]}})))
        await sqlite_world.send(sqlite_world.event("sign_up", NOON, user="kim"))
        await office.settle()
        [receipt] = [row for row in await sqlite_world.rows(Receipt) if row.detail]
        assert "options.data.when.0: date wants" in receipt.detail
