"""The sample on every channel: real adapters, fake providers, the same reasons for the same misfortunes."""

import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from channels.reasons import Reason
from channels.testing.providers import lives_of
from server.clock import DAY, HOUR, to_datetime
from server.config import Settings
from server.demo.api import api_of
from server.demo.fates import MISFORTUNES, as_told, fates
from server.demo.fill import fill
from server.demo.order import LEAST, ORDER
from server.demo.people import Person, draw
from server.demo.shop import Sent, Shop
from server.runtime import open_runtime

UNTIL = 1_795_340_000_000
ALL = frozenset(MISFORTUNES)
SAYS = {
    "EMAIL": ALL - {Reason.NOT_ON_CHANNEL},
    "PUSH": {Reason.INVALID_RECIPIENT},
    "KAKAO": ALL,
    "SMS": ALL,
    "WHATSAPP": ALL - {Reason.INVALID_RECIPIENT, Reason.UNREACHABLE},
    "WEBHOOK": ALL,
    "IN_APP": set(),
}
"""Which of the misfortunes the providers of a channel have a word for."""

ASKED = """
query ($id: ID!, $filter: DeliveryIssueFilter) {
  journey(id: $id) { stats { communications {
    channel
    metrics { metric observable unique }
    issues { family reason share { count } }
  } } }
  deliveryIssues(filter: $filter, first: 100) { edges { node { channel family reason code } } }
  unmappedCodes { code }
  connections { name health { breaker lastError { reason } } backlog }
}"""
JOURNEYS = "{ journeys(first: 20) { edges { node { id title } } } }"


@dataclass(frozen=True)
class Parcels(Shop):
    """A shop of a few people who can be reached everywhere, with a parcel for each."""

    each: int = 2
    """People of every misfortune; and ten times as many without one."""
    chosen: list[Person] = field(default_factory=list, compare=False)

    def persons(self) -> Iterator[Person]:
        if not self.chosen:
            self.chosen.extend(self._choose())
        return iter(self.chosen)

    def _choose(self) -> Iterator[Person]:
        drawn = lives_of(self.seed, failed=MISFORTUNES)
        left = Counter(dict.fromkeys(MISFORTUNES, self.each)) + Counter({None: 10 * self.each})
        for person in (draw(self.seed, number, self.since, self.until) for number in range(5000)):
            failed = drawn(person.user_id).failed
            if {"email", "phone", "push_tokens"} <= person.traits.keys() and left[failed]:
                left[failed] -= 1
                yield person

    def life(self) -> list[Sent]:
        sent = []
        for person in self.persons():
            sent += [
                self._says(person, self.since + HOUR, type="identify", traits=person.traits),
                self._says(person, self.shipping_times()[0], type="track", event="order_shipped"),
            ]
        return sorted(sent, key=lambda one: (one.at, one.message["messageId"]))

    def _says(self, person: Person, at: int, **said: Any) -> Sent:
        stamp = to_datetime(at).isoformat()
        message = {"userId": person.user_id, "messageId": f"{person.number}-{said['type']}", **said}
        about = {"properties": {"order_id": "1", "product": "감귤", "total": LEAST}}
        return Sent(at, {**message, "timestamp": stamp, **(about if "event" in said else {})})


SHOP = Parcels(UNTIL, days=3, seed=3)


def settings(folder: Path) -> Settings:
    # As providers would see it: none of them calls back to a localhost.
    url = "https://sojourn.shop.example"
    database = f"sqlite:///{folder / 'demo.db'}"
    return Settings(database_url=database, discover_plugins=False, public_url=url)


async def _asked(chosen: Settings, shop: Shop) -> dict[str, Any]:
    filled = await fill(chosen, shop)
    async with (
        open_runtime(chosen, parts=(), follow_events=True) as runtime,
        api_of(runtime, filled.keys) as api,
    ):
        filled.providers.join(runtime.host, runtime.clock)
        found = (await api.ask(JOURNEYS))["journeys"]["edges"]
        journey_id = next(one["node"]["id"] for one in found if one["node"]["title"] == ORDER)
        period = {"from": to_datetime(UNTIL - 6 * DAY).date().isoformat()}
        period["until"] = to_datetime(UNTIL + 2 * DAY).date().isoformat()
        return await api.ask(ASKED, id=journey_id, filter={"journeyId": journey_id, "period": period})


