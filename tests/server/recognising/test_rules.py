"""The file of facts."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from typing import Any

from server.recognising.addresses import names, site
from server.recognising.rules import RULES, rules
from server.recognising.sources import known_place

WRITTEN: dict[str, Any] = tomllib.loads(RULES.read_text(encoding="utf-8"))
TABLES = ("social", "mail", "assistant", "referral", "ads", "passing")
HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.([a-z]+|\*)")


def hosts() -> Iterator[str]:
    for engine in WRITTEN["search"].values():
        yield from engine["hosts"]
    for table in TABLES:
        for listed in WRITTEN[table].values():
            yield from listed


def test_a_host_stands_for_one_thing() -> None:
    assert [host for host, count in Counter(hosts()).items() if count > 1] == []
    assert [host for host in hosts() if not HOST.fullmatch(host)] == []


def test_every_host_is_found_and_so_is_what_lies_under_it() -> None:
    for written in hosts():
        host = written.replace(".*", ".co.kr")
        assert known_place(host) == rules().places[written]
        assert written in names(f"under.{host}")


def test_no_parameter_and_no_medium_is_listed_twice() -> None:
    mediums = [word for words in WRITTEN["mediums"].values() for word in words]
    assert [word for word, count in Counter(mediums).items() if count > 1] == []
    assert all(word == word.casefold() for word in [*mediums, *WRITTEN["aliases"]])
    networks = {click.network for click in rules().clicks}
    assert {"google", "naver", "kakao"} <= networks


def test_tokens_of_browsers_inside_apps_tell_one_app() -> None:
    tokens = [one.token for one in rules().in_app]
    assert len(tokens) == len(set(tokens))
    assert {one.source for one in rules().in_app} <= {"social", "search", "referral"}


def test_a_shared_host_is_the_site_of_nobody() -> None:
    for host in rules().shared_hosts:
        assert site(f"one.{host}") != site(f"two.{host}")
