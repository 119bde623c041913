import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from channels import (
    Accepted,
    Actor,
    Cursor,
    Deferred,
    Inbound,
    Message,
    Outcome,
    Reason,
    Receipt,
    ReceiptKind,
    Refused,
    Rejected,
    Tools,
    Unknown,
    Verified,
)
from channels.testing import NOW, Evidence, FakeChannel, FakeSettings, Hang, Script, check, signed_callback
from channels.testing.fake import FIELDS
from channels.testing.fates import fate
from channels.testing.lives import Life
from tests.channels.builders import a_message

pytestmark = pytest.mark.anyio

K = ReceiptKind
LIVELY = FakeSettings(
    seed=7,
    refused=0.05,
    bounced=0.05,
    delivered=0.95,
    opened=0.5,
    machine_opened=0.3,
    clicked=0.4,
    unsubscribed=0.1,
)
LINKS = (
    "<a href=\"https://shop.example/a?x=1&amp;y=2\">a</a> <a href='https://shop.example/b'>b</a>"
    '<a href="https://shop.example/hidden" style="display:none"></a>'
)
FAR = NOW + 30 * 86_400_000


def many(count: int) -> list[Message]:
    return [a_message(f"m-{n}", f"{n}@example.com", html=LINKS) for n in range(count)]


@pytest.fixture
def at(tools: Tools) -> Callable[[int], Tools]:
    return lambda now: replace(tools, clock=lambda: now)


@settings(deadline=None)
@given(order=st.permutations(range(30)))
def test_what_becomes_of_a_message_depends_on_nothing_but_seed_and_reference(order: list[int]) -> None:
    messages = many(30)
    fates = {n: fate(LIVELY, messages[n]) for n in order}
    assert [fates[n] for n in range(30)] == [fate(LIVELY, message) for message in messages]


def test_the_rates_are_kept_and_another_seed_is_another_crowd() -> None:
    messages = many(4000)
    outcomes, receipts = zip(*(fate(LIVELY, message) for message in messages), strict=True)
    count = Counter((r.kind, r.actor) for told in receipts for r in told)
    refused = sum(isinstance(outcome, Rejected) for outcome in outcomes)
    assert refused == pytest.approx(200, rel=0.25)
    assert count[K.BOUNCED, None] == pytest.approx(190, rel=0.25)
    assert count[K.DELIVERED, None] == pytest.approx(3430, rel=0.05)
    assert count[K.OPENED, Actor.HUMAN] == pytest.approx(1715, rel=0.1)
    assert count[K.OPENED, Actor.MACHINE] == pytest.approx(1029, rel=0.15)
    assert count[K.CLICKED, Actor.HUMAN] == pytest.approx(686, rel=0.2)
    assert count[K.UNSUBSCRIBED, Actor.HUMAN] == pytest.approx(171, rel=0.3)
    assert outcomes != tuple(fate(LIVELY.model_copy(update={"seed": 8}), m)[0] for m in messages)


def test_a_click_names_a_link_of_the_message_and_comes_after_the_opening() -> None:
    told = [fate(LIVELY, message)[1] for message in many(500)]
    clicked = [receipts for receipts in told if any(r.kind is K.CLICKED for r in receipts)]
    urls = {r.url for receipts in clicked for r in receipts if r.kind is K.CLICKED}
    assert urls == {"https://shop.example/a?x=1&y=2", "https://shop.example/b"}
    for receipts in clicked:
        times = {(r.kind, r.actor): r.occurred_at for r in receipts}
        assert NOW < times[K.DELIVERED, None] < times[K.OPENED, Actor.HUMAN] < times[K.CLICKED, Actor.HUMAN]


def test_nobody_clicks_where_there_is_no_link() -> None:
    keen = LIVELY.model_copy(update={"opened": 1, "clicked": 1})
    assert all(r.kind is not K.CLICKED for n in range(100) for r in fate(keen, a_message(f"m-{n}"))[1])


async def read_all(channel: FakeChannel, tools: Tools) -> list[Receipt]:
    read: list[Receipt] = []
    cursor: Cursor = None
    while True:
        page, cursor = await channel.poll(LIVELY, tools, cursor)
        if not page:
            return read
        read += page


