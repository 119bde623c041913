"""What the tests of Brand Messages share: the three relays, and a message of every type."""

import json
from typing import Any, cast

from channels import Message, Purpose
from channels.contract import AnyChannel
from channels.kakao.nhn_brand import NhnBrandChannel, NhnBrandSettings
from channels.kakao.sens_brand import SensBrandChannel, SensBrandSettings
from channels.kakao.solapi_brand import SolapiBrandChannel, SolapiBrandSettings
from channels.testing.check import NOW
from channels.testing.providers.nhn_brand import FakeNhnBrand
from channels.testing.providers.sens_brand import FakeSensBrand
from channels.testing.providers.solapi_brand import FakeSolapiBrand
from tests.channels.kakao.world import World

SOLAPI = (
    FakeSolapiBrand,
    SolapiBrandChannel(),
    SolapiBrandSettings(
        api_key="NCSAYU7YDBXYORXC",
        api_secret="solapi-api-secret",
        signing_secret="solapi-webhook-secret",
        pf_id="KA01PF1",
    ),
)
NHN = (
    FakeNhnBrand,
    NhnBrandChannel(),
    NhnBrandSettings(
        app_key="nhnAppKey1",
        secret_key="nhn-secret-key",
        sender_key="0" * 40,
        signing_secret="nhn-webhook-signature",
        unsubscribe_number="080-123-4567",
    ),
)
SENS = (
    FakeSensBrand,
    SensBrandChannel(),
    SensBrandSettings(
        access_key="ncp-access-key",
        secret_key="ncp-secret-key",
        service_id="ncp:kkobizmsg:kr:2700000000006:sens",
        channel_id="@소전",
    ),
)
RELAYS: list[tuple[Any, Any, Any]] = [SOLAPI, NHN, SENS]
LINK = {"mobile": "https://shop.example/a"}
WL = {"type": "WL", "name": "보러 가기", "link_mobile": "https://shop.example/a"}
COUPON = {"title": "10% 할인 쿠폰", "description": "주말까지", "link": LINK}
PRODUCT = {"title": "사과", "regular_price": 12000, "discount_price": 9000, "discount_rate": 25}
CARD = {"header": "사과", "text": "답니다", "image": "PICTURE", "buttons": [WL]}
BUBBLES: dict[str, dict[str, Any]] = {
    "TEXT": {"buttons": [WL], "coupon": COUPON},
    "IMAGE": {
        "type": "IMAGE",
        "image": "PICTURE",
        "image_link": "https://shop.example/p",
    },
    "WIDE": {"type": "WIDE", "image": "PICTURE", "buttons": [WL, WL]},
    "WIDE_ITEM_LIST": {
        "type": "WIDE_ITEM_LIST",
        "header": "이번 주",
        "items": [{"title": f"과일 {number}", "image": "PICTURE", "link": LINK} for number in range(3)],
    },
    "COMMERCE": {
        "type": "COMMERCE",
        "image": "PICTURE",
        "commerce": PRODUCT,
        "buttons": [WL],
    },
    "CAROUSEL_FEED": {"type": "CAROUSEL_FEED", "carousel": {"cards": [CARD, CARD], "tail": LINK}},
    "CAROUSEL_COMMERCE": {
        "type": "CAROUSEL_COMMERCE",
        "carousel": {
            "head": {
                "header": "추천",
                "text": "고른 것",
                "image": "PICTURE",
                "link": LINK,
            },
            "cards": [{"commerce": PRODUCT, "image": "PICTURE", "buttons": [WL]}],
        },
    },
}


def an_advert(
    reference: str = "m-1", to: str = "+821012345678", *, options: Any = None, **content: str
) -> Message:
    told = {"text": "민아님, 사과가 나왔습니다.", **content}
    return Message(reference, to, told, NOW, options=options or {}, purpose=Purpose.ADVERTISEMENT)


def of_bubble(kind: str, reference: str = "m-1", picture: str = "ST01FZ1") -> Message:
    """`picture` is the relay's own name of one."""
    without_text = kind in ("WIDE_ITEM_LIST", "COMMERCE", "CAROUSEL_FEED", "CAROUSEL_COMMERCE")
    options = json.loads(json.dumps(BUBBLES[kind]).replace("PICTURE", picture))
    return an_advert(reference, options=options, **({"text": ""} if without_text else {}))


def own_picture(channel: AnyChannel) -> str:
    return "https://mud-kage.kakao.com/dn/1" if channel.key == "nhn_brand" else "ST01FZ1"


def body_of(world: World) -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads(world.provider.requests[-1][3]))
