import base64

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.push.ece import LARGEST_PLAINTEXT, RECORD_SIZE, decrypt, encrypt, point_of, public_key


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _private(text: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(_bytes(text), "big"), ec.SECP256R1())


# RFC 8291, section 5 and Appendix A.
PLAINTEXT = b"When I grow up, I want to be a watermelon"
SENDER = _private("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")
BROWSER = _private("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94")
BROWSER_POINT = _bytes(
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
)
AUTH = _bytes("BTBZMqHH6r4Tts7J_aSIgg")
SALT = _bytes("DGv6ra1nlYgDCS1FRnbzlw")
BODY = _bytes(
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK"
    "6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def test_the_example_of_the_rfc_comes_out_to_the_byte() -> None:
    assert point_of(BROWSER.public_key()) == BROWSER_POINT
    assert encrypt(PLAINTEXT, public_key(BROWSER_POINT), AUTH, salt=SALT, sender=SENDER) == BODY


def test_the_example_of_the_rfc_is_read() -> None:
    assert decrypt(BODY, BROWSER, AUTH) == PLAINTEXT


@settings(max_examples=25, deadline=None)
@given(plaintext=st.binary(max_size=LARGEST_PLAINTEXT), auth=st.binary(min_size=16, max_size=16))
def test_what_we_encrypt_another_implementation_reads_and_back(plaintext: bytes, auth: bytes) -> None:
    ours = encrypt(plaintext, BROWSER.public_key(), auth)
    assert http_ece.decrypt(ours, private_key=BROWSER, auth_secret=auth) == plaintext
    assert decrypt(ours, BROWSER, auth) == plaintext
    if plaintext:  # of nothing, the other one makes no record
        theirs = http_ece.encrypt(plaintext, private_key=SENDER, dh=BROWSER_POINT, auth_secret=auth)
        assert decrypt(theirs, BROWSER, auth) == plaintext


def test_the_largest_payload_fills_the_record_and_one_byte_more_is_refused() -> None:
    body = encrypt(b"x" * LARGEST_PLAINTEXT, BROWSER.public_key(), AUTH)
    assert len(body) == RECORD_SIZE == 4096
    assert http_ece.decrypt(body, private_key=BROWSER, auth_secret=AUTH) == b"x" * LARGEST_PLAINTEXT
    with pytest.raises(ValueError, match="at most 3993 bytes, found 3994"):
        encrypt(b"x" * (LARGEST_PLAINTEXT + 1), BROWSER.public_key(), AUTH)


def test_two_bodies_of_one_payload_have_nothing_in_common() -> None:
    one, other = (encrypt(PLAINTEXT, BROWSER.public_key(), AUTH) for _ in range(2))
    assert one[:16] != other[:16]
    assert one[21:86] != other[21:86]
    assert one[86:] != other[86:]


@pytest.mark.parametrize("at", [0, 21, 40, 86, 100, len(BODY) - 1])
def test_a_changed_byte_is_noticed(at: int) -> None:
    changed = BODY[:at] + bytes([BODY[at] ^ 1]) + BODY[at + 1 :]
    with pytest.raises(ValueError):
        decrypt(changed, BROWSER, AUTH)


@pytest.mark.parametrize("body", [b"", BODY[:86], BODY[:50], bytes(200)])
def test_what_is_no_message_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):
        decrypt(body, BROWSER, AUTH)
