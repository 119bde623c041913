"""A Brand Message as Naver Cloud SENS writes one down."""

from typing import Any

from channels.kakao.brand import Brand
from channels.kakao.brand_options import BrandButton, BrandLink, Commerce, Coupon, WideItem
from channels.kakao.nhn_wire import present

BUBBLE_NAMES = {
    "TEXT": "TEXT",
    "IMAGE": "IMAGE",
    "WIDE": "WIDE_IMAGE",
    "WIDE_ITEM_LIST": "WIDE_ITEM_LIST",
    "COMMERCE": "COMMERCE",
}


def in_their_words(one: Brand) -> dict[str, Any]:
    """One entry of messages. SENS's own fallback to SMS is switched off, whatever its console says."""
    said: dict[str, Any] = {"countryCode": "82", "to": one.number, "useSmsFailover": False}
    if one.template:
        return {**said, **present({"templateParameters": dict(one.variables)})}
    options = one.options
    shown = {
        "content": one.text,
        "headerContent": options.header,
        "additionalContent": options.additional,
        "image": present({"imageId": options.image, "imageLink": options.image_link}),
        "item": {"list": [_item(each) for each in options.items]} if options.items else {},
        "commerce": _prices(options.commerce),
        "coupon": _coupon(options.coupon),
        "buttons": [_button(each) for each in options.buttons],
    }
    return {**said, **present(shown)}


def _button(button: BrandButton) -> dict[str, Any]:
    said = {
        "type": button.type,
        "name": button.name,
        "linkMobile": button.link_mobile,
        "linkPc": button.link_pc,
        "schemeAndroid": button.scheme_android,
        "schemeIos": button.scheme_ios,
        "bizFormId": button.form_id,
    }
    return present(said)


def _link(link: BrandLink | None) -> dict[str, Any]:
    if link is None:
        return {}
    said = {
        "linkMobile": link.mobile,
        "linkPc": link.pc,
        "schemeAndroid": link.android,
        "schemeIos": link.ios,
    }
    return present(said)


def _coupon(coupon: Coupon | None) -> dict[str, Any]:
    if coupon is None:
        return {}
    return {"title": coupon.title, "description": coupon.description, **_link(coupon.link)}


def _item(item: WideItem) -> dict[str, Any]:
    return {**present({"title": item.title, "imageId": item.image}), **_link(item.link)}


def _prices(product: Commerce | None) -> dict[str, Any]:
    """SENS wants its numbers as texts."""
    if product is None:
        return {}
    told = {
        "regularPrice": product.regular_price,
        "discountPrice": product.discount_price,
        "discountRate": product.discount_rate,
        "discountFixed": product.discount_fixed,
    }
    return {"title": product.title, **{name: str(one) for name, one in told.items() if one is not None}}