async def test_receipts_are_told_once_their_time_has_come_and_in_order(at: Callable[[int], Tools]) -> None:
    channel = FakeChannel()
    sender = channel.open(LIVELY, at(NOW))
    messages = many(1000)
    for message in messages:
        await sender.send(message)
    assert await channel.poll(LIVELY, at(NOW), None) == ([], (await channel.poll(LIVELY, at(NOW), None))[1])
    soon, cursor = await channel.poll(LIVELY, at(NOW + 1000), None)
    assert soon
    assert max(r.occurred_at for r in soon) <= NOW + 1000
    again, _ = await channel.poll(LIVELY, at(NOW + 1000), None)
    assert again == soon
    rest = []
    while page := (await channel.poll(LIVELY, at(FAR), cursor))[0]:
        rest += page
        _, cursor = await channel.poll(LIVELY, at(FAR), cursor)
    times = [r.occurred_at for r in soon + rest]
    assert times == sorted(times)
    expected = {r.key for message in messages for r in fate(LIVELY, message)[1]}
    assert sorted(r.key for r in soon + rest) == sorted(expected)


async def test_a_cursor_from_before_a_restart_loses_nothing_that_comes_after(
    at: Callable[[int], Tools],
) -> None:
    before, after = FakeChannel(), FakeChannel()
    for channel, reference in ((before, "m-1"), (after, "m-2")):
        await channel.open(FakeSettings(), at(NOW)).send(a_message(reference))
    _, cursor = await before.poll(FakeSettings(), at(FAR), None)
    receipts, _ = await after.poll(FakeSettings(), at(FAR), cursor)
    assert [r.key for r in receipts] == ["m-2:delivered"]


async def test_a_reference_sent_twice_reaches_people_once(at: Callable[[int], Tools]) -> None:
    channel = FakeChannel()
    sender = channel.open(FakeSettings(), at(NOW))
    assert await sender.send(a_message()) == await sender.send(a_message())
    assert (len(channel.attempts), len(channel.sends)) == (2, 1)
    assert len(await read_all(channel, at(FAR))) == 1


async def test_two_connections_do_not_hear_of_each_other(tools: Tools) -> None:
    channel = FakeChannel()
    one, two = (replace(tools, connection=name, clock=lambda: FAR) for name in ("one", "two"))
    await channel.open(FakeSettings(), one).send(a_message())
    assert len(channel.sends_of("one")) == 1
    assert (await channel.poll(FakeSettings(), two, None))[0] == []


LATER = Deferred(NOW + 1000, Reason.RATE_LIMITED)
LOST = Unknown()


@pytest.mark.parametrize(
    ("script", "expected", "taken"),
    [
        ({"addresses": {"mina@example.com": LATER}}, [LATER, LATER, LATER], 0),
        ({"addresses": {"mina@example.com": [LATER, LOST]}}, [LATER, LOST, Accepted], 1),
        ({"turns": {2: LATER}}, [Accepted, LATER, Accepted], 1),
        ({"addresses": {"someone@example.com": LATER}}, [Accepted, Accepted, Accepted], 1),
    ],
)
async def test_a_script_decides_over_chosen_sends(
    tools: Tools, script: dict[str, Any], expected: list[Outcome | type], taken: int
) -> None:
    channel = FakeChannel(script=Script(**script))
    sender = channel.open(FakeSettings(), tools)
    outcomes = [await sender.send(a_message()) for _ in expected]
    assert [
        type(o) if isinstance(e, type) else o for o, e in zip(outcomes, expected, strict=True)
    ] == expected
    assert len(channel.sends) == taken


async def test_a_scripted_exception_is_raised(tools: Tools) -> None:
    channel = FakeChannel(script=Script(turns={1: RuntimeError("a defect")}))
    with pytest.raises(RuntimeError, match="a defect"):
        await channel.open(FakeSettings(), tools).send(a_message())
    assert channel.sends == []


@pytest.mark.parametrize("after_leaving", [False, True])
async def test_a_hanging_send_can_be_cut_off_before_or_after_it_left(
    tools: Tools, after_leaving: bool
) -> None:
    hang = Hang(after_leaving=after_leaving)
    channel = FakeChannel(script=Script(turns={1: hang, 2: hang}))
    sender = channel.open(FakeSettings(), tools)
    task = asyncio.create_task(sender.send(a_message()))
    await hang.reached.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(channel.sends) == after_leaving
    hang.release.set()
    assert isinstance(await sender.send(a_message()), Accepted)


