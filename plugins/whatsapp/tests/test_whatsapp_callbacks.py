import json
from dataclasses import replace
from typing import Any

import pytest
from channels import Actor, Callback, Inbound, Reason, Receipt, ReceiptKind, Refused, Verified
from channels.testing import NOW
from channels.testing.providers import Life, everybody
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from whatsapp_world import CHANNEL, MINUTE, SETTINGS, World, a_message

from sojourn_whatsapp.testing import FakeWhatsAppCloud

META = FakeWhatsAppCloud(lambda: NOW)
AT = NOW // 1000
PERSON = "821012345678"


def heard(callback: Callback) -> list[Receipt]:
    return CHANNEL.parse(SETTINGS, Verified(callback, NOW + 5))


def read(callback: Callback) -> list[Inbound]:
    return CHANNEL.parse_inbound(SETTINGS, Verified(callback, NOW + 5))


def a_status(word: Any, **more: Any) -> dict[str, Any]:
    return {"id": "wamid.1", "status": word, "timestamp": str(AT), "recipient_id": PERSON, **more}


def of_status(*statuses: Any) -> list[Receipt]:
    return heard(META.tell([META.change(statuses=list(statuses))]))


# Who calls


def test_another_implementation_finds_the_same_signature() -> None:
    callback = META.prefers("+821012345678")
    hmac = HMAC(b"an app secret for tests", SHA256())
    hmac.update(callback.body)
    theirs = replace(callback, headers={"x-hub-signature-256": f"sha256={hmac.finalize().hex()}"})
    assert isinstance(CHANNEL.verify(SETTINGS, theirs, NOW), Verified)


def test_a_signature_that_openssl_made_is_believed() -> None:
    # printf '{"object":"whatsapp_business_account"}' | openssl dgst -sha256 -hmac 'an app secret for tests'
    headers = {
        "x-hub-signature-256": "sha256=14fba7f4c6e872afd6870f20eddce194ad9e4e8811a791e8ef2bd4d1c21e9931"
    }
    callback = Callback("POST", "/", headers, {}, b'{"object":"whatsapp_business_account"}')
    assert isinstance(CHANNEL.verify(SETTINGS, callback, NOW), Verified)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-hub-signature-256": ""},
        {"x-hub-signature-256": "sha256="},
        {"x-hub-signature-256": "sha256=" + "0" * 64},
        {"x-hub-signature-256": "sha256=é\ud800"},
        {"x-hub-signature": "sha1=" + "0" * 40},
    ],
)
def test_a_callback_without_a_good_signature_is_refused(headers: dict[str, str]) -> None:
    callback = replace(META.prefers("+821012345678"), headers=headers)
    assert isinstance(CHANNEL.verify(SETTINGS, callback, NOW), Refused)


def test_two_secrets_are_alive_while_one_is_changed() -> None:
    callback = META.prefers("+821012345678")
    changed = SETTINGS.model_copy(
        update={"app_secret": SecretStr("new"), "previous_app_secret": SETTINGS.app_secret}
    )
    gone = changed.model_copy(update={"previous_app_secret": SecretStr("")})
    unset = gone.model_copy(update={"app_secret": SecretStr("")})
    assert isinstance(CHANNEL.verify(changed, callback, NOW), Verified)
    assert isinstance(CHANNEL.verify(gone, callback, NOW), Refused)
    assert CHANNEL.verify(unset, callback, NOW) == Refused("app_secret is not set")
    empty = FakeWhatsAppCloud(lambda: NOW, app_secret="").prefers("+821012345678")
    assert isinstance(CHANNEL.verify(unset, empty, NOW), Refused)


def test_the_challenge_is_echoed_and_tells_nothing() -> None:
    challenge = META.challenge("1158201444")
    assert CHANNEL.verify(SETTINGS, challenge, NOW) == Verified(challenge, NOW, "1158201444")
    assert heard(challenge) == []
    assert read(challenge) == []


