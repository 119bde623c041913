"""How the people of the sample shop come to it: on which device, and from where.

What is told of it is told as Segment's libraries tell it: the user agent, the page with its address and what
led there, the campaign of the address. Everything is drawn apart, so that the rest of a life is as it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlencode

from server.clock import Instant

from .people import Person

SHOP = "https://shop.example"
_CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0"
_IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"


class Device(NamedTuple):
    """On what people look at the shop."""

    kind: str
    """Begins the id of the device."""
    agent: str
    weight: int
    is_app: bool = False
    """Whether it tells of screens and not of pages."""


class Way(NamedTuple):
    """What leads people to the shop."""

    weight: int
    """How many find the shop this way."""
    faith: float
    """How often those who found it so come again, by the others."""
    referrer: str = ""
    campaign: dict[str, str] = {}  # never changed: what a link to the shop says of itself
    is_post: bool = False
    """Only people whom the shop knows get it."""


DEVICES = (
    Device("web", f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_CHROME} Safari/537.36", 34),
    Device("web", f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_CHROME} Safari/537.36", 8),
    Device("web", f"{_IPHONE} Version/17.5 Mobile/15E148 Safari/604.1", 19),
    Device("web", f"Mozilla/5.0 (Linux; Android 14; SM-S921N) {_CHROME} Mobile Safari/537.36", 21),
    Device(
        "hybrid",
        "Mozilla/5.0 (Linux; Android 14; SM-A546S; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 "
        "Chrome/126.0.0.0 Mobile Safari/537.36 SampleShop/3.2",
        9,
    ),
    Device("app", "SampleShop/3.2 (Android 14; SM-S921N)", 9, is_app=True),
)
WAYS = (
    Way(16, 1.0, "https://www.google.com/"),
    Way(20, 1.1, "https://search.naver.com/search.naver?query=%EC%A0%9C%EC%A3%BC%20%EA%B0%90%EA%B7%A4"),
    Way(
        13,
        0.55,
        "https://search.naver.com/search.naver?query=%EA%B7%A4%20%EC%84%A0%EB%AC%BC",
        {"source": "naver", "medium": "cpc", "name": "tangerine-gift", "term": "귤 선물"},
    ),
    Way(
        9, 0.45, "https://l.instagram.com/", {"source": "instagram", "medium": "paid_social", "name": "home"}
    ),
    Way(11, 0.8, "https://www.instagram.com/"),
    Way(7, 0.9, "https://recipes.example/tangerine-tea"),
    Way(12, 1.5, "", {"source": "newsletter", "medium": "email", "name": "weekly"}, is_post=True),
    Way(5, 1.2, "", {"source": "kakao", "medium": "alimtalk", "name": "coupon"}, is_post=True),
)
DIRECT = Way(18, 1.4)
_UTM = {"name": "utm_campaign"}
T = TypeVar("T", Device, Way)


@dataclass(slots=True)
class Coming:
    """One visit: on what, from where, and on which page it is by now."""

    device: Device
    device_id: str
    way: Way
    _page: dict[str, str] = field(default_factory=dict)
    _campaign: dict[str, str] = field(default_factory=dict)

    def go(self, name: str, path: str) -> None:
        """Opens a page. The first one tells what led to it, the others come from the one before."""
        is_first = not self._page
        self._campaign = dict(self.way.campaign) if is_first else {}
        said = {
            "utm_campaign" if key == "name" else f"utm_{key}": word for key, word in self._campaign.items()
        }
        search = f"?{urlencode(said)}" if said else ""
        self._page = {
            "path": path,
            "referrer": self.way.referrer if is_first else self._page["url"],
            "search": search,
            "title": name,
            "url": f"{SHOP}{path}{search}",
        }

    def context(self) -> dict[str, Any]:
        """What goes along with whatever is said now."""
        if self.device.is_app:
            return {
                "app": {"name": "SampleShop", "version": "3.2"},
                "device": {"id": self.device_id, "type": "android"},
                "library": {"name": "analytics-android", "version": "4.11"},
                "os": {"name": "Android", "version": "14"},
                "userAgent": self.device.agent,
            }
        told: dict[str, Any] = {
            "library": {"name": "analytics.js", "version": "2.1"},
            "userAgent": self.device.agent,
        }
        if self._page:
            told["page"] = self._page
        return {**told, "campaign": self._campaign} if self._campaign else told


@dataclass(frozen=True, slots=True)
class Habits:
    """On what one person comes, and from where."""

    seed: int
    person: Person
    way: Way
    devices: tuple[tuple[Device, str], ...]
    """With the id of each; the first is the one on which it was first seen."""

    def come(self, at: Instant, *, is_first: bool, is_known: bool, is_by_itself: bool = False) -> Coming:
        """The visit at that instant. Only who is known comes on another device, or out of the post."""
        chance = Random(f"{self.seed}:comes:{self.person.number}:{at}")
        device, device_id = self.devices[0]
        if is_known and not is_first and chance.random() < 0.35:
            device, device_id = self.devices[-1]
        way = self.way if is_first else self._again(chance, is_known)
        return Coming(device, device_id, DIRECT if is_by_itself or device.is_app else way)

    def _again(self, chance: Random, is_known: bool) -> Way:
        drawn = chance.random()
        if drawn < 0.4:
            return self.way
        return (
            DIRECT if drawn < 0.7 else _one_of(chance, [way for way in WAYS if is_known or not way.is_post])
        )


def habits(seed: int, person: Person) -> Habits:
    chance = Random(f"{seed}:habits:{person.number}")
    is_customer = bool(person.user_id) and not person.is_new
    way = _one_of(chance, [DIRECT, *(way for way in WAYS if is_customer or not way.is_post)])
    first = _one_of(chance, DEVICES)
    devices = [(first, person.device)]
    if chance.random() < 0.28:
        other = _one_of(chance, [device for device in DEVICES if device is not first])
        devices.append((other, f"{other.kind}-{chance.getrandbits(48):012x}"))
    return Habits(seed, person, way, tuple(devices))


def _one_of(chance: Random, known: Sequence[T]) -> T:
    return chance.choices(known, [one.weight for one in known])[0]
