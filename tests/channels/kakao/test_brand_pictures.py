"""Pictures of Brand Messages: fetched once, handed over once, and named as the relay names them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from channels import Accepted, Deferred, Message, Reason, Rejected, Tools
from channels.testing.providers import client_of
from channels.testing.providers.pictures import a_png
from tests.channels.kakao.brand_world import NHN, SOLAPI, an_advert, body_of, of_bubble
from tests.channels.kakao.world import Clock, World

pytestmark = pytest.mark.anyio

HERE = "https://shop.example"
SIZES = {"wide": (800, 600), "flat": (800, 400), "square": (600, 600)}


@pytest.fixture(params=[SOLAPI, NHN], ids=lambda relay: relay[1].key)
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    fake, channel, settings = request.param
    clock = Clock()
    provider = fake(clock)
    asked: list[str] = []

    def shop(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        name = request.url.path.removeprefix("/")
        if name in SIZES:
            return httpx.Response(200, content=a_png(*SIZES[name]))
        return httpx.Response({"gone": 404, "down": 503}.get(name, 200), content=b"<html>")

    async with client_of(provider) as http, httpx.AsyncClient(transport=httpx.MockTransport(shop)) as outside:
        tools = Tools(clock=clock, http=http, public_http=outside)
        made = World(provider, channel, settings, clock, tools)
        made.heard = asked  # type: ignore[assignment]  # what the shop was asked for
        yield made


def asked_of_the_shop(world: World) -> list[Any]:
    return list(world.heard)


def showing(name: str, reference: str = "m-1") -> Message:
    return an_advert(reference, options={"type": "IMAGE", "image": f"{HERE}/{name}"})


async def test_a_picture_is_fetched_and_handed_over_once(world: World) -> None:
    sender = world.open()
    outcomes = await sender.send_many([showing("flat", f"m-{number}") for number in range(3)])
    assert [type(one) for one in outcomes] == [Accepted] * 3
    assert isinstance(await sender.send(showing("flat", "m-9")), Accepted)
    assert asked_of_the_shop(world) == ["/flat"]
    assert HERE not in str(body_of(world))
    world.clock.at += 25 * 3_600_000
    assert isinstance(await sender.send(showing("flat", "m-10")), Accepted)
    assert asked_of_the_shop(world) == ["/flat", "/flat"]


async def test_every_picture_is_handed_over_for_what_it_is(world: World) -> None:
    listed = of_bubble("WIDE_ITEM_LIST", picture=f"{HERE}/square")
    items = [dict(one) for one in listed.options["items"]]
    items[0]["image"] = f"{HERE}/flat"
    message = replace(listed, options={**listed.options, "items": items})
    assert isinstance(await world.open().send(message), Accepted)
    feed = of_bubble("CAROUSEL_COMMERCE", "m-2", f"{HERE}/flat")
    assert isinstance(await world.open().send(feed), Accepted)
    kept = str(getattr(world.provider, "pictures", None) or world.provider.desk.pictures)  # type: ignore[attr-defined]  # the fake's own
    words = ("WIDE_MAIN", "WIDE_SUB") if world.channel is SOLAPI[1] else ("MAIN_WIDE", "NORMAL_WIDE")
    assert all(word in kept for word in (*words, "CAROUSEL_COMMERCE"))


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        ("gone", Rejected, Reason.CONTENT_INVALID),
        ("page", Rejected, Reason.CONTENT_INVALID),
        ("down", Deferred, Reason.PROVIDER_ERROR),
    ],
)
async def test_a_message_without_its_picture_does_not_leave(
    world: World, name: str, kind: type, reason: Reason
) -> None:
    one, other = await world.open().send_many([showing(name), an_advert("m-2")])
    assert isinstance(one, kind)
    assert one.reason is reason
    assert isinstance(other, Accepted)


async def test_a_picture_of_the_wrong_shape_is_the_relay_s_to_refuse() -> None:
    clock = Clock()
    fake = NHN[0](clock)
    shop = httpx.MockTransport(lambda request: httpx.Response(200, content=a_png(300, 300)))
    async with client_of(fake) as http, httpx.AsyncClient(transport=shop) as outside:
        tools = Tools(clock=clock, http=http, public_http=outside)
        outcome = await NHN[1].open(NHN[2], tools).send(showing("small"))
    assert (outcome.reason, outcome.code) == (Reason.CONTENT_INVALID, "-8001")
