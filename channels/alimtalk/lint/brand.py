"""AT037: what a Brand Message may hold, by its type and by the relay. Pure.

It looks at plain data, before or after its templates are rendered. A text that still is one is not measured.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from channels.alimtalk.brand import CHANNEL_BUTTON, BrandCan, Bubble
from channels.alimtalk.findings import Finding, Path, Rule, read_rules

_LATER = re.compile(r"\{\{|\{%|#\{")
_AD_MARK = re.compile(r"[(\[（]\s*광\s*고\s*[)\]）]")
_COUPONS = re.compile(r"(?:[1-9][0-9]{0,7}원|(?:[1-9][0-9]?|100)%|배송비) 할인 쿠폰|.{1,7} (?:무료|UP) 쿠폰")
_CHANNEL_COUPON = "alimtalk=coupon://"
_PARTS = ("text", "image", "image_link", "header", "additional", "items", "commerce", "carousel")


@cache
def rule() -> Rule:
    return read_rules("channels.alimtalk.lint", ["brand"])["AT037"]


def lint_brand(message: Mapping[str, Any], can: BrandCan) -> list[Finding]:
    """Everything that the relay or KakaoTalk would refuse. `message` has the content's `text` and `template`,
    its `variables`, and its options beside them. Never raises."""
    kind = str(message.get("type") or "TEXT")
    bubble = can.bubbles.get(kind)
    if bubble is None:
        return [rule().find("type", ("type",), found=kind, known=", ".join(can.bubbles))]
    found = [*_targeting(message, can), *_variables(message), *_ad_marks(message)]
    if message.get("template"):
        # The relay keeps the rest.
        return found
    found += _pictures(message, can)
    return [*found, *_parts(message, kind, bubble), *_inside(message, kind, bubble, can)]


def _targeting(message: Mapping[str, Any], can: BrandCan) -> Iterator[Finding]:
    wanted = str(message.get("targeting") or "I")
    if wanted not in can.targeting:
        known = ", ".join(can.targeting)
        yield rule().find("targeting", ("targeting",), found=wanted, known=known)


def _variables(message: Mapping[str, Any]) -> Iterator[Finding]:
    for name in _part(message, "variables"):
        if "@" in name:
            yield rule().find("at_sign", ("variables", name), name=name)


def _ad_marks(value: Any, path: Path = ()) -> Iterator[Finding]:
    if isinstance(value, str) and _AD_MARK.match(value.lstrip()):
        yield rule().find("ad_mark", path)
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _ad_marks(inner, (*path, name))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _ad_marks(inner, (*path, index))


def _pictures(message: Mapping[str, Any], can: BrandCan) -> Iterator[Finding]:
    """Only those of the message and its items: who takes no addresses has no carousels either."""
    shown: list[tuple[Path, Any]] = [(("image",), message.get("image"))]
    shown += [(("items", at, "image"), one.get("image")) for at, one in enumerate(_list(message, "items"))]
    for path, image in shown:
        if not can.takes_addresses and str(image or "").startswith(("http://", "https://")):
            yield rule().find("picture", path)


def _parts(message: Mapping[str, Any], kind: str, bubble: Bubble) -> Iterator[Finding]:
    for name in bubble.needs:
        if not message.get(name):
            yield rule().find("missing", (name,), type=kind, name=name)
    for name in (*_PARTS, "buttons", "coupon"):
        if message.get(name) and name not in (*bubble.needs, *bubble.takes):
            yield rule().find("stray", (name,), type=kind, name=name)


def _inside(message: Mapping[str, Any], kind: str, bubble: Bubble, can: BrandCan) -> Iterator[Finding]:
    if message.get("carousel"):
        yield from _carousel(_part(message, "carousel"), bubble, can)
        return
    yield from _length(message.get("text"), bubble.text, ("text",))
    yield from _breaks(message.get("text"), bubble.breaks, ("text",))
    yield from _length(message.get("header"), bubble.header, ("header",))
    yield from _length(message.get("additional"), bubble.additional, ("additional",))
    yield from _address(message.get("image_link"), can, ("image_link",))
    yield from _items(_list(message, "items"), bubble, can)
    yield from _commerce(_part(message, "commerce"), ("commerce",))
    types = can.card_buttons if kind == "COMMERCE" else ()
    yield from _buttons(message, bubble, can, types or can.buttons, ())


def _items(items: Sequence[Mapping[str, Any]], bubble: Bubble, can: BrandCan) -> Iterator[Finding]:
    least, most = bubble.items
    if items and not least <= len(items) <= most:
        yield rule().find("count", ("items",), least=least, most=most, found=len(items))
    for place, item in enumerate(items):
        here: Path = ("items", place)
        yield from _length(item.get("title"), 30 if place else 25, (*here, "title"))
        yield from _breaks(item.get("title"), 1, (*here, "title"))
        for name in ("image", *(("title",) if place else ())):
            if not item.get(name):
                yield rule().find("missing", (*here, name), type="WIDE_ITEM_LIST", name=name)
        if not _part(item, "link").get("mobile"):
            yield rule().find("missing", (*here, "link", "mobile"), type="WIDE_ITEM_LIST", name="link.mobile")
        yield from _link(_part(item, "link"), can, (*here, "link"))


def _commerce(product: Mapping[str, Any], here: Path) -> Iterator[Finding]:
    if not product:
        return
    yield from _length(product.get("title"), 30, (*here, "title"))
    ways = [product.get(name) is not None for name in ("discount_rate", "discount_fixed")]
    if sum(ways) != (product.get("discount_price") is not None):
        yield rule().find("price", (*here, "discount_price"))


def _carousel(carousel: Mapping[str, Any], bubble: Bubble, can: BrandCan) -> Iterator[Finding]:
    cards, head = _list(carousel, "cards"), _part(carousel, "head")
    here: Path = ("carousel", "cards")
    least, most = bubble.cards_with_head if head else bubble.cards
    if not least <= len(cards) <= most:
        yield rule().find("count", here, least=least, most=most, found=len(cards))
    yield from _length(head.get("header"), 20, ("carousel", "head", "header"))
    yield from _length(head.get("text"), 50, ("carousel", "head", "text"))
    if (tail := _part(carousel, "tail")) and not tail.get("mobile"):
        yield rule().find("missing", ("carousel", "tail", "mobile"), type="carousel", name="tail.mobile")
    for place, card in enumerate(cards):
        yield from _card(card, bubble, can, (*here, place))
    adding = [button for card in cards for button in _list(card, "buttons") if button.get("type") == "AC"]
    if len(adding) > 1:
        yield rule().find("channel_button", here, place="once", place_ko="한 번")


def _card(card: Mapping[str, Any], bubble: Bubble, can: BrandCan, here: Path) -> Iterator[Finding]:
    wanted = ("image", "header", "text") if bubble.text else ("image", "commerce")
    for name in wanted:
        if not card.get(name):
            yield rule().find("missing", (*here, name), type="carousel", name=name)
    for name in {"header", "text", "commerce", "additional"} - {*wanted, *_may(bubble)}:
        if card.get(name):
            yield rule().find("stray", (*here, name), type="carousel", name=name)
    yield from _length(card.get("header"), bubble.header, (*here, "header"))
    yield from _length(card.get("text"), bubble.text, (*here, "text"))
    yield from _length(card.get("additional"), bubble.additional, (*here, "additional"))
    yield from _commerce(_part(card, "commerce"), (*here, "commerce"))
    yield from _buttons(card, bubble, can, can.card_buttons or can.buttons, here)


def _may(bubble: Bubble) -> tuple[str, ...]:
    return ("additional",) if bubble.additional else ()


def _buttons(
    holder: Mapping[str, Any], bubble: Bubble, can: BrandCan, types: tuple[str, ...], here: Path
) -> Iterator[Finding]:
    buttons, coupon = _list(holder, "buttons"), _part(holder, "coupon")
    least, most = bubble.buttons
    most = bubble.buttons_with_coupon if coupon else most
    if not least <= len(buttons) <= most:
        found = len(buttons)
        yield rule().find("count", (*here, "buttons"), least=least, most=most, found=found)
    for place, button in enumerate(buttons):
        yield from _button(button, bubble, can, types, (*here, "buttons", place))
    yield from _channel_button(buttons, bubble, (*here, "buttons"))
    if coupon:
        yield from _coupon(coupon, bubble, can, (*here, "coupon"))


def _button(
    button: Mapping[str, Any], bubble: Bubble, can: BrandCan, types: tuple[str, ...], here: Path
) -> Iterator[Finding]:
    kind = str(button.get("type") or "")
    if kind not in types:
        yield rule().find("button_type", (*here, "type"), found=kind, known=", ".join(types))
    yield from _length(button.get("name"), bubble.button_name, (*here, "name"))
    given = [button.get(name) for name in ("link_mobile", "scheme_android", "scheme_ios")]
    if (kind == "WL" and not given[0]) or (kind == "AL" and len([one for one in given if one]) < 2):
        yield rule().find("button_link", here, found=kind)
    for name in ("link_mobile", "link_pc"):
        yield from _address(button.get(name), can, (*here, name))


def _channel_button(buttons: Sequence[Mapping[str, Any]], bubble: Bubble, here: Path) -> Iterator[Finding]:
    adding = [place for place, button in enumerate(buttons) if button.get("type") == "AC"]
    place = 0 if bubble.channel_button_first else len(buttons) - 1
    if adding and (adding != [place] or buttons[place].get("name") != CHANNEL_BUTTON):
        words = ("first", "맨 위") if bubble.channel_button_first else ("last", "맨 뒤")
        yield rule().find("channel_button", (*here, adding[0]), place=words[0], place_ko=words[1])


def _coupon(coupon: Mapping[str, Any], bubble: Bubble, can: BrandCan, here: Path) -> Iterator[Finding]:
    title, text = str(coupon.get("title") or ""), coupon.get("description")
    if not _is_later(title) and not _COUPONS.fullmatch(title):
        yield rule().find("coupon_title", (*here, "title"))
    if not text:
        yield rule().find("missing", (*here, "description"), type="coupon", name="description")
    yield from _length(text, bubble.coupon_text, (*here, "description"))
    yield from _breaks(text, 0, (*here, "description"))
    link = _part(coupon, "link")
    schemes = [str(link.get(name) or "") for name in ("android", "ios")]
    if not link.get("mobile") and not any(_CHANNEL_COUPON in one or _is_later(one) for one in schemes):
        yield rule().find("coupon_link", (*here, "link"))
    yield from _link(link, can, (*here, "link"))


def _link(link: Mapping[str, Any], can: BrandCan, here: Path) -> Iterator[Finding]:
    for name in ("mobile", "pc"):
        yield from _address(link.get(name), can, (*here, name))


def _address(text: Any, can: BrandCan, here: Path) -> Iterator[Finding]:
    if not text or _is_later(text):
        return
    if not str(text).startswith(("http://", "https://")):
        yield rule().find("address", here)
    yield from _length(text, can.link, here)


def _length(text: Any, most: int, here: Path) -> Iterator[Finding]:
    if text and not _is_later(text) and 0 < most < len(str(text)):
        yield rule().find("too_long", here, most=most, found=len(str(text)))


def _breaks(text: Any, most: int, here: Path) -> Iterator[Finding]:
    found = str(text or "").count("\n")
    if found > most and not _is_later(text):
        yield rule().find("line_breaks", here, most=most, found=found)


def _part(holder: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """What stands there, if it has names; nothing of it is known while it is a template."""
    found = holder.get(name)
    return found if isinstance(found, Mapping) else {}


def _list(holder: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = holder.get(name)
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list | tuple) else []


def _is_later(text: Any) -> bool:
    """Whether the text is still to be rendered."""
    return bool(_LATER.search(str(text)))
