import json
from typing import Any

import pytest
from channels import Accepted, Deferred, Message, Problem, Reason, ReceiptKind, Rejected, Unknown
from channels.testing import NOW
from channels.testing.providers import Fault, Life, everybody
from whatsapp_world import CHANNEL, HOUR, MINUTE, SETTINGS, World, a_message

from sojourn_whatsapp.answers import codes, reason_of
from sojourn_whatsapp.testing import FAILED, REFUSED

pytestmark = pytest.mark.anyio

LATER = (Reason.RATE_LIMITED, Reason.PROVIDER_ERROR)


async def body_of(world: World, message: Message) -> dict[str, Any]:
    outcome = await world.open().send(message)
    assert isinstance(outcome, Accepted), outcome
    return world.sent()[-1]


async def test_a_template_goes_out_with_its_values_in_order_and_with_our_reference(world: World) -> None:
    body = await body_of(world, a_message(variables={"2": "꽃신", "1": "민아"}))
    assert body == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "+821012345678",
        "type": "template",
        "template": {
            "name": "order_paid",
            "language": {"code": "ko"},
            "components": [
                {
                    "type": "body",
                    "parameters": [{"type": "text", "text": "민아"}, {"type": "text", "text": "꽃신"}],
                }
            ],
        },
        "biz_opaque_callback_data": "m-1",
    }
    method, path, headers, _ = world.meta.requests[-1]
    assert (method, path) == ("POST", "/v25.0/106540352242922/messages")
    assert headers["authorization"] == "Bearer EAAG-a-token-for-tests"
    assert headers["content-type"] == "application/json"


async def test_values_with_names_keep_them_and_the_language_is_the_messages(world: World) -> None:
    variables = {"first_name": "Mina", "{{order}}": "A-1"}
    message = a_message(template="order_named", language="en_US", variables=variables)
    template = (await body_of(world, message))["template"]
    assert template["language"] == {"code": "en_US"}
    assert template["components"][0]["parameters"] == [
        {"type": "text", "parameter_name": "first_name", "text": "Mina"},
        {"type": "text", "parameter_name": "order", "text": "A-1"},
    ]


async def test_heading_and_buttons_of_a_template_get_their_values(world: World) -> None:
    options = {
        "header_text": "8월",
        "header_name": "month",
        "buttons": [
            {"index": 0, "value": "orders/1"},
            {"index": 1, "type": "quick_reply", "value": "stop"},
            {"index": 2, "type": "copy_code", "value": "KKOT10"},
        ],
    }
    components = (await body_of(world, a_message(template="hello", options=options)))["template"][
        "components"
    ]
    assert components == [
        {"type": "header", "parameters": [{"type": "text", "parameter_name": "month", "text": "8월"}]},
        {
            "type": "button",
            "sub_type": "url",
            "index": "0",
            "parameters": [{"type": "text", "text": "orders/1"}],
        },
        {
            "type": "button",
            "sub_type": "quick_reply",
            "index": "1",
            "parameters": [{"type": "payload", "payload": "stop"}],
        },
        {
            "type": "button",
            "sub_type": "copy_code",
            "index": "2",
            "parameters": [{"type": "coupon_code", "coupon_code": "KKOT10"}],
        },
    ]


async def test_media_beside_a_template_are_its_heading(world: World) -> None:
    options = {"media_type": "document", "filename": "영수증.pdf"}
    message = a_message(template="hello", media_url="https://shop.example/1.pdf", options=options)
    (header,) = (await body_of(world, message))["template"]["components"]
    document = {"link": "https://shop.example/1.pdf", "filename": "영수증.pdf"}
    assert header == {"type": "header", "parameters": [{"type": "document", "document": document}]}


@pytest.mark.parametrize("kind", ["image", "video", "document"])
async def test_media_go_out_by_link_with_the_text_as_caption(world: World, kind: str) -> None:
    world.meta.wrote("+821012345678", "네?")
    message = a_message(
        text="여기요", media_url="https://shop.example/m", options={"media_type": kind, "filename": "m.pdf"}
    )
    body = await body_of(world, message)
    named = {"filename": "m.pdf"} if kind == "document" else {}
    assert body["type"] == kind
    assert body[kind] == {"link": "https://shop.example/m", "caption": "여기요", **named}


async def test_a_text_arrives_while_the_window_is_open_and_fails_a_day_later(world: World) -> None:
    world.meta.wrote("+821012345678", "언제 와요?")
    world.clock.at += 23 * HOUR
    body = await body_of(world, a_message(text="내일 https://shop.example", options={"preview_url": True}))
    assert body["text"] == {"body": "내일 https://shop.example", "preview_url": True}
    world.clock.at += 2 * HOUR
    assert [one.kind for one in world.hear()] == [ReceiptKind.ACCEPTED, ReceiptKind.DELIVERED]

    await world.open().send(a_message("m-2", text="왔어요?"))
    world.clock.at += MINUTE
    (told,) = world.hear()
    assert (told.kind, told.reason, told.code) == (ReceiptKind.FAILED, Reason.WINDOW_CLOSED, "131047")
    assert told.reference == "m-2"


