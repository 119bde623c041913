"""Draws that can be made again: the same person, the same question, the same answer.

Nothing is remembered to keep a draw. Every choice runs its own race for the person; the choice with the
shortest time wins, and a larger weight makes its times shorter. So a choice wins in proportion to its
weight, and a changed weight moves only those for whom that race now ends otherwise.
"""

from collections.abc import Mapping
from hashlib import blake2b
from math import log

_SCALE = 2.0**-53


def fraction(*about: str) -> float:
    """A number above 0 and below 1 that looks random and is the same for the same words."""
    # The lengths keep ("a", "bc") and ("ab", "c") apart.
    text = "".join(f"{len(word)}:{word}" for word in about)
    found = int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())
    return ((found >> 11) + 0.5) * _SCALE


def draw(weights: Mapping[str, float], *about: str) -> str:
    """One of the choices, each as often as its weight says. At least one weight is above 0."""
    times = {
        choice: -log(fraction(*about, choice)) / weight for choice, weight in weights.items() if weight > 0
    }
    return min(times, key=lambda choice: (times[choice], choice))
