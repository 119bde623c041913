"""Laws of how long a text is."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sojourn_sms.segments import (
    Encoding,
    Kind,
    Length,
    euc_kr_bytes,
    international_length,
    korean_length,
    outside_euc_kr,
    outside_gsm7,
)

BASIC = st.text("abcXYZ 0123@£éÄñ\n?")
EVERY = st.text("aé€[~한뷁가😀👩\u200d🇰", max_size=400)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Length(Encoding.GSM7, 0, 0, Kind.SMS)),
        ("a" * 160, Length(Encoding.GSM7, 160, 1, Kind.SMS)),
        ("a" * 161, Length(Encoding.GSM7, 161, 2, Kind.SMS)),
        ("a" * 306, Length(Encoding.GSM7, 306, 2, Kind.SMS)),
        ("a" * 307, Length(Encoding.GSM7, 307, 3, Kind.SMS)),
        ("€" * 80, Length(Encoding.GSM7, 160, 1, Kind.SMS)),
        # 153 is odd: an escape never ends a segment, so 77 signs do not fit into the first.
        ("€" * 153, Length(Encoding.GSM7, 306, 3, Kind.SMS)),
        ("한" * 70, Length(Encoding.UCS2, 70, 1, Kind.SMS)),
        ("한" * 71, Length(Encoding.UCS2, 71, 2, Kind.SMS)),
        ("한" * 135, Length(Encoding.UCS2, 135, 3, Kind.SMS)),
        ("😀" * 35, Length(Encoding.UCS2, 70, 1, Kind.SMS)),
        ("😀" * 67, Length(Encoding.UCS2, 134, 3, Kind.SMS)),
        ("`", Length(Encoding.UCS2, 1, 1, Kind.SMS)),
    ],
)
def test_the_edges_of_a_segment(text: str, expected: Length) -> None:
    assert international_length(text) == expected


@given(BASIC)
def test_texts_in_the_gsm_alphabet_are_counted_by_character(text: str) -> None:
    length = international_length(text)
    assert (length.encoding, length.units) == (Encoding.GSM7, len(text))
    assert length.segments == (math.ceil(len(text) / 153) if len(text) > 160 else min(1, len(text)))


@given(EVERY)
def test_one_character_outside_makes_the_whole_text_ucs2(text: str) -> None:
    length = international_length(text)
    assert (length.encoding is Encoding.UCS2) == bool(outside_gsm7(text))
    if length.encoding is Encoding.UCS2:
        assert length.units == len(text.encode("utf-16-le")) // 2


@given(EVERY, EVERY)
def test_a_longer_text_never_takes_fewer_segments(text: str, more: str) -> None:
    assert international_length(text).segments <= international_length(text + more).segments
    assert international_length(text + more).units <= len(text + more) * 2


@given(EVERY)
def test_segments_hold_what_is_in_them(text: str) -> None:
    length = international_length(text)
    alone, part = (160, 153) if length.encoding is Encoding.GSM7 else (70, 67)
    if length.units <= alone:
        assert length.segments == min(1, length.units)
    else:
        # At most one unit a segment is left empty, where a character of two would not fit.
        assert (length.segments - 1) * (part - 1) < length.units <= length.segments * part


@pytest.mark.parametrize(
    ("text", "units", "kind"),
    [
        ("", 0, Kind.SMS),
        ("한" * 45, 90, Kind.SMS),
        ("한" * 45 + "a", 91, Kind.LMS),
        ("a" * 2000, 2000, Kind.LMS),
        ("한" * 1000 + "a", 2001, Kind.TOO_LONG),
        ("뷁똠방각하", 10, Kind.SMS),
    ],
)
def test_bytes_decide_the_kind_in_korea(text: str, units: int, kind: Kind) -> None:
    length = korean_length(text)
    assert (length.units, length.kind) == (units, kind)


def test_a_title_makes_it_long_and_a_picture_makes_it_mms() -> None:
    assert korean_length("안녕", title="제목").kind is Kind.LMS
    assert korean_length("안녕", title="제목", has_image=True).kind is Kind.MMS
    assert korean_length("가" * 1001, has_image=True).kind is Kind.TOO_LONG
    assert korean_length("", has_image=True).segments == 1


@given(EVERY, EVERY)
def test_bytes_add_up(text: str, more: str) -> None:
    assert euc_kr_bytes(text + more) == euc_kr_bytes(text) + euc_kr_bytes(more)
    assert len(text) <= euc_kr_bytes(text) <= 2 * len(text)


@given(st.text(max_size=50))
def test_a_text_can_be_sent_in_korea_exactly_when_no_character_is_named(text: str) -> None:
    named = outside_euc_kr(text)
    assert len(set(named)) == len(named)
    if named:
        assert set(named) <= set(text)
        with pytest.raises(UnicodeEncodeError):
            text.encode("cp949")
    else:
        assert len(text.encode("cp949")) == euc_kr_bytes(text)


def test_what_does_not_fit_is_named_once_and_in_order() -> None:
    assert outside_euc_kr("안녕😀 반가워👋😀") == ("😀", "👋")
    assert outside_gsm7("Grüße ‘heute’ für 5€ [ok] ‘") == ("‘", "’")
