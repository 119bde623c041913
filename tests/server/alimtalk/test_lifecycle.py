"""The table of what may be done, and the fold of what is told."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.alimtalk.desk import DeskCan, Does, Inspection, Operation
from server.alimtalk.lifecycle import (
    RULES,
    Act,
    News,
    Standing,
    Why,
    after,
    allowed,
    folded,
    news,
    refused,
)

EVERYTHING = DeskCan(does=frozenset(Does))
DRAFT, APPROVED = Standing(), Standing(Inspection.APPROVED)
ACTIVE, STOPPED = (
    replace(APPROVED, operation=Operation.ACTIVE),
    replace(APPROVED, operation=Operation.STOPPED),
)
REQUESTED, REJECTED = Standing(Inspection.REQUESTED), Standing(Inspection.REJECTED)
OPEN = {Act.EDIT, Act.REQUEST, Act.COMMENT, Act.DELETE}


@pytest.mark.parametrize(
    ("standing", "acts"),
    [
        (DRAFT, OPEN),
        (REJECTED, OPEN),
        (REQUESTED, {Act.CANCEL}),
        (replace(REQUESTED, inspection=Inspection.IN_REVIEW), {Act.CANCEL}),
        (APPROVED, {Act.REVISE, Act.STOP, Act.CANCEL_APPROVAL}),
        (ACTIVE, {Act.REVISE, Act.STOP}),
        (STOPPED, {Act.REUSE}),
        (replace(ACTIVE, is_dormant=True), {Act.RELEASE}),
        (replace(ACTIVE, is_blocked=True), set()),
        (replace(ACTIVE, is_blocked=True, is_dormant=True), set()),
    ],
)
def test_what_may_be_done_with_each_standing(standing: Standing, acts: set[Act]) -> None:
    assert set(allowed(standing, EVERYTHING)) == acts


def test_why_something_may_not_be_done_is_told_apart() -> None:
    here = refused(Act.STOP, APPROVED, DeskCan(does=EVERYTHING.does - {Does.STOP}))
    blocked = refused(Act.STOP, replace(APPROVED, is_blocked=True), EVERYTHING)
    now = refused(Act.STOP, DRAFT, EVERYTHING)
    assert here and blocked and now  # noqa: PT018 - mypy wants to know
    assert [one.why for one in (here, blocked, now)] == [Why.NOT_HERE, Why.BLOCKED, Why.NOT_NOW]
    assert "an approved one that is in use can be stopped" in now.message


def test_where_there_are_no_drafts_handing_in_is_asking() -> None:
    assert allowed(DRAFT, DeskCan(does=frozenset())) == [Act.REQUEST]
    assert allowed(DRAFT, DeskCan(does=frozenset({Does.DRAFT}))) == []


def test_relays_differ_in_when_something_may_be_said() -> None:
    talkative = DeskCan(does=EVERYTHING.does, more={"comment_in": ["in_review", "rejected"]})
    assert refused(Act.COMMENT, DRAFT, talkative)
    assert refused(Act.COMMENT, Standing(Inspection.IN_REVIEW), talkative) is None


STANDINGS = st.builds(
    Standing,
    st.sampled_from(Inspection),
    st.sampled_from(Operation),
    st.booleans(),
    st.booleans(),
    st.integers(0, 3),
)


TELLINGS = st.lists(STANDINGS, min_size=1, max_size=5).flatmap(
    lambda told: st.tuples(st.just(told), st.permutations(told * 2))
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(STANDINGS, min_size=1, max_size=5).flatmap(
        lambda told: st.tuples(st.just(told), st.permutations(told * 2))
    )
)
def test_what_is_told_in_any_order_and_twice_comes_to_the_same(
    told: tuple[list[Standing], list[Standing]],
) -> None:
    def all_of(tellings: list[Standing]) -> Standing:
        known = Standing()
        for one in tellings:
            known = folded(known, one)
        return known

    assert all_of(told[0]) == all_of(told[1])
    assert all_of(told[0]).as_of == max(one.as_of for one in told[0])


@pytest.mark.parametrize("act", Act)
def test_what_was_done_leads_to_where_it_may_not_be_done_again(act: Act) -> None:
    """But for edits and revisions, which change the text and not the standing, and for what is gone."""
    for words in product(Inspection, Operation, (False,), (False, True)):
        standing = Standing(*words)
        if refused(act, standing, EVERYTHING) or not RULES[act].becomes:
            continue
        done = after(act, standing, 7)
        assert done.as_of == 7
        if act is not Act.COMMENT or standing.inspection is Inspection.REJECTED:
            assert refused(act, done, EVERYTHING)


def test_what_is_news() -> None:
    assert news(REQUESTED, APPROVED) == [News.APPROVED]
    assert news(REQUESTED, REJECTED) == [News.REJECTED]
    assert news(APPROVED, replace(STOPPED, is_blocked=True)) == [News.STOPPED, News.BLOCKED]
    assert news(ACTIVE, replace(ACTIVE, is_dormant=True)) == [News.DORMANT]
    assert news(DRAFT, REQUESTED) == news(STOPPED, APPROVED) == news(APPROVED, APPROVED) == []
