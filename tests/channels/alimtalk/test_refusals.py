"""What the linter calls an error the stand-ins of relays refuse by their own checks; the rest they take.

The tables say for each error by what code, or why a relay lets it pass at registration.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from channels.alimtalk import RULES, Severity, read_template
from channels.alimtalk.desk import Desk, DeskError
from channels.kakao.solapi import SolapiAlimtalkChannel
from channels.reasons import Reason
from channels.testing.providers.solapi import FakeSolapi
from tests.channels.kakao.nhn_world import at_nhn, the_desk
from tests.channels.kakao.test_solapi import SETTINGS
from tests.channels.kakao.world import Clock, a_world

from .examples import BREAKS, KEEPS

pytestmark = pytest.mark.anyio

NHN: dict[tuple[str, str], str] = {
    ("AT001", "message_type"): "4",
    ("AT001", "emphasis"): "4",
    ("AT001", "button"): "-2018",
    ("AT001", "reply"): "-2504",
    ("AT002", "missing"): "-3018",
    ("AT002", "unwanted"): "-3028",
    ("AT003", "too_long"): "-2000",
    ("AT003", "no_variable"): "-3021",
    ("AT004", "missing"): "-3050",
    ("AT004", "place"): "-3025",
    ("AT004", "name"): "-3026",
    ("AT004", "unwanted"): "-3024",
    ("AT004", "twice"): "-3025",
    ("AT005", "missing"): "-3016",
    ("AT005", "unwanted"): "-3027",
    ("AT006", "too_long"): "-2000",
    ("AT006", "no_variable"): "-3017",
    ("AT008", "missing"): "-3032",
    ("AT008", "incomplete"): "-3032",
    ("AT008", "not_web"): "-3041",
    ("AT010", "missing"): "-3035",
    ("AT010", "secure"): "-3036",
    ("AT011", "count"): "-2033",
    ("AT011", "too_long"): "-2033",
    ("AT011", "no_variable"): "-3037",
    ("AT011", "empty"): "-2033",
    ("AT012", "alone"): "-3039",
    ("AT012", "amount"): "-2033",
    ("AT012", "too_long"): "-2033",
    ("AT012", "no_variable"): "-3038",
    ("AT012", "empty"): "-2033",
    ("AT013", "too_long"): "-2034",
    ("AT013", "empty"): "-2034",
    ("AT014", "too_long"): "-2000",
    ("AT015", "empty"): "-2001",
    ("AT015", "too_long"): "-2000",
    ("AT016", "too_many"): "4",
    ("AT017", "buttons"): "-2018",
    ("AT017", "beside"): "-2505",
    ("AT017", "replies"): "-2504",
    ("AT018", "too_long"): "-2000",
    ("AT018", "no_variable"): "-3008",
    ("AT018", "empty"): "-3009",
    ("AT019", "missing"): "-3000",
    ("AT019", "not_web"): "-3006",
    ("AT020", "missing"): "-3007",
    ("AT020", "not_web"): "-3006",
    ("AT022", "name"): "-3051",
    ("AT022", "place"): "-3044",
    ("AT022", "phone"): "-3053",
    ("AT025", "mark"): "-3047",
    ("AT035", "too_long"): "-2000",
}
"""By rule and problem: NHN's code."""