async def test_a_template_needs_no_window(world: World) -> None:
    await world.open().send(a_message())
    world.clock.at += MINUTE
    assert [one.kind for one in world.hear()] == [ReceiptKind.ACCEPTED, ReceiptKind.DELIVERED]


@pytest.mark.parametrize(
    ("message", "reason", "code"),
    [
        (a_message(to="01012345678"), Reason.INVALID_RECIPIENT, "to"),
        (a_message(to="+0000"), Reason.INVALID_RECIPIENT, "to"),
        (a_message(to="+8210１２345678"), Reason.INVALID_RECIPIENT, "to"),
        (a_message(variables={"1": "a", "3": "c"}), Reason.TEMPLATE_MISMATCH, "variables"),
        (a_message(variables={"1": "a", "name": "c"}), Reason.TEMPLATE_MISMATCH, "variables"),
        (a_message(options={"colour": "red"}), Reason.REQUEST_INVALID, "options"),
        (a_message(options={"buttons": [{"index": 11, "value": "x"}]}), Reason.REQUEST_INVALID, "options"),
        (a_message(text=" "), Reason.CONTENT_INVALID, "text"),
        (a_message(language="ko"), Reason.CONTENT_INVALID, "text"),
        (a_message(text="길" * 4097), Reason.CONTENT_INVALID, "text"),
        (a_message(text="길" * 1025, media_url="https://a.example"), Reason.CONTENT_INVALID, "caption"),
    ],
)
async def test_what_can_be_seen_to_be_wrong_never_leaves(
    world: World, message: Message, reason: Reason, code: str
) -> None:
    outcome = await world.open().send(message)
    assert isinstance(outcome, Rejected)
    assert (outcome.reason, outcome.code) == (reason, code)
    assert not world.meta.requests


async def test_a_reference_that_is_too_long_for_meta_stays_here(world: World) -> None:
    assert "biz_opaque_callback_data" in await body_of(world, a_message("m" * 512))
    assert "biz_opaque_callback_data" not in await body_of(world, a_message("m" * 513))


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (a_message(template="unknown"), "132001"),
        (a_message(template="order_paid", language="en_US", variables={"1": "a", "2": "b"}), "132001"),
        (a_message(template="order_paid", variables={"1": "a"}), "132000"),
        (a_message(template="order_named", language="en_US", variables={"1": "a", "2": "b"}), "132012"),
    ],
)
async def test_the_fake_knows_its_templates(world: World, message: Message, code: str) -> None:
    outcome = await world.open().send(message)
    assert isinstance(outcome, Rejected)
    assert outcome.code == code


@pytest.mark.parametrize("reason", REFUSED)
async def test_what_meta_refuses_has_its_reason(world: World, reason: Reason) -> None:
    world.meta.lives = everybody(Life(refused=reason))
    outcome = await world.open().send(a_message())
    assert isinstance(outcome, Deferred if reason in LATER else Rejected)
    assert (outcome.reason, outcome.code) == (reason, str(REFUSED[reason]))
    assert "The fake provider says so" in outcome.text
    assert not world.meta.taken


@pytest.mark.parametrize("reason", FAILED)
async def test_what_fails_later_has_its_reason(world: World, reason: Reason) -> None:
    world.meta.lives = everybody(Life(failed=reason))
    accepted = await world.open().send(a_message())
    assert isinstance(accepted, Accepted)
    world.clock.at += MINUTE
    (told,) = world.hear()
    assert (told.kind, told.reason, told.code) == (ReceiptKind.FAILED, reason, str(FAILED[reason]))
    assert (told.provider_id, told.reference) == (accepted.provider_id, "m-1")
    assert told.recipient == "+821012345678"
    assert told.occurred_at == NOW + 20_000


def error(code: int, **more: Any) -> bytes:
    return json.dumps({"error": {"message": f"(#{code}) No", "code": code, **more}}).encode()


