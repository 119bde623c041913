"""The circuit breaker of a connection: who fails again and again is left alone for a while.

Only what speaks of the provider or of our account counts. That a person's address is wrong, or a text is
refused, is an answer like any other: it proves that the provider works.
"""

from dataclasses import dataclass
from enum import StrEnum

from channels.contract import Accepted, Outcome
from channels.reasons import Reason, ReasonClass
from server.clock import MINUTE, SECOND, Instant

FAILURES_TO_OPEN = 5
"""In a row."""
FIRST_PAUSE, LONGEST_PAUSE = 30 * SECOND, 10 * MINUTE
LONGEST_DETAIL = 500

_AGAINST_IT = frozenset(
    {
        *(Reason.PROVIDER_ERROR, Reason.AUTH_FAILED, Reason.ACCOUNT_BLOCKED, Reason.SENDER_INVALID),
        # A provider that does not answer, or a broken adapter, must not make a whole campaign uncertain.
        Reason.OUTCOME_UNKNOWN,
    }
)
_ABOUT_THE_MESSAGE = frozenset({ReasonClass.RECIPIENT, ReasonClass.PERMISSION, ReasonClass.CONTENT})


class State(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    """Nothing goes out until the pause is over."""
    HALF_OPEN = "half_open"
    """One message at a time goes out on trial."""


@dataclass(slots=True)
class Health:
    """How a connection fares. Its times are the clock's, which its caller hands in."""

    connection_id: int
    breaker: State = State.CLOSED
    failures: int = 0
    opened: int = 0
    open_until: Instant | None = None
    changed_at: Instant = 0
    """When the breaker last changed its state."""
    succeeded_at: Instant | None = None
    failed_at: Instant | None = None
    reason: str = ""
    code: str = ""
    detail: str = ""

    def may_send(self, now: Instant) -> bool:
        return self.breaker is not State.OPEN or now >= (self.open_until or 0)

    def is_on_trial(self, now: Instant) -> bool:
        """Whether only one message at a time may go out."""
        return self.breaker is State.HALF_OPEN or (self.breaker is State.OPEN and self.may_send(now))

    def begin_trial(self, now: Instant) -> bool:
        """Half opens a breaker whose pause is over. Returns whether that changed it."""
        if self.breaker is State.OPEN and self.may_send(now):
            self._become(State.HALF_OPEN, now)
            return True
        return False

    def hear(self, outcome: Outcome, now: Instant) -> bool:
        """Takes in what became of a send. Returns whether the breaker changed its state."""
        if isinstance(outcome, Accepted):
            return self._answered(now)
        reason = outcome.reason
        if reason is Reason.DUPLICATE or reason.policy.reason_class in _ABOUT_THE_MESSAGE:
            return self._answered(now)
        self.failed_at, self.reason, self.code = now, reason.value, outcome.code
        self.detail = outcome.text[:LONGEST_DETAIL]
        return self._failed(now) if reason in _AGAINST_IT else False

    def close(self, now: Instant) -> None:
        """Forgets the failures, and keeps the news: for a connection whose settings have changed."""
        self.failures, self.opened = 0, 0
        self._become(State.CLOSED, now)

    def _answered(self, now: Instant) -> bool:
        self.succeeded_at = now
        if self.breaker is State.HALF_OPEN:
            self.close(now)
            return True
        if self.breaker is State.CLOSED:
            self.failures = 0
        return False

    def _failed(self, now: Instant) -> bool:
        if self.breaker is State.OPEN:
            # One that was under way when it opened: no news.
            return False
        self.failures += 1
        if self.breaker is State.CLOSED and self.failures < FAILURES_TO_OPEN:
            return False
        self.opened += 1
        self._become(State.OPEN, now)
        self.open_until = now + min(FIRST_PAUSE << min(self.opened - 1, 20), LONGEST_PAUSE)
        return True

    def _become(self, state: State, now: Instant) -> None:
        self.breaker, self.changed_at, self.open_until = state, now, None
