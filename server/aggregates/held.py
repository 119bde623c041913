"""Who did something, and how much of it: what can be done with such sets, without a database."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from server.commerce.amounts import MOST

Amounts = NDArray[np.signedinteger[Any]]
"""Of the width that the largest needs: nobody may count on more, and sums are asked for as int64."""
_WIDTHS = ("<i1", "<i2", "<i4", "<i8")
_NUMBERS = 1 << 32
"""What a bitmap has room for."""


class Of(NamedTuple):
    """Which deed, of users or of devices."""

    unit: str
    dimension: str
    value: str


class Held(NamedTuple):
    """Who did it, and how much. Nobody may change either."""

    users: BitMap
    amounts: Amounts | None
    """One for each user, in rising order of their numbers; none if all are 0."""


EMPTY = Held(BitMap(), None)


def pack(amounts: Amounts | None) -> bytes:
    """As it is stored: the width of a number in bytes, then the numbers, the lowest byte of each first."""
    if amounts is None or not amounts.any():
        return b""
    low, high = int(amounts.min()), int(amounts.max())
    width = next(one for one in _WIDTHS if np.iinfo(one).min <= low and high <= np.iinfo(one).max)
    return bytes((np.dtype(width).itemsize,)) + amounts.astype(width).tobytes()


def unpack(stored: bytes) -> Amounts | None:
    """As narrow as it is stored: of most deeds that is an eighth."""
    if not stored:
        return None
    found: Amounts = np.frombuffer(stored, dtype=f"<i{stored[0]}", offset=1)
    return found


def numbers_of(users: BitMap) -> NDArray[np.uint32]:
    """The numbers of a bitmap, rising."""
    return np.frombuffer(users.to_array(), dtype=np.uint32)


def put_together(parts: Sequence[Held]) -> Held:
    """The union of the users, the sum of the amounts: no more than MOST of anybody."""
    if len(parts) == 1:
        return parts[0]
    users = BitMap.union(*(part.users for part in parts))
    if all(part.amounts is None for part in parts):
        return Held(users, None)
    everybody = numbers_of(users)
    sums = np.zeros(len(everybody), dtype=np.int64)
    are_wide = any(part.amounts is not None and part.amounts.itemsize == 8 for part in parts)
    for part in parts:
        if part.amounts is not None:
            sums[np.searchsorted(everybody, numbers_of(part.users))] += part.amounts
            if are_wide:
                # NumPy would go on below zero and say nothing.
                np.minimum(sums, MOST, out=sums)
    return Held(users, sums)


def without(held: Held, masked: BitMap) -> Held:
    """As if these had never been."""
    if not held.users.intersect(masked):
        return held
    if held.amounts is None:
        return Held(held.users - masked, None)
    stays = ~np.isin(numbers_of(held.users), numbers_of(held.users & masked), assume_unique=True)
    return Held(held.users - masked, held.amounts[stays])


def at_once(by_shard: Mapping[int, Held], shards: int) -> Held:
    """What all shards hold, in one: 64 sets take longer to ask than one of as many users."""
    found = {shard: by_shard[shard] for shard in sorted(by_shard)}
    users = users_at_once({shard: held.users for shard, held in found.items()}, shards)
    if all(held.amounts is None for held in found.values()):
        return Held(users, None)
    return Held(users, np.concatenate([_all_amounts(held) for held in found.values()]))


def users_at_once(by_shard: Mapping[int, BitMap], shards: int) -> BitMap:
    """The users of all shards in one set: each shard's numbers are moved into a range of their own.

    Raises OverflowError for a number for which there is no room: of 64 shards each has 67 million.
    """
    room = _NUMBERS // shards
    moved = []
    for shard, users in by_shard.items():
        if users and users.max() >= room:
            raise OverflowError(f"User {users.max()} of shard {shard}: there is room for {room} in each.")
        moved.append(users.shift(shard * room) if shard else users)
    return BitMap.union(*moved) if moved else BitMap()


def _all_amounts(held: Held) -> Amounts:
    return held.amounts if held.amounts is not None else np.zeros(len(held.users), dtype=np.int8)