def usage(minutes: Any) -> dict[str, str]:
    used = [
        {"type": "messaging", "estimated_time_to_regain_access": 0},
        {"type": "whatsapp", "estimated_time_to_regain_access": minutes},
    ]
    return {"x-business-use-case-usage": json.dumps({"102290129340398": used})}


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        (Fault(400, body=error(130429)), 1),
        (Fault(429, body=error(131056)), 6),
        (Fault(429, {"retry-after": "17"}, error(131056)), 17),
        (Fault(400, body=error(4)), 300),
        (Fault(400, body=error(80007)), 300),
        (Fault(400, usage(42), error(80007)), 42 * 60),
        (Fault(400, usage(10_000_000), error(80007)), 300),
        (Fault(400, usage("soon"), error(80007)), 300),
        (Fault(400, {"x-business-use-case-usage": "[" * 9000}, error(80007)), 300),
        (Fault(400, body=error(131048)), 3600),
        (Fault(400, body=error(131057)), 60),
        (Fault(500, body=error(131000)), 0),
        (Fault(500, body=error(987654, is_transient=True)), 0),
        (Fault(503, {"retry-after": "9"}, b"<html>"), 9),
    ],
)
async def test_what_may_go_later_says_when(world: World, fault: Fault, seconds: int) -> None:
    world.meta.faults.append(fault)
    outcome = await world.open().send(a_message())
    assert isinstance(outcome, Deferred)
    assert outcome.reason in LATER
    assert outcome.retry_at == NOW + seconds * 1000


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(no_connection=True), Deferred(NOW, Reason.PROVIDER_ERROR, text="connection refused")),
        (Fault(400, body=error(987654)), Rejected(Reason.UNKNOWN, "987654", "(#987654) No")),
        (Fault(500, body=error(987654)), Deferred(NOW, Reason.PROVIDER_ERROR, "987654", "(#987654) No")),
        (Fault(500, body=error(3)), Rejected(Reason.AUTH_FAILED, "3", "(#3) No")),
        (Fault(403, body=error(200)), Rejected(Reason.AUTH_FAILED, "200", "(#200) No")),
        (Fault(401, body=b""), Rejected(Reason.AUTH_FAILED, "401", "")),
        (Fault(504, body=error(2)), Unknown(code="2", text="(#2) No")),
        (Fault(502, body=b"<html>"), Unknown(code="502", text="<html>")),
        (Fault(200, body=b'{"messages": []}'), Unknown(text='{"messages": []}')),
        (Fault(200, body=b'{"messages": [{"id": 5}]}'), Unknown(text='{"messages": [{"id": 5}]}')),
    ],
)
async def test_other_answers_end_soundly(world: World, fault: Fault, expected: object) -> None:
    world.meta.faults.append(fault)
    assert await world.open().send(a_message()) == expected


async def test_a_message_whose_answer_was_lost_is_found_by_its_first_status(world: World) -> None:
    world.meta.faults.append(Fault(reset_after=True))
    assert isinstance(await world.open().send(a_message()), Unknown)
    world.clock.at += 1000
    (told,) = world.hear()
    assert (told.kind, told.reference) == (ReceiptKind.ACCEPTED, "m-1")
    assert told.provider_id in world.meta.taken


async def test_a_template_that_is_held_is_taken_over_and_says_so(world: World) -> None:
    held = {"messages": [{"id": "wamid.1", "message_status": "held_for_quality_assessment"}]}
    world.meta.faults.append(Fault(200, body=json.dumps(held).encode()))
    outcome = await world.open().send(a_message())
    assert outcome == Accepted("wamid.1", "held_for_quality_assessment")


async def test_a_probe_looks_at_the_number_and_sends_nothing(world: World) -> None:
    assert await CHANNEL.probe(SETTINGS, world.tools) == []
    (request,) = world.meta.requests
    assert request[0] == "GET"
    assert request[1].startswith("/v25.0/106540352242922?fields=display_phone_number")
    assert not world.meta.taken


async def test_a_probe_tells_which_setting_is_wrong(world: World) -> None:
    world.meta.status = "BANNED"
    (banned,) = await CHANNEL.probe(SETTINGS, world.tools)
    assert banned == Problem("phone_number_id", "the number is BANNED at Meta; it should be CONNECTED")
    other = SETTINGS.model_copy(update={"phone_number_id": "1"})
    (unknown,) = await CHANNEL.probe(other, world.tools)
    assert unknown.path == "phone_number_id"
    world.meta.access_token = "another"
    (refused,) = await CHANNEL.probe(SETTINGS, world.tools)
    assert refused.path == "access_token"
    assert "190" in refused.message
    down = SETTINGS.model_copy(update={"base_url": "https://down.example"})
    (away,) = await CHANNEL.probe(down, world.tools)
    assert away.path == "base_url"
    world.meta.faults.append(Fault(200, body=b"<html>"))
    (strange,) = await CHANNEL.probe(SETTINGS, world.tools)
    assert strange.path == "base_url"


def test_settings_that_hear_only_half_are_told() -> None:
    assert CHANNEL.problems(SETTINGS) == []
    unsigned = SETTINGS.model_copy(update={"app_secret": SETTINGS.previous_app_secret})
    assert [one.path for one in CHANNEL.problems(unsigned)] == ["app_secret"]
    unasked = SETTINGS.model_copy(update={"verify_token": SETTINGS.previous_app_secret})
    assert [one.path for one in CHANNEL.problems(unasked)] == ["verify_token"]


def test_every_code_of_the_fake_is_listed_and_ranges_have_their_reason() -> None:
    for reason, code in (*REFUSED.items(), *FAILED.items()):
        assert codes().knows(code)
        assert reason_of(str(code)) is reason
    assert reason_of("299") is Reason.AUTH_FAILED
    assert reason_of("2494055") is Reason.UNKNOWN
    assert reason_of("133015") is Reason.SENDER_INVALID
