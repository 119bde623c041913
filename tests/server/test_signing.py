import hmac
from base64 import urlsafe_b64encode
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.signing import BadToken, Signer

SECRET = b"a secret that only tests know"
OTHER = b"another secret for rotations"
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def a_signer(*secrets: bytes, purpose: str = "links") -> Signer:
    return Signer(secrets or (SECRET,), purpose)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_what_was_signed_comes_back(payload):
    assert a_signer().verify(a_signer().sign(payload)) == payload


@settings(deadline=None)
@given(st.binary(max_size=40), st.data())
def test_any_other_character_anywhere_is_refused(payload, data):
    token = a_signer().sign(payload)
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from(ALPHABET).filter(lambda char: char != token[at]))
    with pytest.raises(BadToken):
        a_signer().verify(token[:at] + other + token[at + 1 :])


@pytest.mark.parametrize("size", range(6))
def test_no_second_spelling_of_a_token_is_accepted(size):
    token = a_signer().sign(b"x" * size)
    accepted = []
    for last in ALPHABET:
        with suppress(BadToken):
            a_signer().verify(token[:-1] + last)
            accepted.append(last)
    assert accepted == [token[-1]]
    for respelt in (token + "=", token + "A", token + "\n", " " + token, token[:-1], token + "%3D"):
        with pytest.raises(BadToken):
            a_signer().verify(respelt)


@settings(deadline=None)
@given(st.text(max_size=60))
def test_texts_that_are_no_tokens_are_refused_in_one_way(text):
    with pytest.raises(BadToken):
        a_signer().verify(text)


def test_empty_and_endless_texts_are_refused():
    for text in ("", "A" * 24, "A" * 1_000_000, "é" * 40):
        with pytest.raises(BadToken):
            a_signer().verify(text)


def test_a_token_of_one_purpose_is_refused_for_another():
    token = a_signer(purpose="links").sign(b"payload")
    with pytest.raises(BadToken):
        a_signer(purpose="cursors").verify(token)


def test_the_tag_is_not_made_with_the_secret_itself():
    text = urlsafe_b64encode(b"payload").rstrip(b"=")
    tag = urlsafe_b64encode(hmac.digest(SECRET, text, "sha256")[:18])
    with pytest.raises(BadToken):
        a_signer().verify((tag + text).decode())


def test_old_links_live_through_a_rotation_and_end_with_their_secret():
    old = a_signer(OTHER).sign(b"payload")
    rotated = a_signer(SECRET, OTHER)
    assert rotated.verify(old) == b"payload"
    assert a_signer(SECRET).verify(rotated.sign(b"new")) == b"new"
    with pytest.raises(BadToken):
        a_signer(SECRET).verify(old)


def test_every_secret_is_compared_in_constant_time(monkeypatch):
    compared = []
    compare = hmac.compare_digest

    def spy(one: bytes, two: bytes) -> bool:
        compared.append((len(one), len(two)))
        return compare(one, two)

    monkeypatch.setattr(hmac, "compare_digest", spy)
    signer = a_signer(SECRET, OTHER)
    signer.verify(signer.sign(b"payload"))
    assert compared == [(24, 24), (24, 24)]


def test_secrets_stay_out_of_what_is_printed():
    assert repr(a_signer()) == "Signer(purpose='links')"
    with pytest.raises(ValueError, match="at least 16 bytes") as caught:
        Signer([b"short"], "links")
    assert "short" not in str(caught.value).replace("a shorter one", "")


@pytest.mark.parametrize(("secrets", "purpose"), [([], "links"), ([SECRET], "")])
def test_a_signer_wants_secrets_and_a_purpose(secrets, purpose):
    with pytest.raises(ValueError, match="wants"):
        Signer(secrets, purpose)


def test_a_payload_that_no_url_could_carry_is_refused():
    with pytest.raises(ValueError, match="4096"):
        a_signer().sign(b"x" * 4000)
