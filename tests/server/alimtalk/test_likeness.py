"""What tells two versions apart that say the same: a picture, a link, a category, a flag, a name."""

from dataclasses import replace
from typing import Any

import pytest

from channels.alimtalk.desk import Inspection, Registered
from channels.alimtalk.template import Button, Highlight, Image, Link, Template
from server.alimtalk.likeness import Likeness, is_same, likeness
from server.alimtalk.placing import Held, meant

TALK = Button(type="BC", name="상담")
HELLO = Template(body="안녕하세요", name="인사", buttons=(TALK,))
BESIDE: list[dict[str, Any]] = [
    {"image": Image("b.png", "https://relay.example/b.png")},
    {"link": Link("https://shop.example")},
    {"category": "001001"},
    {"is_secure": True},
    {"highlight": Highlight("a", "b", Image("b.png"))},
    {"buttons": (replace(TALK, chat_extra="주문"),)},
]


@pytest.mark.parametrize("beside", BESIDE)
def test_what_goes_beside_the_text_makes_another_version(beside: dict[str, Any]) -> None:
    base = replace(HELLO, highlight=Highlight("a", "b")) if "highlight" in beside else HELLO
    other = replace(base, **beside)
    assert is_same(base, other)
    assert likeness(other, other) is Likeness.SAME
    assert likeness(told=base, ours=other) is Likeness.UNTOLD
    assert likeness(told=other, ours=base) is Likeness.ALIKE
    held = [Held(1, Inspection.APPROVED, base), Held(2, Inspection.REQUESTED, other)]
    for template, number in ((base, 1), (other, 2)):
        assert meant(Registered("c", Inspection.APPROVED, template=template), held) == number


def test_a_picture_is_known_by_its_address_or_by_its_name() -> None:
    with_name, whole = (replace(HELLO, image=one) for one in (Image("a"), Image("a", "https://x/a")))
    assert likeness(with_name, whole) is Likeness.SAME
    assert likeness(replace(HELLO, image=Image("", "https://x/a")), whole) is Likeness.SAME
    assert likeness(replace(HELLO, image=Image("", "https://x/a")), with_name) is Likeness.UNTOLD
    assert likeness(replace(HELLO, image=Image("b")), whole) is Likeness.ALIKE
    assert likeness(replace(HELLO, name="다른 이름"), HELLO) is Likeness.ALIKE


def test_what_a_relay_never_tells_makes_no_version_unknown() -> None:
    extra = replace(HELLO, body="새 글", buttons=(replace(TALK, chat_extra="주문", target="out"),))
    told = Registered("c", Inspection.APPROVED, template=replace(extra, buttons=(TALK,)))
    held = [Held(1, Inspection.APPROVED, HELLO), Held(2, Inspection.REQUESTED, extra)]
    assert meant(told, held) == 2
    assert told.template is not None
    assert likeness(told.template, extra, ("chat_extra", "target")) is Likeness.SAME


def test_where_nothing_tells_them_apart_none_is_meant() -> None:
    held = [Held(1, Inspection.APPROVED, HELLO), Held(2, Inspection.REQUESTED, HELLO)]
    assert meant(Registered("c", Inspection.APPROVED, template=HELLO), held) is None
    other = Registered("c", Inspection.APPROVED, template=replace(HELLO, body="콘솔에서 고침"))
    assert meant(other, held) == 1