_AT_UPLOAD = "a picture is judged when it is uploaded; a template names it by its address"
_UNTOLD = "the reference names no code for it, and the stand-in guesses none"
_REVIEW = "the reviewer judges it"
_ELSEWHERE = "it is about what is beside the template: values, a fallback, other templates, another endpoint"
NHN_LETS_PASS: dict[tuple[str, str], str] = {
    **{("AT009", problem): _AT_UPLOAD for problem in ("ratio", "small", "heavy", "kind")},
    ("AT012", "decimals"): _UNTOLD,
    ("AT016", "malformed"): _UNTOLD,
    ("AT016", "empty"): _UNTOLD,
    ("AT016", "dot"): "SOLAPI's rule",
    ("AT016", "value"): _ELSEWHERE,
    ("AT019", "too_long"): _UNTOLD,
    ("AT020", "too_long"): _UNTOLD,
    ("AT021", "malformed"): "told of a message that is sent: KakaoTalk 3026",
    ("AT022", "form"): _UNTOLD,
    ("AT023", "carrier"): _REVIEW,
    ("AT023", "invoice"): _REVIEW,
    ("AT027", "growth"): "told of a message that is sent: -1028",
    ("AT028", "word"): "told of a message that is sent: -8006",
    ("AT034", "malformed"): _UNTOLD,
    ("AT034", "unknown"): _UNTOLD,
    ("AT035", "taken"): _ELSEWHERE,
    ("AT036", "characters"): _ELSEWHERE,
    ("AT036", "too_long"): _ELSEWHERE,
    ("AT036", "advertising"): _ELSEWHERE,
}
"""By rule and problem: why NHN says nothing when the template is registered."""

SOLAPI_LETS_PASS: dict[tuple[str, str], str] = {
    **{one: why for one, why in NHN_LETS_PASS.items() if one[0] != "AT009" and one[1] not in ("dot", "form")},
    ("AT016", "too_many"): _UNTOLD,
    ("AT025", "mark"): "NHN's rule",
}
SOLAPI_HAS_NONE = {
    "AT008": "a picture is named by its id there, not by an address",
    "AT009": "a picture is named by its id there, not by an address",
    "AT013": "a picture is named by its id there, not by an address",
    "AT019": "it has no link of the whole bubble",
    "AT022": "it has neither BF nor TN",
}
"""Rules whose good example uses what SOLAPI does not have: it is refused there too."""

BROKEN = {
    (rule, problem): data
    for rule, problem, data, _ in BREAKS
    if RULES[rule].says[problem].severity is Severity.ERROR
}


@asynccontextmanager
async def at_solapi() -> AsyncIterator[Desk]:
    channel, clock = SolapiAlimtalkChannel(), Clock()
    async with a_world(FakeSolapi(clock, is_strict=True), channel, SETTINGS, clock) as world:
        yield channel.open_desk(SETTINGS, world.tools)


async def answered(desk: Desk, code: str, data: dict[str, Any]) -> tuple[str, Reason] | None:
    """How the relay refuses a template; None when it takes it, which is then taken away again."""
    template, _ = read_template(data)
    assert template is not None
    try:
        made = await desk.create(code, template)
    except DeskError as error:
        return error.code, error.reason
    await desk.delete(made.code)
    return None


def test_every_error_is_in_the_tables() -> None:
    assert set(NHN) | set(NHN_LETS_PASS) == set(BROKEN)
    assert not set(NHN) & set(NHN_LETS_PASS)
    assert set(SOLAPI_LETS_PASS) <= set(BROKEN)


async def test_nhn_refuses_what_the_linter_calls_an_error_by_its_own_code() -> None:
    async with at_nhn() as world:
        desk = the_desk(world)
        found = {one: await answered(desk, "C", data) for one, data in BROKEN.items()}
    assert {one: told[0] for one, told in found.items() if told} == NHN
    of_the_request = {"4", "-2000", "-2001"}
    wrong = {told for told in found.values() if told and told[0] not in of_the_request}
    assert {reason for _, reason in wrong} == {Reason.CONTENT_INVALID}


async def test_nhn_takes_what_keeps_the_rules() -> None:
    async with at_nhn() as world:
        desk = the_desk(world)
        assert [rule for rule, (data, _) in KEEPS.items() if await answered(desk, "C", data)] == []


async def test_solapi_refuses_what_the_linter_calls_an_error_and_takes_what_keeps_the_rules() -> None:
    async with at_solapi() as desk:
        found = {one: await answered(desk, "C", data) for one, data in BROKEN.items()}
        taken = {rule: await answered(desk, "C", data) for rule, (data, _) in KEEPS.items()}
    assert {one for one, told in found.items() if told is None} == set(SOLAPI_LETS_PASS)
    assert {told[1] for told in found.values() if told} == {Reason.CONTENT_INVALID}
    assert {rule for rule, told in taken.items() if told} == set(SOLAPI_HAS_NONE)
