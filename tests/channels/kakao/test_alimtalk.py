"""What holds for all relays alike."""

import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels import Accepted, Deferred, Reason, Rejected, Unknown
from channels.contract import Outcome
from channels.errors import PollFailed
from channels.host import build_host
from channels.kakao.alimtalk import Alimtalk, bare, read, send_each
from channels.kakao.batches import Answer
from channels.kakao.windows import DAY, PAUSE, instant, korean, window_of
from channels.testing.check import NOW
from channels.testing.providers import Fault
from channels.testing.providers.nhn import FakeNhn
from channels.testing.providers.sens import FakeSens
from channels.testing.providers.solapi import FakeSolapi
from tests.channels.kakao import test_nhn, test_sens, test_solapi
from tests.channels.kakao.world import Clock, a_message, a_world

MODULES = [f"channels.kakao.{name}" for name in ("solapi", "nhn", "sens")]
RELAYS: list[tuple[Any, Any, Any]] = [
    (FakeSolapi, test_solapi.CHANNEL, test_solapi.SETTINGS),
    (FakeNhn, test_nhn.CHANNEL, test_nhn.SETTINGS),
    (FakeSens, test_sens.CHANNEL, test_sens.SETTINGS),
]
BODIES = [
    b"",
    b"null",
    b"[]",
    b"7",
    b"{}",
    b"\xff\xfe",
    b'{"header": "x", "message": "x", "messages": "x", "error": "x", "messageList": "x"}',
    b'{"header": [], "message": [], "messages": {}, "error": [], "messageList": []}',
    b'{"header": {"resultCode": 0}, "message": {"sendResults": "x"}, "messages": [1], "messageList": [1]}',
    b'{"header": {"resultCode": 0}, "message": {"sendResults": [1]}, "messageList": {"a": 1}}',
    b'{"header": {"resultCode": 0}, "messages": [{"a": 1}], "messageList": {"a": {"b": 1}}}',
    b'{"header": {"resultCode": 0}, "messageSearchResultResponse": "x", "failedMessageList": "x"}',
]


def test_the_host_finds_all_three() -> None:
    host = build_host(discover=False, modules=MODULES)
    assert {"solapi_alimtalk", "nhn_alimtalk", "sens_alimtalk"} <= set(host.channels)


def test_importing_them_is_cheap() -> None:
    heavy = "{'httpx', 'phonenumbers', 'cryptography', 'jwt'}"
    program = f"import sys, {', '.join(MODULES)}; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "[]\n"


@pytest.mark.parametrize("name", ["이름", "#{이름}", " #{ 이름 } "])
def test_a_variable_may_be_named_either_way(name: str) -> None:
    assert bare(name) == "이름"


@pytest.mark.parametrize(
    ("wrong", "reason", "told"),
    [
        (a_message(to="01012345678"), Reason.INVALID_RECIPIENT, "+8210"),
        (a_message(to="+12025550123"), Reason.INVALID_RECIPIENT, "Korean"),
        (a_message(template=" "), Reason.TEMPLATE_UNAVAILABLE, "template"),
        (a_message(options={"색": 1}), Reason.CONTENT_INVALID, "options.색"),
        (
            a_message(options={"buttons": [{"type": "WL", "name": "보기"}]}),
            Reason.CONTENT_INVALID,
            "link_mobile",
        ),
        (
            a_message(options={"buttons": [{"type": "XX", "name": "보기"}]}),
            Reason.CONTENT_INVALID,
            "options.buttons.0",
        ),
        (
            a_message(options={"buttons": [{"type": "AL", "name": "앱", "scheme_ios": "a://"}]}),
            Reason.CONTENT_INVALID,
            "two of",
        ),
        (
            a_message(
                options={
                    "buttons": [{"type": "BK", "name": "가"}] * 3,
                    "quick_replies": [{"type": "BK", "name": "나"}],
                }
            ),
            Reason.CONTENT_INVALID,
            "room for 2",
        ),
        (
            a_message(options={"buttons": [{"type": "BK", "name": "가"}] * 6}),
            Reason.CONTENT_INVALID,
            "buttons",
        ),
    ],
)
def test_what_no_relay_could_send_is_refused_here(wrong: Any, reason: Reason, told: str) -> None:
    refused = read(wrong)
    assert isinstance(refused, Rejected)
    assert refused.reason is reason
    assert told in refused.text