@pytest.mark.parametrize(
    "query",
    [
        {"hub.verify_token": "another"},
        {"hub.verify_token": ""},
        {"hub.verify_token": "\ud800"},
        {"hub.mode": "unsubscribe"},
        {"hub.challenge": ""},
        {"hub.challenge": "1" * 501},
    ],
)
def test_a_challenge_of_somebody_else_is_refused(query: dict[str, str]) -> None:
    challenge = META.challenge()
    asked = replace(challenge, query={**challenge.query, **query})
    assert isinstance(CHANNEL.verify(SETTINGS, asked, NOW), Refused)


def test_without_a_verify_token_nothing_is_echoed() -> None:
    unset = SETTINGS.model_copy(update={"verify_token": SecretStr("")})
    challenge = META.challenge()
    asked = replace(challenge, query={**challenge.query, "hub.verify_token": ""})
    assert CHANNEL.verify(unset, asked, NOW) == Refused("verify_token is not set")


def test_a_challenge_proves_no_post() -> None:
    posted = replace(META.challenge(), method="POST", body=b"{}")
    assert isinstance(CHANNEL.verify(SETTINGS, posted, NOW), Refused)


# What became of messages


@pytest.mark.anyio
async def test_a_message_that_is_read_is_told_with_its_price_and_who_read_it(world: World) -> None:
    world.meta.lives = everybody(Life(opened_after=10_000))
    await world.open().send(a_message())
    world.clock.at += MINUTE
    sent, delivered, implied, opened = world.hear()
    assert (sent.kind, sent.occurred_at) == (ReceiptKind.ACCEPTED, NOW)
    assert (delivered.kind, delivered.occurred_at) == (ReceiptKind.DELIVERED, NOW + 3000)
    assert delivered.text == "utility, regular, billable, PMP"
    assert json.loads(delivered.raw)["pricing"]["category"] == "utility"
    assert (implied.kind, implied.occurred_at) == (ReceiptKind.DELIVERED, NOW + 10_000)
    assert (opened.kind, opened.actor) == (ReceiptKind.OPENED, Actor.HUMAN)
    assert opened.actor_why
    assert {one.reference for one in (sent, delivered, implied, opened)} == {"m-1"}
    assert len({one.key for one in (sent, delivered, implied, opened)}) == 4


def test_what_is_read_without_having_been_told_delivered_was_delivered() -> None:
    assert [one.kind for one in of_status(a_status("read"))] == [ReceiptKind.DELIVERED, ReceiptKind.OPENED]


def test_the_same_status_counts_once() -> None:
    once = of_status(a_status("delivered"))
    assert of_status(a_status("delivered"), a_status("delivered")) == once
    assert once[0].key == f"wamid.1:delivered:{AT}"
    twice = of_status(a_status("delivered"), a_status("delivered", timestamp=str(AT + 1)))
    assert len(twice) == 2


def test_a_failure_keeps_code_and_details() -> None:
    errors = [{"code": 131049, "title": "No", "message": "No", "error_data": {"details": "Ecosystem."}}]
    (told,) = of_status(a_status("failed", errors=errors))
    assert (told.reason, told.code, told.text) == (Reason.WINDOW_CLOSED, "131049", "No — Ecosystem.")


@pytest.mark.parametrize("errors", [None, [], [None], [{}], [{"code": None}], {"code": 1}, [{"code": 9e9}]])
def test_a_failure_that_gives_no_reason_is_unknown(errors: Any) -> None:
    (told,) = of_status(a_status("failed", errors=errors))
    assert (told.kind, told.reason) == (ReceiptKind.FAILED, Reason.UNKNOWN)


@pytest.mark.parametrize("word", ["deleted", "warning", "played", "", None, 5, ["sent"]])
def test_a_status_that_nobody_knows_is_kept(word: Any) -> None:
    (told,) = of_status(a_status(word))
    assert told.kind is ReceiptKind.UNMAPPED
    assert json.loads(told.raw) == a_status(word)


