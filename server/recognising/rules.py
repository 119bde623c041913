"""The facts of `rules.toml`, in the shape in which they are asked for."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

RULES = Path(__file__).with_name("rules.toml")

SEARCH, SOCIAL, REFERRAL, AD, EMAIL, MESSAGE = "search", "social", "referral", "ad", "email", "message"
PASSING = "passing"
"""Where people come back from in the middle of a visit."""


class Place(NamedTuple):
    """What a host stands for."""

    source: str
    origin: str
    medium: str
    keywords: tuple[str, ...] = ()
    network: str = ""


class Click(NamedTuple):
    """What a parameter of the page's address says of the click that led there."""

    parameter: str
    network: str
    """Of the ad; "" when it may have been none."""
    source: str
    origin: str
    medium: str


class InApp(NamedTuple):
    """The browser inside somebody else's app."""

    token: str
    origin: str
    source: str


class Rules(NamedTuple):
    places: Mapping[str, Place]
    """By host; `google.*` under any public suffix."""
    named: Mapping[str, Place]
    """The same by the name of the place, as people write it in `utm_source`."""
    clicks: tuple[Click, ...]
    ad_keywords: tuple[str, ...]
    mediums: Mapping[str, str]
    """The source that a medium stands for."""
    aliases: Mapping[str, str]
    in_app: tuple[InApp, ...]
    app_libraries: frozenset[str]
    app_tokens: tuple[str, ...]
    bot_words: tuple[str, ...]
    shared_hosts: frozenset[str]


@cache
def rules() -> Rules:
    """Read once, when they are first needed."""
    with RULES.open("rb") as file:
        written = tomllib.load(file)
    known = list(_known(written))
    return Rules(
        places={host: place for host, place in known},
        named={place.origin: place for _, place in known if place.source in (SEARCH, SOCIAL)},
        clicks=tuple(_clicks(written["clicks"])),
        ad_keywords=tuple(written["ad_keywords"]["parameters"]),
        mediums={word: source for source, words in written["mediums"].items() for word in words},
        aliases=written["aliases"],
        in_app=tuple(InApp(**one) for one in written["in_app"]),
        app_libraries=frozenset(written["apps"]["libraries"]),
        app_tokens=tuple(written["apps"]["tokens"]),
        bot_words=tuple(written["bots"]["words"]),
        shared_hosts=frozenset(written["shared"]["hosts"]),
    )


def _known(written: Mapping[str, Any]) -> Iterator[tuple[str, Place]]:
    for name, engine in written["search"].items():
        place = Place(SEARCH, name, "organic", tuple(engine["keywords"]))
        yield from ((host, place) for host in engine["hosts"])
    yield from _hosts(written["social"], SOCIAL, "social")
    yield from _hosts(written["mail"], EMAIL, "email")
    yield from _hosts(written["assistant"], REFERRAL, "ai-assistant")
    yield from _hosts(written["referral"], REFERRAL, "referral")
    for name, hosts in written["ads"].items():
        yield from ((host, Place(AD, name, "cpc", network=name)) for host in hosts)
    yield from _hosts(written["passing"], PASSING, "")


def _hosts(table: Mapping[str, Iterable[str]], source: str, medium: str) -> Iterator[tuple[str, Place]]:
    for name, hosts in table.items():
        yield from ((host, Place(source, name, medium)) for host in hosts)


def _clicks(table: Mapping[str, Mapping[str, str]]) -> Iterator[Click]:
    for parameter, told in table.items():
        network = told["network"]
        yield Click(parameter, network, told["source"], told.get("origin", network), told["medium"])
