"""The days of many people: who came on which day, by what device and from where, and what they bought.

Few people come on most days and most on few, fewer the longer ago they came first. Users are numbered in the
order of their first day, as the product numbers them. Always the same for the same sizes.
"""

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

DAYS = 37
"""30 base dates, each followed for seven days."""
DEVICES = ("pc_web", "mobile_web", "app")
SOURCES = ("search", "social", "referral", "direct", "ad")
BUYERS = 0.03
"""Of those who come on a day."""
_SEED = 20_240_313
_PAGE = 250_000
_DEVICE_SHARES = (0.35, 0.45, 0.2)
_SOURCE_SHARES = (0.35, 0.1, 0.1, 0.3, 0.15)
Floats = NDArray[np.float32]


class UserDays(NamedTuple):
    """One place each for a user's day, in the order of days and then of users."""

    user: NDArray[np.int32]
    day: NDArray[np.uint8]
    device: NDArray[np.uint8]
    source: NDArray[np.uint8]
    visits: NDArray[np.uint8]
    orders: NDArray[np.uint8]
    spent: NDArray[np.int64]
    """In won."""

    def on(self, day: int) -> "UserDays":
        first, last = np.searchsorted(self.day, [day, day + 1])
        return UserDays(*(column[first:last] for column in self))

    def where(self, chosen: NDArray[np.bool_]) -> "UserDays":
        return UserDays(*(column[chosen] for column in self))


def made(users: int, user_days: int) -> UserDays:
    """About so many days of exactly so many people."""
    random = np.random.default_rng(_SEED)
    pages = list(_pages(random, users, user_days / users))
    user, day = (np.concatenate(columns) for columns in zip(*pages, strict=True))
    order = np.lexsort((user, day))
    user, day = user[order], day[order]
    orders = np.where(random.random(len(user)) < BUYERS, random.geometric(0.8, len(user)), 0).astype(np.uint8)
    return UserDays(
        user,
        day,
        _habit(random, users, user, _DEVICE_SHARES, 0.85),
        _habit(random, users, user, _SOURCE_SHARES, 0.5),
        random.geometric(0.7, len(user)).clip(1, 20).astype(np.uint8),
        orders,
        (random.lognormal(10.3, 0.9, len(user)).astype(np.int64) // 10 * 10 + 1_000) * orders,
    )


def _pages(random: np.random.Generator, users: int, mean: float) -> Iterator[tuple[NDArray[np.int32], ...]]:
    """The user and the day of each, page by page of users."""
    first = np.sort((random.random(users) ** 1.5 * DAYS).astype(np.int32))
    keenness = (1 + random.pareto(1.2, users)).clip(1, 300).astype(np.float32)
    sample = random.integers(0, users, min(users, 20_000))
    scale = _scale(first[sample], keenness[sample], mean)
    for start in range(0, users, _PAGE):
        chance = _chances(first[start : start + _PAGE], keenness[start : start + _PAGE] * scale)
        came, day = np.nonzero(random.random(chance.shape, np.float32) < chance)
        yield (came + start).astype(np.int32), day.astype(np.uint8)


def _chances(first: NDArray[np.int32], keenness: Floats) -> Floats:
    """Of coming on each day: certain on the first, and less and less likely after it."""
    age = np.arange(DAYS, dtype=np.float32)[None, :] - first[:, None]
    later = (keenness[:, None] * (1 + age.clip(0)) ** np.float32(-0.6)).clip(0, 0.97)
    return np.where(age == 0, np.float32(1.1), np.where(age > 0, later, np.float32(0)))


def _scale(first: NDArray[np.int32], keenness: Floats, mean: float) -> np.float32:
    """By which keenness is multiplied so that people come on so many days in the mean."""
    low, high = 0.0, 10.0
    for _ in range(30):
        middle = (low + high) / 2
        too_many = _chances(first, keenness * np.float32(middle)).clip(0, 1).sum(1).mean() > mean
        low, high = (low, middle) if too_many else (middle, high)
    return np.float32(low)


def _habit(
    random: np.random.Generator,
    users: int,
    user: NDArray[np.int32],
    shares: tuple[float, ...],
    habit: float,
) -> NDArray[np.uint8]:
    """What each mostly does, but for some days on which it is anything."""
    ends = np.cumsum(shares)[:-1]
    usual = np.searchsorted(ends, random.random(users)).astype(np.uint8)
    today = np.searchsorted(ends, random.random(len(user))).astype(np.uint8)
    return np.where(random.random(len(user)) < habit, usual[user], today)


def dates(last: datetime.date) -> list[datetime.date]:
    return [last - datetime.timedelta(DAYS - 1 - day) for day in range(DAYS)]


def keep(found: UserDays, folder: Path) -> None:
    for name, column in found._asdict().items():
        np.save(folder / f"{name}.npy", column)


def kept(folder: Path) -> UserDays:
    return UserDays(*(np.load(folder / f"{name}.npy") for name in UserDays._fields))