def _counts(asked: dict[str, Any]) -> dict[str, dict[str, int]]:
    """How often each reason, by channel, of all that was tried."""
    found: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for one in asked["journey"]["stats"]["communications"]:
        for issue in one["issues"]:
            if issue["family"] != "SKIPPED":
                found[one["channel"]][issue["reason"]] = issue["share"]["count"]
    return found


@pytest.mark.anyio
@pytest.mark.parametrize("packages", ["installed", "missing"])
async def test_the_same_misfortunes_have_the_same_reasons_on_every_channel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packages: str
) -> None:
    says = dict(SAYS)
    if packages == "installed":
        pytest.importorskip("sojourn_sms")
        pytest.importorskip("sojourn_whatsapp")
    else:
        for name in ("sojourn_sms.testing.twilio", "sojourn_whatsapp.testing"):
            monkeypatch.setitem(sys.modules, name, None)
        says["WHATSAPP"] = ALL
    asked = await _asked(settings(tmp_path), SHOP)
    counts = _counts(asked)
    channels = {one["channel"] for one in asked["journey"]["stats"]["communications"]}
    assert channels == says.keys()
    for channel, reasons in says.items():
        met = {name: count for name, count in counts[channel].items() if name != "EXPIRED"}
        assert met == {reason.name: SHOP.each for reason in reasons}, channel
    coded = {(one["node"]["channel"], one["node"]["reason"]) for one in asked["deliveryIssues"]["edges"]}
    assert {(channel, reason.name) for channel, reasons in says.items() for reason in reasons} <= coded
    assert asked["unmappedCodes"] == []
    assert {(one["health"]["breaker"], one["backlog"]) for one in asked["connections"]} == {("CLOSED", 0)}


@pytest.mark.anyio
async def test_what_becomes_of_messages_is_heard_on_the_channels_that_can_tell(tmp_path: Path) -> None:
    asked = await _asked(settings(tmp_path), SHOP)
    told = {
        one["channel"]: {metric["metric"]: metric["unique"] for metric in one["metrics"]}
        for one in asked["journey"]["stats"]["communications"]
    }
    well = 10 * SHOP.each
    for channel in ("EMAIL", "KAKAO", "SMS", "WHATSAPP", "WEBHOOK"):
        assert told[channel]["DELIVERED"] == well, channel
    assert told["EMAIL"]["OPENED"]
    assert told["IN_APP"]["SHOWN"]
    assert told["IN_APP"]["INTERACTED"]
    assert told["PUSH"]["DELIVERED"] is None


def test_a_misfortune_befalls_a_person_by_all_its_addresses() -> None:
    person = next(SHOP.persons())
    lives = fates(SHOP.seed, [person])
    digits = person.traits["phone"].replace("-", "")
    tokens = [token.partition(":")[2] for token in person.traits["push_tokens"]]
    addresses = [person.user_id, person.traits["email"], digits, f"+82{digits[1:]}", *tokens]
    assert len({lives(address) for address in addresses}) == 1
    assert lives("somebody@else.example") != lives(person.user_id)


def test_what_a_provider_has_no_word_for_it_does_not_notice() -> None:
    unlucky = next(one for one in SHOP.persons() if fates(SHOP.seed, [one])(one.user_id).failed)
    lives = fates(SHOP.seed, [unlucky])
    reason = lives(unlucky.user_id).failed
    assert reason
    assert as_told(lives, failed=[reason])(unlucky.user_id).failed is reason
    assert as_told(lives, refused=[reason])(unlucky.user_id).refused is reason
    silent = as_told(lives)(unlucky.user_id)
    assert (silent.failed, silent.refused, silent.delivered_after) == (None, None, None)