@given(st.lists(st.tuples(st.sampled_from("가나다"), st.booleans()), max_size=40))
def test_the_culprits_of_a_refused_batch_are_found_and_nobody_else(people: list[tuple[str, bool]]) -> None:
    taken: list[str] = []

    async def post(group: Sequence[Alimtalk]) -> Answer:
        assert len({one.template for one in group}) == 1
        if any(one.text == "나쁨" for one in group):
            return Rejected(Reason.REQUEST_INVALID, "400")
        taken.extend(one.reference for one in group)
        return [Accepted(one.reference) for one in group]

    messages = [
        a_message(f"m-{number}", template=template, text="나쁨" if bad else "좋음")
        for number, (template, bad) in enumerate(people)
    ]
    outcomes = anyio.run(send_each, messages, post, lambda one: one.template)
    expected: list[Outcome] = [
        Rejected(Reason.REQUEST_INVALID, "400") if bad else Accepted(f"m-{number}")
        for number, (_, bad) in enumerate(people)
    ]
    assert outcomes == expected
    assert len(taken) == len(set(taken))


@pytest.mark.parametrize(
    "answer",
    [
        Unknown(),
        Deferred(NOW, Reason.RATE_LIMITED),
        Rejected(Reason.AUTH_FAILED),
        Rejected(Reason.ACCOUNT_BLOCKED),
    ],
)
def test_a_batch_whose_fate_is_common_is_not_sent_in_parts(answer: Outcome) -> None:
    calls: list[int] = []

    async def post(group: Sequence[Alimtalk]) -> Answer:
        calls.append(len(group))
        return answer

    messages = [a_message(f"m-{number}") for number in range(8)]
    assert anyio.run(send_each, messages, post, lambda _: None) == [answer] * 8
    assert calls == [8]


@given(st.lists(st.integers(0, 3 * DAY), min_size=1, max_size=20))
def test_windows_leave_no_gap(pauses: list[int]) -> None:
    now, cursor, covered = NOW, None, NOW - DAY + pauses[0]
    for pause in pauses:
        now += pause
        for _ in range(10):
            window = window_of(cursor, now)
            if window is None:
                break
            assert window.start_at <= covered
            assert window.start_at < window.end_at <= now
            covered, cursor = window.end_at, window.onward("")
        else:
            raise AssertionError("there is always another window")
        assert now - covered < PAUSE


def test_korean_clocks() -> None:
    assert korean(NOW, "%Y-%m-%d %H:%M") == "2026-01-01 09:00"
    assert instant("2026-01-01 09:00:00.0", 0) == NOW
    assert instant("2026-01-01T00:00:00.000Z", 0) == NOW
    assert instant("어제", 7) == instant(None, 7) == 7


@pytest.mark.anyio
@pytest.mark.parametrize("relay", RELAYS, ids=lambda relay: relay[1].key)
@pytest.mark.parametrize(
    "status", [200, 202, 204, 301, 400, 401, 403, 404, 409, 422, 429, 500, 501, 502, 503, 504, 599]
)
async def test_whatever_a_relay_answers_is_an_outcome(relay: Any, status: int) -> None:
    fake, channel, settings = relay
    clock = Clock()
    async with a_world(fake(clock), channel, settings, clock) as world:
        sender = world.open()
        for body in BODIES:
            world.provider.faults.extend([Fault(status, {}, body)] * 9)
            for outcome in await sender.send_many([a_message("m-1"), a_message("m-2")]):
                assert not isinstance(outcome, Accepted)
                assert isinstance(outcome, Rejected | Deferred | Unknown)
                # Whatever was answered with success may have been taken over.
                assert isinstance(outcome, Unknown) or status >= 300 or outcome.code
            world.provider.faults.clear()
            world.provider.faults.append(Fault(status, {}, body))
            if hasattr(sender, "ask"):
                assert isinstance(await sender.ask("m-9"), Unknown)
            world.provider.faults.clear()
            world.provider.faults.append(Fault(status, {}, body))
            with suppress(PollFailed):
                assert all(one.key for one in (await channel.poll(settings, world.tools, None))[0])
            world.provider.faults.append(Fault(status, {}, body))
            assert await channel.probe(settings, world.tools) is not None
            world.provider.faults.clear()
