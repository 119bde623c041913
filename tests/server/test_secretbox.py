import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.secretbox import CannotUnseal, SecretBox

OLD, NEW = b"the old secret of this place", b"the new secret of this place"


@given(secret=st.binary(), about=st.binary())
def test_what_is_sealed_opens_for_what_it_was_sealed_for(secret: bytes, about: bytes) -> None:
    box = SecretBox([NEW])
    sealed = box.seal(secret, about)
    assert box.open(sealed, about) == secret
    assert box.seal(secret, about) != sealed
    with pytest.raises(CannotUnseal):
        box.open(sealed, about + b"x")


def test_a_rotation_keeps_what_was_sealed_before_and_seals_with_the_new_secret() -> None:
    sealed = SecretBox([OLD]).seal(b"password", b"a")
    both = SecretBox([NEW, OLD])
    assert both.open(sealed, b"a") == b"password"
    assert SecretBox([NEW]).open(both.seal(b"password", b"a"), b"a") == b"password"
    with pytest.raises(CannotUnseal):
        SecretBox([NEW]).open(sealed, b"a")


@given(st.integers(0, 27), st.integers(1, 255))
def test_a_changed_byte_keeps_it_shut(at: int, change: int) -> None:
    sealed = bytearray(SecretBox([OLD]).seal(b"password", b"a"))
    sealed[at] ^= change
    with pytest.raises(CannotUnseal):
        SecretBox([OLD]).open(bytes(sealed), b"a")


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01short", b"\x02" + b"x" * 40])
def test_what_was_never_sealed_stays_shut(sealed: bytes) -> None:
    with pytest.raises(CannotUnseal):
        SecretBox([OLD]).open(sealed, b"a")


def test_a_box_does_not_show_its_secrets() -> None:
    assert repr(SecretBox([OLD])) == "SecretBox()"