SIGNED = FakeSettings(callback_secret="a shared secret")


async def test_callbacks_are_signed_and_tell_what_polling_would_have_told(tools: Tools) -> None:
    channel = FakeChannel()
    told = fate(LIVELY, a_message(html=LINKS))[1]
    callback = signed_callback(SIGNED, told, NOW)
    verified = channel.verify(SIGNED, callback, NOW)
    assert isinstance(verified, Verified)
    heard = channel.parse(SIGNED, verified)
    assert [replace(receipt, raw="") for receipt in heard] == told
    assert isinstance(channel.verify(SIGNED, callback, NOW + 301_000), Refused)
    assert isinstance(channel.verify(FakeSettings(), callback, NOW), Refused)


async def test_what_a_callback_says_in_unknown_words_is_kept_unmapped(tools: Tools) -> None:
    channel = FakeChannel()
    odd: list[dict[str, Any]] = [{"kind": "teleported", "key": "1"}, {"kind": ["a"], "key": 1}]
    verified = channel.verify(SIGNED, signed_callback(SIGNED, odd, NOW), NOW)
    assert isinstance(verified, Verified)
    kinds = [(r.kind, "teleported" in r.raw) for r in channel.parse(SIGNED, verified)]
    assert kinds == [(K.UNMAPPED, True), (K.UNMAPPED, False)]


@pytest.mark.parametrize("channel", FIELDS)
async def test_it_keeps_the_contract_on_every_channel(tools: Tools, channel: str) -> None:
    wrote = Inbound("i-1", "mina@example.com", "STOP", NOW, provider_id="fake-m-1")
    told = fate(LIVELY, a_message())[1]
    callback = signed_callback(SIGNED, [*told, wrote], NOW)
    await check(
        Evidence(
            channel=FakeChannel(channel=channel),
            settings=SIGNED,
            tools=tools,
            callbacks=[callback],
            signs_time=True,
            foreign=FakeSettings(callback_secret=SecretStr("another secret")),
        )
    )


async def test_what_people_wrote_is_no_receipt(tools: Tools) -> None:
    channel = FakeChannel(channel="sms")
    wrote = Inbound("i-1", "+821012345678", "STOP", NOW, "+8215880000", "fake-m-1")
    verified = channel.verify(SIGNED, signed_callback(SIGNED, [wrote], NOW), NOW)
    assert isinstance(verified, Verified)
    assert channel.parse(SIGNED, verified) == []
    assert [replace(one, raw="") for one in channel.parse_inbound(SIGNED, verified)] == [wrote]


@pytest.mark.parametrize("reason", Reason)
async def test_a_life_decides_with_any_reason(at: Callable[[int], Tools], reason: Reason) -> None:
    lived = {"mina@example.com": Life(refused=reason), "jun@example.com": Life(failed=reason)}
    channel = FakeChannel(lives=lambda address: lived.get(address, Life()))
    sender = channel.open(FakeSettings(), at(NOW))
    refused = await sender.send(a_message("m-1"))
    assert isinstance(refused, Rejected)
    assert (refused.reason, refused.code) == (reason, reason)
    assert isinstance(await sender.send(a_message("m-2", "jun@example.com")), Accepted)
    assert isinstance(await sender.send(a_message("m-3", "sora@example.com")), Accepted)
    told = {(one.reference, one.kind, one.reason) for one in await read_all(channel, at(FAR))}
    assert told == {("m-2", K.BOUNCED, reason), ("m-3", K.DELIVERED, None)}


async def test_an_option_that_it_does_not_know_is_rejected(tools: Tools) -> None:
    sender = FakeChannel().open(FakeSettings(), tools)
    assert isinstance(await sender.send(replace(a_message(), options={"tag": "a"})), Accepted)
    outcome = await sender.send(replace(a_message("m-2"), options={"tagg": "a"}))
    assert isinstance(outcome, Rejected)
    assert "tagg" in outcome.text
