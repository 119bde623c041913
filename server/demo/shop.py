"""What happens in the sample shop: messages as Segment's libraries send them, drawn from a seed.

The same seed and the same end give the same messages, to the byte.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random
from typing import Any

from server.clock import DAY, HOUR, MINUTE, SECOND, Instant, to_datetime

from . import coupons
from .coming import SHOP, Coming, Habits, habits
from .people import Person, draw
from .products import PRODUCTS, Product

SEOUL = 9 * HOUR
"""Ahead of UTC; no summer time."""

SHIPS_AT = 18 * HOUR
"""Of the day in Seoul."""

# How busy an hour of the day in Seoul is: asleep at four, lunch at noon, the sofa at nine in the evening.
_HOURS = (26, 14, 8, 5, 4, 6, 14, 30, 48, 58, 66, 74, 92, 80, 70, 68, 66, 70, 76, 86, 108, 124, 112, 62)
_WEEK = (1.0, 0.95, 0.96, 1.0, 0.98, 1.12, 1.3)
"""From Monday on."""

_PLAIN_EVENTS_OF_A_VIEW = (15 * SECOND, 150 * SECOND)


_NAMES = {product.id: product.name for product in PRODUCTS}
_LIKED = [product.liked for product in PRODUCTS]
_SEARCHES = ("선물", "귤", "머그", "원두", "크림", "담요", "gift", "할인", "캔들")


@dataclass(frozen=True, slots=True)
class Sent:
    """A message and when it happens."""

    at: Instant
    message: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shop:
    """How large the sample is, and which time it covers."""

    until: Instant
    days: int = 28
    people: int = 1500
    seed: int = 1

    @property
    def since(self) -> Instant:
        return self.until - self.days * DAY

    def life(self) -> list[Sent]:
        """Everything that happens, in order of time."""
        hours = _busy_hours(self.since, self.until)
        sent: list[Sent] = []
        for number in range(self.people):
            person = draw(self.seed, number, self.since, self.until)
            sent += (one for one in _Visitor(self, person, hours).life() if one.at < self.until)
        sent += [one for one in map(_shipped, sent) if one is not None and one.at < self.until]
        sent += [one for one in self._followed(sent) if one.at < self.until]
        return sorted(sent, key=lambda one: (one.at, one.message["messageId"]))

    def _followed(self, sent: list[Sent]) -> Iterator[Sent]:
        for one in sent:
            yield from (Sent(*told) for told in coupons.follows(self.seed, one.at, one.message))

    def shipping_times(self) -> list[Instant]:
        """When parcels leave: once a day, all together."""
        first = _ships_at(self.since)
        return list(range(first, self.until, DAY))

    def persons(self) -> Iterator[Person]:
        return (draw(self.seed, number, self.since, self.until) for number in range(self.people))


def _ships_at(ordered_at: Instant) -> Instant:
    """At six in the evening in Seoul; what comes later waits for the next day."""
    return ordered_at + (SHIPS_AT - SEOUL - ordered_at) % DAY


def _shipped(sent: Sent) -> Sent | None:
    """What the warehouse says of an order, after the shop has said it."""
    if sent.message.get("event") != "purchase":
        return None
    order, at = sent.message["properties"], _ships_at(sent.at + HOUR)
    about = {
        "order_id": order["order_id"],
        "product": _NAMES[order["products"][0]],
        "total": order["total"],
        "carrier": "CJ대한통운",
        "tracking_number": "".join(filter(str.isdigit, order["order_id"])).rjust(12, "6"),
    }
    return Sent(
        at,
        {
            "type": "track",
            "messageId": f"{order['order_id']}-shipped",
            "userId": sent.message["userId"],
            "timestamp": to_datetime(at).isoformat(timespec="milliseconds"),
            "event": "order_shipped",
            "properties": about,
        },
    )


@dataclass(frozen=True, slots=True)
class _Hours:
    starts: list[Instant]
    weights: list[float]
    """Added up from the first on."""


def _busy_hours(since: Instant, until: Instant) -> _Hours:
    starts = list(range(since, until, HOUR))
    return _Hours(
        starts, list(accumulate(_busyness(at) * (1 + 0.2 * (at - since) / DAY / 28) for at in starts))
    )


def _busyness(at: Instant) -> float:
    local = at + SEOUL
    # 1970 began on a Thursday.
    return _HOURS[local // HOUR % 24] * _WEEK[(local // DAY + 3) % 7]


@dataclass(slots=True)
class _Visitor:
    """One person in the shop, and what it has sent."""

    shop: Shop
    person: Person
    hours: _Hours
    chance: Random = field(init=False)
    habits: Habits = field(init=False)
    coming: Coming = field(init=False)
    """The visit that it is on."""
    is_known: bool = field(init=False)
    sent: list[Sent] = field(default_factory=list)
    orders: int = 0

    def __post_init__(self) -> None:
        self.chance = Random(f"{self.shop.seed}:life:{self.person.number}")
        self.is_known = bool(self.person.user_id) and not self.person.is_new
        self.habits = habits(self.shop.seed, self.person)

    def life(self) -> list[Sent]:
        comings = self._comings()
        if comings:
            self._come(comings[0], is_first=True)
        if comings and self.is_known:
            self._say("identify", comings[0] - SECOND, traits=self.person.traits)
        for at in comings:
            self._come(at, is_first=at == comings[0])
            self._visit(at)
        return self.sent

    def _come(self, at: Instant, **how: bool) -> None:
        self.coming = self.habits.come(at, is_known=self.is_known, **{"is_first": False, **how})

    def _comings(self) -> list[Instant]:
        share = (self.shop.until - self.person.joined_at) / (28 * DAY)
        # Whoever signs up comes that day and is curious for a while.
        count = _poisson(self.chance, self.person.visits * share * self.habits.way.faith)
        if self.person.is_new or not self.person.user_id:
            return self._of_somebody_new(count + 1)
        starts = self.chance.choices(self.hours.starts, cum_weights=self.hours.weights, k=count)
        return sorted(at + int(self.chance.random() * HOUR) for at in starts)

    def _of_somebody_new(self, count: int) -> list[Instant]:
        """The first time on the day of joining, the others ever more seldom."""
        days = [0, *(int(self.chance.expovariate(1 / 6)) for _ in range(count - 1))]
        hours = self.chance.choices(range(24), _HOURS, k=count)
        midnight = self.person.joined_at - (self.person.joined_at + SEOUL) % DAY
        times = (
            midnight + day * DAY + hour * HOUR + int(self.chance.random() * HOUR)
            for day, hour in zip(days, hours, strict=True)
        )
        return sorted(at for at in times if self.shop.since <= at < self.shop.until)

    def _visit(self, at: Instant) -> None:
        at = self._look_around(at)
        wanted = [self._view(at + self._pause(number)) for number in range(self._pages())]
        at = max((seen for seen, _ in wanted), default=at)
        if self.person.is_new and not self.is_known and self.chance.random() < 0.75:
            at = self._sign_up(at + self._pause())
        if wanted and self.chance.random() < 0.3:
            self._fill_cart(at + self._pause(), [product for _, product in wanted])

    def _pages(self) -> int:
        return min(12, 1 + int(self.chance.expovariate(0.32)))

    def _pause(self, number: int = 0) -> int:
        return int(self.chance.uniform(*_PLAIN_EVENTS_OF_A_VIEW)) + number * 160 * SECOND

    def _look_around(self, at: Instant) -> Instant:
        self._page(at, "Home", "/")
        if self.chance.random() < 0.35:
            at += self._pause()
            self._track(at, "search", {"query": self.chance.choice(_SEARCHES)})
        elif self.chance.random() < 0.5:
            at += self._pause()
            self._page(at, "Category", f"/c/{self.chance.choice(PRODUCTS).category}")
        return at

    def _view(self, at: Instant) -> tuple[Instant, Product]:
        product = self.chance.choices(PRODUCTS, _LIKED)[0]
        self._track(at, "product_view", _about(product))
        if self.chance.random() < 0.06:
            at += 8 * SECOND
            self._track(at, "add_to_wishlist", _about(product))
        return at, product

    def _sign_up(self, at: Instant) -> Instant:
        """From here on the browser's history belongs to somebody with a name."""
        self.is_known = True
        self._say("identify", at, traits=self.person.traits)
        self._track(at + SECOND, "sign_up", {"method": self.chance.choice(("email", "kakao", "naver"))})
        return at + SECOND

    def _fill_cart(self, at: Instant, wanted: list[Product]) -> None:
        cart = self.chance.sample(wanted, min(len(wanted), 1 + (self.chance.random() < 0.3)))
        for product in cart:
            self._track(at, "add_to_cart", {**_about(product), "quantity": 1})
            at += 20 * SECOND
        if self.chance.random() < 0.36:
            self._buy(at + self._pause(), cart)
        elif self.chance.random() < 0.2:
            later = at + int(self.chance.lognormvariate(2.4, 1.0) * HOUR)
            self._come(later, is_by_itself=True)
            self._page(later, "Cart", "/cart")
            self._buy(later + self._pause(), cart)
        else:
            self._think_better(at)

    def _think_better(self, at: Instant) -> None:
        """Some take it all out again; drawn apart, so that all the rest of a life is as it was."""
        chance = Random(f"{self.shop.seed}:empties:{self.person.number}:{at}")
        if chance.random() < 0.2:
            self._track(at + int(chance.uniform(2, 50) * MINUTE), "empty_cart", {})

    def _buy(self, at: Instant, cart: list[Product]) -> None:
        self._page(at, "Checkout", "/checkout")
        if not self.is_known and not self.person.user_id:
            return
        if not self.is_known:
            at = self._sign_up(at + self._pause())
        self.orders += 1
        order = {
            "order_id": f"{self.person.user_id}-{self.orders}",
            "total": sum(product.price for product in cart),
            "currency": "KRW",
            "products": [product.id for product in cart],
        }
        at += self._pause()
        self._track(at, "purchase", {**order, "arrives_on": self._arrives_on(at)})
        if self.chance.random() < 0.13:
            written = at + int(self.chance.uniform(4.2, 9) * DAY)
            self._come(written, is_by_itself=True)
            self._track(written, "write_review", {"product_id": cart[0].id, "rating": self._rating()})

    def _arrives_on(self, at: Instant) -> str:
        """Four days later; of few orders the shop does not know. Drawn apart, as above."""
        if Random(f"{self.shop.seed}:arrives:{self.person.number}:{at}").random() < 0.08:
            return "미정"
        return f"{to_datetime(at + SEOUL + 4 * DAY):%Y-%m-%d}"

    def _rating(self) -> int:
        return self.chance.choices((1, 2, 3, 4, 5), (2, 3, 10, 30, 55))[0]

    def _page(self, at: Instant, name: str, path: str) -> None:
        self.coming.go(name, path)
        if self.coming.device.is_app:
            self._say("screen", at, name=name)
        else:
            self._say("page", at, name=name, properties={"url": f"{SHOP}{path}"})

    def _track(self, at: Instant, event: str, properties: dict[str, Any]) -> None:
        self._say("track", at, event=event, properties=properties)

    def _say(self, kind: str, at: Instant, **content: Any) -> None:
        message = {
            "type": kind,
            "messageId": f"{self.person.number}-{len(self.sent)}",
            "anonymousId": self.coming.device_id,
            "timestamp": to_datetime(at).isoformat(timespec="milliseconds"),
            "context": self.coming.context(),
            **content,
        }
        if self.is_known:
            message["userId"] = self.person.user_id
        self.sent.append(Sent(at, message))


def _about(product: Product) -> dict[str, Any]:
    return {
        "product_id": product.id,
        "name": product.name,
        "category": product.category,
        "price": product.price,
    }


def _poisson(chance: Random, mean: float) -> int:
    """Knuth's way; the means are small."""
    limit, count, product = math.exp(-mean), 0, chance.random()
    while product > limit:
        count += 1
        product *= chance.random()
    return count
