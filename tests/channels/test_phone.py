import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.phone import to_domestic, to_e164


@pytest.mark.parametrize(
    ("number", "e164"),
    [
        ("010-1234-5678", "+821012345678"),
        ("+82 10 1234 5678", "+821012345678"),
        ("02-123-4567", "+8221234567"),
        ("+1 202 555 0123", "+12025550123"),
        ("", None),
        ("mina@example.com", None),
        ("12", None),
        ("+82" + "1" * 30, None),
        ("\0", None),
    ],
)
def test_a_number_gets_its_country_or_is_none(number: str, e164: str | None) -> None:
    assert to_e164(number) == e164


@pytest.mark.parametrize(
    ("e164", "region", "domestic"),
    [
        ("+821012345678", "KR", "01012345678"),
        ("+8221234567", "KR", "021234567"),
        ("+12025550123", "KR", None),
        ("+12025550123", "US", "2025550123"),
        ("nobody", "KR", None),
        ("", "KR", None),
    ],
)
def test_a_number_is_dialled_at_home_without_its_country(
    e164: str, region: str, domestic: str | None
) -> None:
    assert to_domestic(e164, region) == domestic


@given(st.integers(10_000_000, 99_999_999).map("010{}".format))
def test_there_and_back_is_the_same_mobile_number(number: str) -> None:
    e164 = to_e164(number)
    assert e164 is not None
    assert e164 == "+82" + number[1:]
    assert to_domestic(e164) == number


@given(st.text())
def test_no_text_is_an_error(text: str) -> None:
    found = to_e164(text)
    assert found is None or (found.startswith("+") and found[1:].isdecimal())
    assert to_domestic(text) is None or str(to_domestic(text)).isdecimal()
