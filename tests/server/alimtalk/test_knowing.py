"""Codes and versions: which is meant, what says the same, and when something falls asleep."""

import pytest

from channels.alimtalk.desk import Inspection, Registered
from channels.alimtalk.template import Button, Image, Template
from server.alimtalk.dormancy import due, profile_sleeps_at, seen, template_sleeps_at
from server.alimtalk.likeness import code_for, is_same, key_for
from server.alimtalk.placing import Held, meant
from server.clock import DAY

HELLO = Template(body="#{이름}님,\n안녕하세요", name="hello", buttons=(Button(type="BK", name="네"),))


def test_templates_are_the_same_apart_from_line_ends_and_what_relays_add() -> None:
    told = Template(body="#{이름}님,  \r\n안녕하세요\n", buttons=HELLO.buttons, more={"id": 1}, category="1")
    assert is_same(HELLO, told)
    assert not is_same(HELLO, Template(body="#{이름}님, 안녕하세요", buttons=HELLO.buttons))
    assert not is_same(HELLO, Template(body=HELLO.body, image=Image("a"), title="b"))


@pytest.mark.parametrize("key", ["welcome", "환영", "환영합니다", "a" * 40, "a b", "ab"])
def test_a_code_is_short_and_plain_and_two_keys_never_share_one(key: str) -> None:
    code = code_for(key, 12, 20)
    assert 0 < len(code) <= 20
    assert code.isascii()
    assert code != code_for(key + "!", 12, 20)
    assert code != code_for(key, 13, 20)


def test_a_key_is_the_code_unless_somebody_else_has_it() -> None:
    assert key_for("W1", [], "shop") == "W1"
    assert key_for("W1", ["W1"], "shop") == "W1@shop"
    assert key_for("W1", ["W1", "W1@shop"], "shop") == "W1@shop-2"


def test_of_versions_under_one_code_the_one_that_is_told_of() -> None:
    new = Template(body="new")
    live = Held(1, Inspection.APPROVED, HELLO)
    waiting = Held(2, Inspection.IN_REVIEW, new)
    approved = Inspection.APPROVED

    def told(inspection: Inspection, template: Template | None = None, revision: bool = False) -> int | None:
        registered = Registered("c", inspection, template=template, is_revision=revision)
        return meant(registered, [live, waiting])

    assert told(Inspection.REJECTED, revision=True) == 2
    assert told(approved, new) == 2
    assert told(approved, HELLO) == 1
    assert told(approved) is None
    assert meant(Registered("c", approved), [live]) == 1
    assert meant(Registered("c", Inspection.REQUESTED, is_revision=True), [live]) is None
    assert meant(Registered("c", approved), [live, Held(2, approved, new)]) == 2


def test_a_year_unused_or_thirty_days_after_it_was_woken() -> None:
    assert (seen(None, 1), seen(1, 1), seen(2, 1)) == (None, None, 2)
    assert template_sleeps_at(approved_at=None, released_at=None, last_sent_at=None) is None
    assert template_sleeps_at(approved_at=DAY, released_at=None, last_sent_at=None) == 366 * DAY
    assert template_sleeps_at(approved_at=DAY, released_at=None, last_sent_at=9 * DAY) == 374 * DAY
    assert template_sleeps_at(approved_at=DAY, released_at=400 * DAY, last_sent_at=9 * DAY) == 430 * DAY
    assert template_sleeps_at(approved_at=DAY, released_at=400 * DAY, last_sent_at=401 * DAY) == 766 * DAY
    assert profile_sleeps_at(registered_at=DAY, last_sent_at=None) == 366 * DAY


@pytest.mark.parametrize(
    ("day", "told"), [(300, None), (335, None), (336, 30), (358, 30), (359, 7), (365, 7), (366, None)]
)
def test_it_is_told_before(day: int, told: int | None) -> None:
    assert due(366 * DAY, day * DAY, (30, 7)) == told
    assert due(None, day * DAY, (30, 7)) is None
