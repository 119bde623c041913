import pytest

from server.alimtalk.declaration import Declaration, Ground, NoticeOf, missing, read_declaration, to_data

GIVEN = {"issue_condition": "구매 확정", "company": "이프두몰"}


def test_information_declares_nothing() -> None:
    assert missing(Declaration()) == missing(Declaration(kind=NoticeOf.AUTHENTICATION)) == []
    assert Declaration(ground=Ground.CONSENT).demands == ""


@pytest.mark.parametrize("kind", [NoticeOf.COUPON, NoticeOf.POINTS])
def test_a_benefit_says_why_for_what_and_by_whom(kind: NoticeOf) -> None:
    assert [one.field for one in missing(Declaration(kind=kind))] == ["ground", "issue_condition", "company"]
    assert missing(Declaration(kind=kind, ground=Ground.SURVEY, **GIVEN)) == []


def test_terms_are_named_with_their_version_and_day() -> None:
    terms = Declaration(kind=NoticeOf.COUPON, ground=Ground.TERMS, **GIVEN)
    assert [one.field for one in missing(terms)] == ["terms_version", "terms_at"]


@pytest.mark.parametrize("ground", Ground)
def test_who_agreed_before_is_asked_for_where_that_is_the_ground(ground: Ground) -> None:
    declared = Declaration(kind=NoticeOf.COUPON, ground=ground, **GIVEN)
    assert bool(declared.demands) is (ground in (Ground.CONSENT, Ground.TERMS))


def test_what_is_written_is_read_again() -> None:
    declared = Declaration(
        kind=NoticeOf.POINTS, ground=Ground.TERMS, terms_version="3", terms_at="2026-01-01", **GIVEN
    )
    assert read_declaration(to_data(declared)) == declared
    assert read_declaration({}) == Declaration()
    with pytest.raises(ValueError):
        read_declaration({"kind": "lottery"})
