"""Every text of a template that has a limit, with the rule that holds it."""

from __future__ import annotations

from collections.abc import Iterator

from channels.alimtalk.limits import Limits
from channels.alimtalk.template import Button, Link, Template

from .lengths import Limited

_ADDRESSES = ("link_mobile", "link_pc", "scheme_android", "scheme_ios")
_PLACES = ("mobile", "pc", "android", "ios")


def limited(template: Template, limits: Limits) -> Iterator[Limited]:
    """In the order of the fields; empty texts are left out."""
    return (one for one in _limited(template, limits) if one.text)


def body_limit(template: Template, limits: Limits) -> int:
    """What there is room for in the body."""
    most = limits.body_with_items if template.emphasis == "ITEM_LIST" else limits.body
    return most - _sentence(template, limits)


def body_often(template: Template, limits: Limits) -> int:
    return limits.body_often - _sentence(template, limits)


def _sentence(template: Template, limits: Limits) -> int:
    return limits.channel_sentence if template.message_type in ("AD", "MI") else 0


def _limited(template: Template, limits: Limits) -> Iterator[Limited]:
    yield Limited("AT035", ("name",), "name", template.name, limits.name)
    yield Limited("AT015", ("body",), "body", template.body, body_limit(template, limits))
    yield Limited("AT003", ("extra",), "extra", template.extra, limits.extra)
    yield Limited("AT006", ("title",), "title", template.title, limits.title)
    yield Limited("AT006", ("subtitle",), "subtitle", template.subtitle, limits.subtitle)
    yield Limited("AT014", ("header",), "header", template.header, limits.header)
    yield from _list(template, limits)
    if template.link is not None:
        yield from _link(template.link, limits)
    for index, button in enumerate(template.buttons):
        yield from _button(button, ("buttons", index), "button_name", limits)
    for index, button in enumerate(template.quick_replies):
        yield from _button(button, ("quick_replies", index), "reply_name", limits)


def _list(template: Template, limits: Limits) -> Iterator[Limited]:
    if (highlight := template.highlight) is not None:
        title, description = limits.highlight_title, limits.highlight_description
        if highlight.image is not None:
            title, description = limits.highlight_title_with_image, limits.highlight_description_with_image
        at = ("highlight", "title"), ("highlight", "description")
        yield Limited("AT013", at[0], "highlight_title", highlight.title, title)
        yield Limited("AT013", at[1], "highlight_description", highlight.description, description)
    for index, item in enumerate(template.items):
        path = ("items", index)
        yield Limited("AT011", (*path, "title"), "item_title", item.title, limits.item_title)
        about = (item.description, limits.item_description)
        yield Limited("AT011", (*path, "description"), "item_description", *about)
    if (summary := template.summary) is not None:
        at = ("summary", "title"), ("summary", "description")
        yield Limited("AT012", at[0], "summary_title", summary.title, limits.summary_title)
        yield Limited("AT012", at[1], "summary_description", summary.description, limits.summary_description)


def _link(link: Link, limits: Limits) -> Iterator[Limited]:
    for name in _PLACES:
        yield Limited("AT019", ("link", name), "link", getattr(link, name), limits.link)


def _button(button: Button, path: tuple[str, int], field: str, limits: Limits) -> Iterator[Limited]:
    yield Limited("AT018", (*path, "name"), field, button.name, limits.button_name)
    rule = "AT020" if button.type == "AL" else "AT019"
    for name in _ADDRESSES:
        yield Limited(rule, (*path, name), "link", getattr(button, name), limits.link)
