"""What was heard of an address is folded the same in any order."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.reasons import Reason, Suppress
from server.clock import DAY
from server.store.suppressing import ENOUGH_TIMES, Heard, Sighting, Verdict, purpose_of

SUPPRESSING = [reason.value for reason in Reason if reason.policy.suppress is not Suppress.NO]


def bad(reason: str, at: int, source: str = "receipt") -> Sighting:
    return Sighting(1, "sms", "+821012345678", "", reason, at, source)


def good(at: int, *, is_opt_in: bool = False) -> Sighting:
    return Sighting(1, "sms", "+821012345678", "", "", at, "receipt", is_opt_in)


def fold(*sightings: Sighting) -> Verdict | None:
    """By way of what is stored, as between two batches."""
    heard = Heard()
    for one in sightings:
        heard.take_in(one)
        heard = Heard.from_json(heard.to_json())
    return heard.verdict()


def unreachable(*days: int) -> list[Sighting]:
    return [bad("unreachable", day * DAY, f"receipt {day}") for day in days]


SIGHTINGS = st.lists(
    st.one_of(
        st.builds(
            bad,
            st.sampled_from(SUPPRESSING),
            st.integers(1, 40).map(lambda day: day * DAY),
            st.sampled_from(["receipt", "receipt 1", "receipt 2", "receipt 3", "unsubscribe"]),
        ),
        st.builds(good, st.integers(1, 40).map(lambda day: day * DAY), is_opt_in=st.booleans()),
    ),
    max_size=14,
)


@given(SIGHTINGS, st.randoms(use_true_random=False))
def test_any_order_and_any_repetition_ends_in_the_same_verdict(
    sightings: list[Sighting], chance: Any
) -> None:
    shuffled = [*sightings, *chance.sample(sightings, len(sightings) // 2)]
    chance.shuffle(shuffled)
    assert fold(*shuffled) == fold(*sightings)


@given(SIGHTINGS, st.integers(1, 40))
def test_only_the_reader_ends_an_opt_out(sightings: list[Sighting], day: int) -> None:
    kept = [one for one in sightings if not one.is_opt_in]
    found = fold(*kept, bad("opted_out", day * DAY))
    assert found is not None
    assert found.reason == "opted_out"


def test_an_address_that_does_not_exist_is_left_alone_for_ever() -> None:
    assert fold(bad("invalid_recipient", 5)) == Verdict("invalid_recipient", 5, None, "receipt")


def test_something_that_arrives_later_proves_that_it_exists_and_something_earlier_does_not() -> None:
    assert fold(bad("invalid_recipient", 5), good(6)) is None
    assert fold(bad("invalid_recipient", 5), good(4)) is not None


def test_who_is_not_on_the_channel_may_be_in_sixty_days() -> None:
    assert fold(bad("not_on_channel", 5)) == Verdict("not_on_channel", 5, 5 + 60 * DAY, "receipt")


def test_five_times_unreachable_within_thirty_days_is_enough() -> None:
    assert fold(*unreachable(1, 2, 3, 4)) is None
    assert fold(*unreachable(1, 2, 3, 4, 31)) == Verdict("unreachable", 31 * DAY, 61 * DAY, "receipt")
    assert fold(*unreachable(1, 2, 3, 4, 32)) is None
    assert fold(*unreachable(1, 2, 3, 4, 6), good(5 * DAY)) is None


def test_one_message_is_unreachable_once_however_often_it_is_told() -> None:
    assert fold(*(bad("unreachable", at, "receipt 7") for at in range(ENOUGH_TIMES * 2))) is None


def test_a_start_ends_an_earlier_stop_only() -> None:
    assert fold(bad("opted_out", 5), good(6, is_opt_in=True)) is None
    assert fold(bad("opted_out", 6), good(6, is_opt_in=True)) is not None
    assert fold(bad("opted_out", 5), good(6)) is not None


@pytest.mark.parametrize(("purpose", "held"), [("advertisement", "advertisement"), ("information", "")])
def test_who_refuses_even_information_refuses_all(purpose: str, held: str) -> None:
    assert purpose_of(purpose) == held