@pytest.mark.parametrize("stamp", [None, "", "soon", "-5", "9" * 30, "9" * 12, 1e9, True])
def test_a_status_without_a_time_happened_when_it_was_heard(stamp: Any) -> None:
    assert of_status(a_status("sent", timestamp=stamp))[0].occurred_at == NOW + 5


def test_only_our_number_is_heard_of_many() -> None:
    ours = META.change(statuses=[a_status("sent")])
    other = META.change(phone_number_id="999", statuses=[a_status("delivered")])
    theirs = META.change("user_preferences", phone_number_id="999", user_preferences=[{"value": "stop"}])
    assert [one.kind for one in heard(META.tell([other, ours, theirs, other]))] == [ReceiptKind.ACCEPTED]
    written = {"id": "w", "from": PERSON, "type": "text", "text": {"body": "STOP"}, "timestamp": str(AT)}
    assert read(META.tell([META.change(phone_number_id="999", messages=[written])])) == []


def test_news_of_the_account_and_of_templates_are_kept() -> None:
    value = {"event": "PAUSED", "message_template_name": "order_paid"}
    (told,) = heard(META.tell([{"field": "message_template_status_update", "value": value}]))
    assert (told.kind, told.code) == (ReceiptKind.UNMAPPED, "message_template_status_update")
    error = {"code": 130429, "title": "Rate limit hit", "error_data": {"details": "Too many."}}
    (broken,) = heard(META.tell([META.change(errors=[error])]))
    assert (broken.code, broken.text) == ("130429", "Rate limit hit — Too many.")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"null",
        b"[" * 100_000,
        b'{"object": "page", "entry": [{"changes": []}]}',
        b'{"object": "whatsapp_business_account", "entry": [null]}',
        b'{"object": "whatsapp_business_account", "entry": [{"changes": [1]}]}',
        b'{"object": "whatsapp_business_account", "entry": [{"changes": [{"field": 1, "value": []}]}]}',
    ],
)
def test_what_cannot_be_read_is_kept(body: bytes) -> None:
    (told,) = heard(META.signed(body))
    assert told.kind is ReceiptKind.UNMAPPED
    assert read(META.signed(body)) == []


# Who wants no more


def test_who_stops_marketing_messages_is_unsubscribed_by_the_number() -> None:
    (told,) = heard(META.prefers("+821012345678"))
    assert (told.kind, told.recipient) == (ReceiptKind.UNSUBSCRIBED, "+821012345678")
    assert (told.reference, told.provider_id) == (None, None)
    assert told.actor is Actor.HUMAN
    assert told.key == f"+{PERSON}:marketing_messages:stop:{AT}"
    assert told.occurred_at == NOW


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"value": "resume"}, "resume"),
        ({"category": "utility_messages"}, "stop"),
        ({"wa_id": None}, "stop"),
        ({"value": ["stop"]}, "['stop']"),
    ],
)
def test_other_preferences_are_kept_and_unsubscribe_nobody(changed: dict[str, Any], code: str) -> None:
    told = {"wa_id": PERSON, "category": "marketing_messages", "value": "stop", "timestamp": AT, **changed}
    (receipt,) = heard(META.tell([META.change("user_preferences", user_preferences=[told])]))
    assert (receipt.kind, receipt.code) == (ReceiptKind.UNMAPPED, code)


# What people write


def written(kind: str, **more: Any) -> dict[str, Any]:
    return {"from": PERSON, "id": f"wamid.{kind}", "timestamp": str(AT), "type": kind, **more}


CONTEXT = {"context": {"from": "15550783881", "id": "wamid.ours"}}


