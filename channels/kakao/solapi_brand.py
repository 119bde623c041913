"""Brand Messages through SOLAPI (CoolSMS).

A message that is written out is of SOLAPI's type BMS_FREE, whatever its bubble; one of a template has the
type that the template was registered as. Pictures are handed in to SOLAPI's storage once.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel, Field

from channels.alimtalk.brand import BUBBLES, SOLAPI_BRAND
from channels.answers import said_in
from channels.contract import (
    CONTRACT_VERSION,
    AnyChannel,
    Capabilities,
    Deferred,
    Message,
    Outcome,
    Tools,
    Unknown,
)
from channels.hookspecs import hookimpl
from channels.kakao.alimtalk import LONGEST_REFERENCE
from channels.kakao.batches import Answer
from channels.kakao.brand import CONTENT, PURPOSES, Brand, send_each
from channels.kakao.brand_options import (
    BrandButton,
    BrandLink,
    BrandOptions,
    Card,
    Carousel,
    Coupon,
    WideItem,
)
from channels.kakao.brand_pictures import Pictures, refused_picture
from channels.kakao.nhn_wire import present
from channels.kakao.solapi_relay import OBSERVES, SolapiAccount, SolapiRelay, ask, refusal, submit
from channels.kakao.solapi_results import REFERENCE

PICTURE_TYPES = {
    "image": "BMS",
    "wide": "BMS_WIDE",
    "first_item": "BMS_WIDE_MAIN_ITEM_LIST",
    "item": "BMS_WIDE_SUB_ITEM_LIST",
    "feed": "BMS_CAROUSEL_FEED_LIST",
    "commerce": "BMS_CAROUSEL_COMMERCE_LIST",
}


class SolapiBrandSettings(SolapiAccount):
    """The account at SOLAPI, and the channel that the messages come from."""

    pf_id: str = Field(min_length=1, max_length=100, description="The channel, as SOLAPI names it: KA01PF…")


class SolapiBrandSender:
    """Messages to SOLAPI, up to `batch_size` a request."""

    def __init__(self, settings: SolapiBrandSettings, tools: Tools) -> None:
        self._settings = settings
        self._tools = tools
        self._pictures = Pictures(tools, self._hand_over)

    async def send(self, message: Message) -> Outcome:
        return (await self.send_many([message]))[0]

    async def send_many(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        now = self._tools.clock()
        settle = self._pictures.settle
        return await send_each(messages, SOLAPI_BRAND, now, self._post, lambda _: None, settle)

    async def aclose(self) -> None:
        pass

    async def _hand_over(self, kind: str, file: str, content: bytes) -> str | Outcome:
        body = {"file": b64encode(content).decode(), "type": PICTURE_TYPES[kind], "name": file}
        answer = await ask(self._settings, self._tools, "POST", "/storage/v1/files", json=body)
        if isinstance(answer, Deferred | Unknown):
            return self._pictures.later(f"SOLAPI does not take the picture: {answer.text}")
        if not answer.is_success:
            return refused_picture(refusal(answer, self._tools.clock()), self._pictures)
        file_id = said_in(answer).get("fileId")
        return file_id if isinstance(file_id, str) and file_id else self._pictures.later("No file is named.")

    async def _post(self, group: Sequence[Brand]) -> Answer:
        said = [in_their_words(one, self._settings.pf_id) for one in group]
        return await submit(self._settings, self._tools, group, said)


def in_their_words(one: Brand, pf_id: str) -> dict[str, Any]:
    """A message as SOLAPI takes it. Its own fallback to SMS is switched off, whatever its console says."""
    kakao: dict[str, Any] = {"pfId": pf_id, "disableSms": True}
    said: dict[str, Any] = {"to": one.number, "country": "82", "kakaoOptions": kakao}
    if one.template:
        said["type"] = f"BMS_{one.options.type}"
        kakao["templateId"] = one.template
        kakao["bms"] = {"targeting": one.options.targeting}
        if one.variables:
            kakao["variables"] = {f"#{{{name}}}": value for name, value in one.variables.items()}
    else:
        said["type"] = "BMS_FREE"
        said |= {"text": one.text} if one.text else {}
        kakao["bms"] = _bubble(one.options)
    if len(one.reference) <= LONGEST_REFERENCE:
        said["customFields"] = {REFERENCE: one.reference}
    return said


def _bubble(options: BrandOptions) -> dict[str, Any]:
    said = {
        "header": options.header,
        "imageId": options.image,
        "imageLink": options.image_link,
        "additionalContent": options.additional,
        "buttons": [_button(one) for one in options.buttons],
        "coupon": _coupon(options.coupon),
        "commerce": options.commerce and _prices(options.commerce.model_dump(exclude_none=True)),
        "mainWideItem": _item(options.items[0]) if options.items else None,
        "subWideItemList": [_item(one) for one in options.items[1:]],
        "carousel": _carousel(options.carousel) if options.carousel else None,
    }
    about = {"targeting": options.targeting, "chatBubbleType": options.type, "adult": options.adult}
    return {**about, **present(said)}


def _button(button: BrandButton) -> dict[str, Any]:
    said = {
        "linkType": button.type,
        "name": button.name,
        "linkMobile": button.link_mobile,
        "linkPc": button.link_pc,
        "linkAndroid": button.scheme_android,
        "linkIos": button.scheme_ios,
        "chatExtra": button.chat_extra,
        "targetOut": True if button.target else None,
    }
    return present(said)


def _link(link: BrandLink | None) -> dict[str, Any]:
    if link is None:
        return {}
    said = {"linkMobile": link.mobile, "linkPc": link.pc, "linkAndroid": link.android, "linkIos": link.ios}
    return present(said)


def _coupon(coupon: Coupon | None) -> dict[str, Any]:
    if coupon is None:
        return {}
    return {"title": coupon.title, "description": coupon.description, **_link(coupon.link)}


def _item(item: WideItem) -> dict[str, Any]:
    return {**present({"title": item.title, "imageId": item.image}), **_link(item.link)}


def _prices(product: dict[str, Any]) -> dict[str, Any]:
    names = {
        "title": "title",
        "regular_price": "regularPrice",
        "discount_price": "discountPrice",
        "discount_rate": "discountRate",
        "discount_fixed": "discountFixed",
    }
    return {names[name]: value for name, value in product.items()}


def _carousel(carousel: Carousel) -> dict[str, Any]:
    head = carousel.head
    said: dict[str, Any] = {"list": [_card(one) for one in carousel.cards], "tail": _link(carousel.tail)}
    if head:
        shown = present({"header": head.header, "content": head.text, "imageId": head.image})
        said["head"] = {**shown, **_link(head.link)}
    return present(said)


def _card(card: Card) -> dict[str, Any]:
    said = {
        "header": card.header,
        "content": card.text,
        "commerce": card.commerce and _prices(card.commerce.model_dump(exclude_none=True)),
        "additionalContent": card.additional,
        "imageId": card.image,
        "imageLink": card.image_link,
        "buttons": [_button(one) for one in card.buttons],
        "coupon": _coupon(card.coupon),
    }
    return present(said)


class SolapiBrandChannel(SolapiRelay[SolapiBrandSettings]):
    """Brand Messages through SOLAPI, with results by webhook and by asking for what changed."""

    key = "solapi_brand"
    channel = "brand_message"
    title = "Brand Message (SOLAPI)"
    contract_version = CONTRACT_VERSION
    settings = SolapiBrandSettings
    message_types = ("BMS_FREE", *(f"BMS_{kind}" for kind in BUBBLES))
    options: type[BaseModel] | None = BrandOptions
    brand_can = SOLAPI_BRAND
    capabilities = Capabilities(
        content=CONTENT, observes=OBSERVES, batch_size=500, purposes=PURPOSES, scheduled_send=True
    )

    def open(self, settings: SolapiBrandSettings, tools: Tools) -> SolapiBrandSender:
        return SolapiBrandSender(settings, tools)


@hookimpl
def register_channels() -> Iterable[AnyChannel]:
    return [SolapiBrandChannel()]
