"""So many a second and no more: a bucket that fills with time."""

from dataclasses import dataclass, field

BURST_SECONDS = 0.25
"""What may leave at once after a pause: this long's worth, and one at least."""


@dataclass(slots=True)
class Pace:
    """Hands out turns. Whoever takes one that is not there yet is told how long to wait for it."""

    per_second: float
    _turns: float = field(init=False)
    _seen: float | None = None

    def __post_init__(self) -> None:
        self._turns = self.burst

    @property
    def burst(self) -> float:
        return max(1.0, self.per_second * BURST_SECONDS)

    def take(self, turns: int, now: float) -> float:
        """Takes these turns. Returns the seconds to wait before using them; `now` only ever grows."""
        passed = 0.0 if self._seen is None else max(0.0, now - self._seen)
        self._seen = now
        self._turns = min(self.burst, self._turns + passed * self.per_second) - turns
        return max(0.0, -self._turns / self.per_second)
