"""Different users in any union of user sets: exact, whatever the sets are of."""

from collections import defaultdict
from collections.abc import Iterable

from pyroaring import BitMap

from .ask import Answer
from .metrics import Dimension

Place = tuple[Dimension, str]
"""A dimension and the value of a set."""


def different_users(answer: Answer, places: Iterable[Place]) -> int:
    """How many different users are in any of these sets. A user lives in one shard, so shards add up."""
    wide: defaultdict[int, BitMap] = defaultdict(BitMap)
    for dimension, value in places:
        for shard, users in answer.sets.get((dimension.value, value), {}).items():
            wide[shard] |= users
    return sum(len(users) for users in wide.values())
