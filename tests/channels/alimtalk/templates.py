"""Templates of any shape, for laws."""

from typing import Any

from hypothesis import strategies as st

from channels.alimtalk.template import Button, Highlight, Image, Item, Link, Template

TEXT = st.text(max_size=12) | st.sampled_from(["#{이름}", "#{쿠폰명} #{쿠폰명} 바로 쓰기", "#{}", "가" * 40])
IMAGES = st.builds(Image, TEXT, TEXT, st.integers(0, 2000), st.integers(0, 2000), st.integers(0, 10**6), TEXT)
ITEMS = st.builds(Item, TEXT, TEXT)
TYPES = st.sampled_from(["WL", "AL", "DS", "BK", "AC", "TN", "BF", "XX", ""])
BUTTONS = st.builds(
    Button, type=TYPES, name=TEXT, link_mobile=TEXT, scheme_ios=TEXT, chat_extra=TEXT, phone=TEXT
)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
TEMPLATES = st.builds(
    Template,
    name=TEXT,
    body=st.text(max_size=40),
    message_type=st.sampled_from(["BA", "EX", "AD", "MI", "??"]),
    emphasis=st.sampled_from(["NONE", "TEXT", "IMAGE", "ITEM_LIST", "??"]),
    extra=TEXT,
    title=TEXT,
    subtitle=TEXT,
    header=TEXT,
    highlight=st.none() | st.builds(Highlight, TEXT, TEXT, st.none() | IMAGES),
    items=st.lists(ITEMS, max_size=3).map(tuple),
    summary=st.none() | ITEMS,
    image=st.none() | IMAGES,
    link=st.none() | st.builds(Link, TEXT, TEXT, TEXT, TEXT),
    buttons=st.lists(BUTTONS, max_size=3).map(tuple),
    quick_replies=st.lists(BUTTONS, max_size=2).map(tuple),
    category=st.sampled_from(["999999", "001001", "x"]),
    is_secure=st.booleans(),
    more=st.dictionaries(TEXT, PLAIN, max_size=2),
)
_NAMES = [*Template.__dataclass_fields__, "type", "title", "description", "mobile"]


def _inside(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    named = st.dictionaries(st.sampled_from(_NAMES), inner, max_size=5)
    return named | st.lists(inner, max_size=3)


ALMOST_TEMPLATES = st.recursive(PLAIN, _inside, max_leaves=12)
"""Plain data that has the names of a template, and anything under them."""
