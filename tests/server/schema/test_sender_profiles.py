"""A sender profile is registered by a token, and pictures are looked at before they are kept."""

import base64
import zlib
from struct import pack

import pytest

from channels.alimtalk.desk import Inspection
from channels.alimtalk.template import Template
from server.alimtalk.pictures import NoPicture, look
from server.resolvers.alimtalk_images import checked
from server.resolvers.refusals import Invalid
from server.store.tables import AlimtalkImage, Connection
from tests.server.desks.relay import Kept, Relay, host_of
from tests.server.schema.api import Api, open_api
from tests.server.schema.test_alimtalk_reviews import HELLO, REQUESTED, open_shop
from tests.world import World

pytestmark = pytest.mark.anyio
WHO = {"searchId": "@shop", "phone": "01012345678", "category": "01"}
PROFILE = "profile { id searchId name company state dailyCap groups dormantAt connection { name } }"


def png(width: int, height: int, more: bytes = b"") -> bytes:
    head = pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + head
    return b"\x89PNG\r\n\x1a\n" + pack(">I", 13) + chunk + pack(">I", zlib.crc32(chunk)) + more


def jpeg(width: int, height: int) -> bytes:
    exif = b"\xff\xe1" + pack(">H", 8) + b"Exif\x00\x00"
    frame = b"\xff\xc2" + pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\x00"
    return b"\xff\xd8" + exif + b"\xff" + frame + b"\xff\xd9"


async def made(api: Api, pf_id: str = "") -> str:
    wish = {"name": "카카오", "adapter": "relay", "settings": {"pf_id": pf_id}}
    selection = "... on CreateConnectionPayload { connection { id } }"
    return str((await api.change("createConnection", selection, **wish))["connection"]["id"])


async def test_a_profile_is_registered_and_its_key_is_in_the_settings(world: World) -> None:
    relay = Relay()
    async with open_api(world, host_of(relay)) as api:
        connection = await made(api)
        selection = "... on TestConnectionPayload { problems { message path } }"
        tried = await api.change("testConnection", selection, connectionId=connection)
        assert "Register a sender profile" in str(tried)
        asked = await api.change("requestProfileToken", "", connectionId=connection, **WHO)
        assert asked["__typename"] == "RequestProfileTokenPayload"
        selection = f"... on RegisterSenderProfilePayload {{ {PROFILE} }} ... on DeskProblem {{ reason }}"
        wish = {"connectionId": connection, **WHO}
        wrong = await api.change("registerSenderProfile", selection, token="1", **wish)
        assert (wrong["__typename"], wrong["path"]) == ("DeskProblem", ["input", "token"])
        registered = await api.change("registerSenderProfile", selection, token="123456", **wish)
        profile = registered["profile"]
        assert (profile["searchId"], profile["name"], profile["state"]) == ("@shop", "소전몰", "ACTIVE")
        [row] = await world.rows(Connection)
        assert '"PF1"' in row.settings
        assert row.sealed
        again = await api.change("registerSenderProfile", selection, token="123456", **wish)
        assert again["__typename"] == "AlimtalkStandingProblem"
        selection = f"... on SetSenderProfilePayload {{ {PROFILE} }}"
        named = await api.change("setSenderProfile", selection, id=profile["id"], company=" 이프두몰 ")
        assert named["profile"]["company"] == "이프두몰"
        relay.kept["W1"] = Kept(Template(body="안녕하세요"), Inspection.APPROVED)
        selection = f"... on SyncAlimtalkPayload {{ adopted changed isComplete {PROFILE} }}"
        synced = await api.change("syncAlimtalk", selection, connectionId=connection)
        assert (synced["adopted"], synced["isComplete"]) == (1, True)
        assert synced["profile"]["company"] == "이프두몰"
        listed = (await api.ask("{ senderProfiles { company dormantAt } }"))["senderProfiles"]
        assert [one["company"] for one in listed] == ["이프두몰"]
        text = "query($id: ID!) { alimtalkCategories(connection: $id) { code name } }"
        assert (await api.ask(text, id=connection))["alimtalkCategories"] == [
            {"code": "002001", "name": "주문"}
        ]


async def test_an_adapter_without_a_desk_registers_nothing(small_api: Api) -> None:
    selection = "... on CreateConnectionPayload { connection { id } }"
    wish = {"name": "mail", "adapter": "fake", "settings": {}}
    connection = (await small_api.change("createConnection", selection, **wish))["connection"]["id"]
    for name, more in (("requestProfileToken", WHO), ("syncAlimtalk", {})):
        refused = await small_api.change(name, "", connectionId=connection, **more)
        assert (refused["__typename"], refused["path"]) == ("InputProblem", ["input", "connectionId"])


SELECTION = "... on UploadAlimtalkImagePayload { image { name url width height size mediaType } }"


async def test_a_picture_is_kept_once_and_handed_to_the_relay_with_its_template(world: World) -> None:
    async with open_shop(world) as shop:
        content = base64.b64encode(png(800, 400)).decode()
        wish = {"kind": "IMAGE", "content": content}
        first = await shop.api.change("uploadAlimtalkImage", SELECTION, **wish)
        assert await shop.api.change("uploadAlimtalkImage", SELECTION, **wish) == first
        image = first["image"]
        assert (image["width"], image["height"], image["mediaType"]) == (800, 400, "image/png")
        assert len(await world.rows(AlimtalkImage)) == 1
        body = {**HELLO, "emphasis": "IMAGE", "image": image}
        for key in ("a", "b"):
            saved = await shop.save(key, template=body)
            answer = await shop.api.change("requestAlimtalkReview", REQUESTED, id=saved["template"]["id"])
            assert answer["__typename"] == "RequestAlimtalkReviewPayload", answer
        assert [one.name for one in shop.relay.pictures] == [image["name"]]
        there = shop.relay.kept["a_1"].template.image
        assert there is not None
        assert (there.name, there.width) == (f"at-relay-{image['name']}", 800)


@pytest.mark.parametrize(
    ("kind", "content", "why"),
    [
        ("IMAGE", png(800, 500), "twice as wide as it is high"),
        ("IMAGE", png(400, 200), "at least 500 pixels wide"),
        ("THUMBNAIL", png(800, 400), "is square"),
        ("THUMBNAIL", png(100, 100), "at least 108"),
        ("IMAGE", b"GIF89a" + b"x" * 50, "this is neither"),
        ("IMAGE", png(0, 0), "no width"),
        ("IMAGE", b"\xff\xd8\xff\xe1\x00\x08Exif", "cut off"),
    ],
)
async def test_a_picture_that_does_not_fit_says_why(
    small_api: Api, kind: str, content: bytes, why: str
) -> None:
    wish = {"kind": kind, "content": base64.b64encode(content).decode()}
    refused = await small_api.change("uploadAlimtalkImage", SELECTION, **wish)
    assert (refused["__typename"], refused["path"]) == ("InputProblem", ["input", "content"])
    assert why in refused["message"]


def test_a_picture_that_is_too_large_says_so() -> None:
    with pytest.raises(Invalid, match="It has 585 KiB, and may have 500"):
        checked("image", png(800, 400, b"x" * 600_000))


def test_a_jpeg_says_how_large_it_is_behind_what_else_it_says() -> None:
    picture = look(jpeg(800, 400))
    assert (picture.media_type, picture.width, picture.height) == ("image/jpeg", 800, 400)
    for length in range(len(jpeg(800, 400)) - 8):
        with pytest.raises(NoPicture):
            look(jpeg(800, 400)[:length])