@pytest.mark.parametrize(
    ("message", "text", "answers"),
    [
        (written("text", text={"body": "STOP"}), "STOP", None),
        (written("text", text={"body": "네"}, **CONTEXT), "네", "wamid.ours"),
        (
            written("button", button={"payload": "p-1", "text": "그만 받기"}, **CONTEXT),
            "그만 받기",
            "wamid.ours",
        ),
        (
            written("interactive", interactive={"button_reply": {"id": "b", "title": "바꾸기"}}, **CONTEXT),
            "바꾸기",
            "wamid.ours",
        ),
        (written("interactive", interactive={"list_reply": {"id": "l", "title": "빨강"}}), "빨강", None),
        (written("image", image={"id": "1", "caption": "이거요"}), "이거요", None),
        (written("audio", audio={"id": "1", "voice": True}), "", None),
        (written("location", location={"latitude": 37.5, "longitude": 127}), "", None),
        (written("reaction", reaction={"message_id": "wamid.ours", "emoji": "👍"}), "👍", "wamid.ours"),
        (written("text", text=None), "", None),
    ],
)
def test_what_people_write_is_inbound_and_no_receipt(
    message: dict[str, Any], text: str, answers: str | None
) -> None:
    callback = META.tell([META.change(messages=[message])])
    (said,) = read(callback)
    assert (said.sender, said.recipient) == ("+821012345678", "+15550783881")
    assert (said.text, said.provider_id) == (text, answers)
    assert (said.key, said.occurred_at) == (message["id"], NOW)
    assert heard(callback) == []


@pytest.mark.parametrize(
    "message",
    [
        written("system", system={"type": "user_changed_number", "body": "…", "wa_id": "1"}),
        written("unsupported", errors=[{"code": 131051}]),
        written("text", text={"body": "who?"}) | {"from": "", "from_user_id": "KR.1349"},
        written("text", text={"body": "nameless"}) | {"id": None},
        written("never_seen_before"),
        "text",
    ],
)
def test_what_is_no_word_of_a_known_person_is_kept(message: Any) -> None:
    callback = META.tell([META.change(messages=[message])])
    assert read(callback) == []
    (told,) = heard(callback)
    assert told.kind is ReceiptKind.UNMAPPED


def test_an_answer_names_the_message_that_it_answers() -> None:
    (said,) = read(META.wrote("+821012345678", "STOP", answering="wamid.7"))
    assert (said.text, said.provider_id) == ("STOP", "wamid.7")


# Laws

ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 5, -1, 9e99, "", "é\ud800", "5", [], [None], {}, {"id": []}]
)
WORDS = st.sampled_from(["sent", "delivered", "read", "failed", "deleted"])
STATUSES = st.fixed_dictionaries(
    {"id": st.sampled_from(["wamid.1", "wamid.2"]) | ODD, "status": WORDS | ODD},
    optional={"timestamp": st.sampled_from(["1", "2"]) | ODD, "recipient_id": ODD, "errors": ODD},
)
LISTS = st.lists(STATUSES | ODD, max_size=3) | ODD
FIELDS = st.sampled_from(["messages", "user_preferences", "account_update"])
VALUES = st.fixed_dictionaries(
    {}, optional={"statuses": LISTS, "messages": LISTS, "errors": LISTS, "user_preferences": LISTS}
)
CHANGES = st.lists(st.tuples(FIELDS, VALUES).map(lambda made: META.change(made[0], **made[1])), max_size=3)


@given(CHANGES)
def test_whatever_comes_is_told_once_under_keys_that_stay(changes: list[dict[str, Any]]) -> None:
    callback = META.tell(changes)
    told = heard(callback)
    assert len({one.key for one in told}) == len(told)
    later = CHANNEL.parse(SETTINGS, Verified(callback, NOW + MINUTE))
    assert [one.key for one in later] == [one.key for one in told]
    if changes:
        backwards = heard(META.tell([*changes, *changes[::-1]]))
        assert {one.key for one in backwards} == {one.key for one in told}
    read(callback)


@given(st.lists(STATUSES, min_size=1, max_size=5))
def test_no_status_is_lost_among_others(statuses: list[dict[str, Any]]) -> None:
    together = {one.key for one in of_status(*statuses)}
    for status in statuses:
        alone = {one.key for one in of_status(status)}
        assert alone
        assert alone <= together
