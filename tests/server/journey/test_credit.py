"""To which message a conversion is credited."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from server.journey.credit import Letter, credit_of

TIMES = st.none() | st.integers(0, 20)
LETTERS = st.lists(
    st.builds(Letter, st.integers(1, 50), st.just("mail"), st.just("email"), TIMES, TIMES),
    unique_by=lambda one: one.id,
    max_size=6,
)


def letter(id: int, sent: int | None, opened: int | None = None) -> Letter:
    return Letter(id, f"step-{id}", "email", sent, opened)


def test_the_last_opened_before_it_has_the_credit_and_the_others_assisted() -> None:
    letters = [letter(1, 1, 9), letter(2, 2, 8), letter(3, 3)]
    direct, how, assisted = credit_of(10, letters)
    assert (direct, how, assisted) == (letters[0], "opened", (letters[1], letters[2]))


def test_an_open_that_came_after_it_does_not_count() -> None:
    letters = [letter(1, 1, 11), letter(2, 2)]
    assert credit_of(10, letters)[:2] == (letters[1], "sent")


def test_with_nothing_sent_before_it_nobody_has_the_credit() -> None:
    assert credit_of(10, [letter(1, 11), letter(2, None)]) == (None, "", ())


@given(st.integers(0, 20), LETTERS, st.randoms())
def test_it_is_the_same_whatever_the_order_and_nobody_has_it_twice(
    at: int, letters: list[Letter], random: Random
) -> None:
    credit = credit_of(at, letters)
    shuffled = list(letters)
    random.shuffle(shuffled)
    assert credit_of(at, shuffled) == credit
    assert credit.direct not in credit.assisted
    assert (
        (credit.direct is None)
        == (credit.how == "")
        == (not any(one.sent_at is not None and one.sent_at <= at for one in letters))
    )
