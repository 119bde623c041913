"""The people of the sample shop. Nobody is real: names are drawn from lists, addresses end in example.*."""

from dataclasses import dataclass
from hashlib import sha256
from random import Random
from typing import Any

from server.clock import Instant

_FAMILY = {
    "김": "kim", "이": "lee", "박": "park", "최": "choi", "정": "jung", "강": "kang", "조": "cho",
    "윤": "yoon", "장": "jang", "임": "lim", "한": "han", "오": "oh", "서": "seo", "신": "shin", "권": "kwon",
    "황": "hwang",
}  # fmt: skip
_FAMILY_WEIGHTS = (22, 15, 9, 5, 5, 2.5, 2.2, 2.1, 2, 1.8, 1.6, 1.6, 1.5, 1.4, 1.4, 1.3)
_GIVEN = {
    "서연": "seoyeon", "민준": "minjun", "지우": "jiwoo", "서준": "seojun", "하은": "haeun", "도윤": "doyun",
    "지민": "jimin", "예준": "yejun", "수아": "sua", "시우": "siwoo", "다은": "daeun", "주원": "juwon",
    "유진": "yujin", "현우": "hyunwoo", "채원": "chaewon", "준호": "junho", "소윤": "soyun", "은지": "eunji",
    "태현": "taehyun", "보라": "bora", "미경": "mikyung", "영수": "youngsoo", "혜진": "hyejin",
    "성민": "sungmin",
}  # fmt: skip
_ELSEWHERE = (
    "Ana Souza", "Linh Tran", "Emma Weber", "Yuki Tanaka", "Lucas Martin", "Mei Chen", "Noah Smith",
    "Sofia Rossi", "Omar Haddad", "Olga Novak", "Priya Nair", "Jack Murphy", "Aiko Mori", "Leo Fischer",
)  # fmt: skip
_ABROAD = {
    "Emma Weber": ("Berlin", "Europe/Berlin"),
    "Yuki Tanaka": ("Tokyo", "Asia/Tokyo"),
    "Linh Tran": ("Hanoi", "Asia/Ho_Chi_Minh"),
    "Noah Smith": ("New York", "America/New_York"),
}
"""Where some of them live, and by which clock; the others are in Korea."""
_CITIES = {
    "서울": 42,
    "부산": 12,
    "인천": 11,
    "대구": 8,
    "대전": 7,
    "광주": 6,
    "수원": 6,
    "제주": 4,
    "세종": 4,
}
_DOMAINS = {"example.com": 55, "example.net": 25, "example.org": 20}


@dataclass(frozen=True, slots=True)
class Person:
    number: int
    user_id: str
    """Empty for a visitor who never says who it is."""
    device: str
    """The anonymous id of its browser."""
    traits: dict[str, Any]
    is_new: bool
    """Signs up within the sample; the others were customers before it."""
    visits: float
    """How often it comes by in four weeks, on average."""
    joined_at: Instant
    """From when on it comes by."""


def draw(seed: int, number: int, since: Instant, until: Instant) -> Person:
    """The same person for the same seed and number."""
    chance = Random(f"{seed}:person:{number}")
    is_new, is_visitor = chance.random() < 0.42, chance.random() < 0.09
    joined_at = since + int(chance.random() * (until - since)) if is_new or is_visitor else since
    return Person(
        number=number,
        user_id="" if is_visitor else f"u{1000 + number}",
        device=f"web-{chance.getrandbits(48):012x}",
        traits={} if is_visitor else {**_traits(chance, number), **_reach(seed, number)},
        is_new=is_new and not is_visitor,
        visits=chance.lognormvariate(1.4, 0.7),
        joined_at=joined_at,
    )


def _traits(chance: Random, number: int) -> dict[str, Any]:
    name, address = _name(chance)
    traits: dict[str, Any] = {
        "name": name,
        "city": _one_of(chance, _CITIES),
        "plan": "plus" if chance.random() < 0.14 else "basic",
    }
    if name in _ABROAD:
        traits["city"], traits["timezone"] = _ABROAD[name]
    # Some sign up with a telephone number, and the shop has no address to write to.
    if chance.random() < 0.94:
        traits["email"] = f"{address}.{number}@{_one_of(chance, _DOMAINS)}"
    return traits


def _reach(seed: int, number: int) -> dict[str, Any]:
    """A telephone, and the app on it; drawn apart, so that all the rest of a person is as it was."""
    chance = Random(f"{seed}:reach:{number}")
    traits: dict[str, Any] = {}
    if chance.random() < 0.93:
        traits["phone"] = phone(number)
    if chance.random() < 0.72:
        traits["push_tokens"] = [push_token(number, "fcm" if chance.random() < 0.66 else "apns")]
    return traits


def phone(number: int) -> str:
    """As it is dialled in Korea. Nobody has one with a nought after 010."""
    return f"010-{number // 10_000:04d}-{number % 10_000:04d}"


def push_token(number: int, kind: str) -> str:
    """Of an app on a telephone; `kind` is fcm or apns."""
    return f"{kind}:{sha256(f'device {number}'.encode()).hexdigest()}"


def _name(chance: Random) -> tuple[str, str]:
    if chance.random() < 0.08:
        name = chance.choice(_ELSEWHERE)
        return name, name.lower().replace(" ", ".")
    family = chance.choices(list(_FAMILY), _FAMILY_WEIGHTS)[0]
    given = chance.choice(list(_GIVEN))
    return family + given, f"{_GIVEN[given]}.{_FAMILY[family]}"


def _one_of(chance: Random, weights: dict[str, int]) -> str:
    return chance.choices(list(weights), list(weights.values()))[0]
