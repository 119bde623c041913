import base64
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from channels import Callback, Refused, Verified
from channels.testing.check import NOW
from channels.webhook.signatures import ID, SIGNATURE, TIMESTAMP, key_of, signed, verified

ONE = "whsec_" + base64.b64encode(b"1" * 24).decode()
OTHER = "whsec_" + base64.b64encode(b"2" * 64).decode()
FOREIGN = "whsec_" + base64.b64encode(b"3" * 32).decode()
BODY = '{"type":"message","한글":"🚚"}'.encode()
MINUTE = 60_000


def a_callback(headers: dict[str, str], body: bytes = BODY) -> Callback:
    return Callback("POST", "/hooks/1", headers, {}, body)


def theirs(secret: str, message_id: str, at: int, body: bytes) -> dict[str, str]:
    """Signed by the reference implementation."""
    moment = datetime.fromtimestamp(at // 1000, UTC)
    signature = Webhook(secret).sign(message_id, moment, body.decode())
    return {ID: message_id, TIMESTAMP: str(at // 1000), SIGNATURE: signature}


def test_the_reference_implementation_believes_what_we_sign() -> None:
    now = int(time.time() * 1000)
    headers = signed([key_of(ONE)], "m-1", now, BODY)
    assert Webhook(ONE).verify(BODY, headers) == {"type": "message", "한글": "🚚"}
    with pytest.raises(WebhookVerificationError):
        Webhook(FOREIGN).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(ONE).verify(BODY + b" ", headers)


def test_while_a_secret_is_changed_receivers_with_either_believe_us() -> None:
    headers = signed([key_of(OTHER), key_of(ONE)], "m-1", int(time.time() * 1000), BODY)
    assert len(headers[SIGNATURE].split(" ")) == 2
    for secret in (ONE, OTHER):
        Webhook(secret).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(FOREIGN).verify(BODY, headers)


@settings(max_examples=50, deadline=None)
@given(
    message_id=st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=40),
    seconds=st.integers(0, 4_000_000_000),
    body=st.text(st.characters(codec="utf-8"), max_size=200).map(str.encode),
    secret=st.binary(min_size=24, max_size=64).map(lambda key: "whsec_" + base64.b64encode(key).decode()),
)
def test_both_sign_alike(message_id: str, seconds: int, body: bytes, secret: str) -> None:
    at = seconds * 1000
    assert signed([key_of(secret)], message_id, at, body) == theirs(secret, message_id, at, body)
    callback = a_callback(theirs(secret, message_id, at, body), body)
    assert isinstance(verified([key_of(secret)], callback, at), Verified)


@pytest.mark.parametrize(
    ("minutes", "believed"), [(-5, True), (-4, True), (0, True), (5, True), (-5.1, False), (5.1, False)]
)
def test_five_minutes_either_way_are_tolerated(minutes: float, believed: bool) -> None:
    callback = a_callback(theirs(ONE, "m-1", NOW, BODY))
    verdict = verified([key_of(ONE)], callback, NOW + int(minutes * MINUTE))
    assert isinstance(verdict, Verified if believed else Refused)
    if isinstance(verdict, Refused):
        assert "five minutes" in verdict.why


def test_any_of_several_signatures_by_any_of_our_secrets_will_do() -> None:
    good = theirs(ONE, "m-1", NOW, BODY)
    bad = theirs(FOREIGN, "m-1", NOW, BODY)[SIGNATURE]
    for header in (f"{bad} {good[SIGNATURE]}", f"v1a,AAAA v2,x {good[SIGNATURE]}", f"{good[SIGNATURE]} v1,"):
        callback = a_callback({**good, SIGNATURE: header})
        assert isinstance(verified([key_of(OTHER), key_of(ONE)], callback, NOW), Verified)


@pytest.mark.parametrize(
    "changes",
    [
        {SIGNATURE: ""},
        {SIGNATURE: "v1,"},
        {SIGNATURE: "v1,é"},
        {SIGNATURE: "v2," + theirs(ONE, "m-1", NOW, BODY)[SIGNATURE][3:]},
        {SIGNATURE: theirs(ONE, "m-1", NOW, BODY)[SIGNATURE][3:]},
        {SIGNATURE: theirs(FOREIGN, "m-1", NOW, BODY)[SIGNATURE]},
        {SIGNATURE: theirs(ONE, "m-1", NOW, BODY + b" ")[SIGNATURE]},
        {ID: "m-2"},
        {ID: ""},
        {ID: "\ud800"},
        {TIMESTAMP: str(NOW // 1000 + 1)},
        {TIMESTAMP: f"{NOW // 1000}.0"},
        {TIMESTAMP: f" {NOW // 1000}"},
        {TIMESTAMP: "١٢٣"},
        {TIMESTAMP: "9" * 40},
        {TIMESTAMP: ""},
    ],
)
def test_nobody_else_is_believed(changes: dict[str, str]) -> None:
    headers = {**theirs(ONE, "m-1", NOW, BODY), **changes}
    assert isinstance(verified([key_of(ONE)], a_callback(headers), NOW), Refused)


def test_without_a_secret_nothing_can_be_proved() -> None:
    assert isinstance(verified([], a_callback(theirs(ONE, "m-1", NOW, BODY)), NOW), Refused)


@pytest.mark.parametrize(
    "secret",
    ["", "whsec_", ONE[6:], "whsec_!!!", "whsec_한글", "whsec_" + base64.b64encode(b"x" * 23).decode(),
     "whsec_" + base64.b64encode(b"x" * 65).decode()],
)  # fmt: skip
def test_a_secret_that_is_none_is_refused_without_being_repeated(secret: str) -> None:
    with pytest.raises(ValueError, match="wanted whsec_ and base64 of 24 to 64 bytes") as caught:
        key_of(secret)
    assert len(secret) < 8 or secret not in str(caught.value)


def test_padding_may_be_missing() -> None:
    secret = "whsec_" + base64.b64encode(b"x" * 25).decode()
    assert key_of(secret.rstrip("=")) == key_of(secret) == b"x" * 25
