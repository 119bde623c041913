"""A Brand Message as NHN Cloud writes one down: what is shown once for a request, and its recipients."""

from __future__ import annotations

from typing import Any

from channels.kakao.alimtalk import LONGEST_REFERENCE
from channels.kakao.brand import Brand
from channels.kakao.brand_options import (
    BrandButton,
    BrandLink,
    BrandOptions,
    Card,
    Carousel,
    Commerce,
    Coupon,
)
from channels.kakao.nhn_wire import present


def shown(one: Brand) -> dict[str, Any]:
    """What a message that is written out shows. Only those that show the same share a request."""
    options = one.options
    said = {
        "content": one.text,
        "header": options.header,
        "additionalContent": options.additional,
        "image": present({"imageUrl": options.image, "imageLink": options.image_link}),
        "item": {"list": _items(options)} if options.items else {},
        "commerce": _prices(options.commerce),
        "carousel": _carousel(options.carousel) if options.carousel else {},
        "coupon": _coupon(options.coupon),
        "buttons": [_button(each) for each in options.buttons],
    }
    about = {"chatBubbleType": options.type, "adult": options.adult, "pushAlarm": options.push_alarm}
    return {**about, **present(said)}


def recipient(one: Brand) -> dict[str, Any]:
    """One entry of recipientList. NHN's own fallback to SMS is switched off, whatever its console says."""
    said: dict[str, Any] = {
        "recipientNo": one.number,
        "targeting": one.options.targeting,
        "resendParameter": {"isResend": False},
    }
    if len(one.reference) <= LONGEST_REFERENCE:
        said["recipientGroupingKey"] = one.reference
    if one.template and one.variables:
        said["templateParameter"] = dict(one.variables)
    return said


def _button(button: BrandButton) -> dict[str, Any]:
    said = {
        "name": button.name,
        "type": button.type,
        "linkMo": button.link_mobile,
        "linkPc": button.link_pc,
        "schemeAndroid": button.scheme_android,
        "schemeIos": button.scheme_ios,
        "chatExtra": button.chat_extra,
        "chatEvent": button.chat_event,
        "bizFormKey": button.form_id,
    }
    return present(said)


def _link(link: BrandLink | None) -> dict[str, Any]:
    if link is None:
        return {}
    said = {"linkMo": link.mobile, "linkPc": link.pc, "schemeAndroid": link.android, "schemeIos": link.ios}
    return present(said)


def _coupon(coupon: Coupon | None) -> dict[str, Any]:
    if coupon is None:
        return {}
    return {"title": coupon.title, "description": coupon.description, **_link(coupon.link)}


def _items(options: BrandOptions) -> list[dict[str, Any]]:
    return [
        {**present({"title": one.title, "imageUrl": one.image}), **_link(one.link)} for one in options.items
    ]


def _prices(product: Commerce | None) -> dict[str, Any]:
    if product is None:
        return {}
    said = {
        "title": product.title,
        "regularPrice": product.regular_price,
        "discountPrice": product.discount_price,
        "discountRate": product.discount_rate,
        "discountFixed": product.discount_fixed,
    }
    return present(said)


def _carousel(carousel: Carousel) -> dict[str, Any]:
    said: dict[str, Any] = {"list": [_card(one) for one in carousel.cards], "tail": _link(carousel.tail)}
    if head := carousel.head:
        texts = present({"header": head.header, "content": head.text, "imageUrl": head.image})
        said["head"] = {**texts, **_link(head.link)}
    return present(said)


def _card(card: Card) -> dict[str, Any]:
    said = {
        "header": card.header,
        "message": card.text,
        "additionalContent": card.additional,
        "imageUrl": card.image,
        "imageLink": card.image_link,
        "commerce": _prices(card.commerce),
        "buttons": [_button(one) for one in card.buttons],
        "coupon": _coupon(card.coupon),
    }
    return present(said)
