"""How a connection is used: whether, before which others, how many sends at once, how fast."""

from dataclasses import dataclass

from server.errors import BadInput

from .tables import Connection

MOST_PREFERENCE, MOST_CONCURRENCY = 1_000_000, 10_000
LEAST_RATE, MOST_RATE = 0.001, 100_000


class BadHandling(BadInput):
    """A connection cannot be used like this; `field` is what to change."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Handling:
    """How a connection is used. None leaves a field as it is; `default` gives it back to the server."""

    preference: int | None = None
    is_enabled: bool | None = None
    concurrency: int | None = None
    rate_per_second: float | None = None
    default: frozenset[str] = frozenset()
    """Of `concurrency` and `rate_per_second`: those that nothing is set for any more."""

    def problem(self) -> tuple[str, str] | None:
        """The field that cannot be used, and what was wanted."""
        if self.preference is not None and not 0 <= self.preference <= MOST_PREFERENCE:
            return "preference", f"A preference is from 0 to {MOST_PREFERENCE:,}, found {self.preference}."
        if self.concurrency is not None and not 1 <= self.concurrency <= MOST_CONCURRENCY:
            return "concurrency", f"1 to {MOST_CONCURRENCY:,} sends at once, found {self.concurrency}."
        rate = self.rate_per_second
        if rate is not None and not LEAST_RATE <= rate <= MOST_RATE:
            return "rate_per_second", f"A rate is from {LEAST_RATE} to {MOST_RATE:,} a second, found {rate}."
        return None


AS_IT_IS = Handling()


def handle(row: Connection, handling: Handling) -> None:
    """Raises BadHandling."""
    if problem := handling.problem():
        raise BadHandling(*problem)
    for name in ("preference", "is_enabled", "concurrency", "rate_per_second"):
        wanted = getattr(handling, name)
        if wanted is not None or name in handling.default:
            setattr(row, name, wanted)
