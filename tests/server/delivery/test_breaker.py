"""Who fails again and again is left alone for a while."""

from channels import Accepted, Deferred, Reason, Rejected, Unknown
from server.delivery.breaker import FAILURES_TO_OPEN, FIRST_PAUSE, LONGEST_PAUSE, Health, State

DOWN = Deferred(0, Reason.PROVIDER_ERROR, "503", "down")


def opened(at: int = 0) -> Health:
    health = Health(1)
    for _ in range(FAILURES_TO_OPEN):
        health.hear(DOWN, at)
    return health


def test_it_opens_after_enough_failures_in_a_row_and_not_before() -> None:
    health = Health(1)
    for _ in range(FAILURES_TO_OPEN - 1):
        assert health.hear(DOWN, 0) is False
    health.hear(Accepted("1"), 1)
    for _ in range(FAILURES_TO_OPEN - 1):
        health.hear(DOWN, 2)
    assert health.breaker is State.CLOSED
    assert health.hear(DOWN, 3) is True
    assert (health.breaker, health.open_until) == (State.OPEN, 3 + FIRST_PAUSE)
    assert (health.succeeded_at, health.failed_at, health.reason, health.code) == (
        1,
        3,
        "provider_error",
        "503",
    )


def test_what_speaks_of_the_message_proves_that_the_provider_works() -> None:
    health = Health(1)
    for _ in range(FAILURES_TO_OPEN):
        health.hear(DOWN, 0)
        health.hear(Rejected(Reason.INVALID_RECIPIENT), 0)
    assert (health.breaker, health.failures) == (State.CLOSED, 0)


def test_no_answer_speaks_against_the_provider() -> None:
    health = Health(1)
    for _ in range(FAILURES_TO_OPEN):
        health.hear(Unknown(), 0)
    assert health.breaker is State.OPEN


def test_what_speaks_of_neither_changes_nothing() -> None:
    health = Health(1)
    for outcome in (
        Deferred(0, Reason.RATE_LIMITED),
        Rejected(Reason.REQUEST_INVALID),
        Deferred(0, Reason.QUOTA_EXCEEDED),
    ):
        for _ in range(FAILURES_TO_OPEN):
            assert health.hear(outcome, 0) is False
    assert (health.breaker, health.failures) == (State.CLOSED, 0)


def test_after_the_pause_one_trial_closes_it_or_doubles_the_pause() -> None:
    health = opened()
    assert health.may_send(FIRST_PAUSE - 1) is False
    assert health.may_send(FIRST_PAUSE)
    assert health.is_on_trial(FIRST_PAUSE)
    assert health.begin_trial(FIRST_PAUSE) is True
    health.hear(DOWN, FIRST_PAUSE)
    assert (health.breaker, health.open_until) == (State.OPEN, 3 * FIRST_PAUSE)
    health.begin_trial(3 * FIRST_PAUSE)
    health.hear(Accepted("1"), 3 * FIRST_PAUSE)
    assert (health.breaker, health.failures, health.opened) == (State.CLOSED, 0, 0)


def test_the_pause_does_not_grow_for_ever() -> None:
    health, now = opened(), FIRST_PAUSE
    for _ in range(40):
        health.begin_trial(now)
        health.hear(DOWN, now)
        assert health.open_until is not None
        assert health.open_until - now <= LONGEST_PAUSE
        now = health.open_until
    assert health.opened == 41
