"""Where a visit came from: by its page's address, by what the sender calls its campaign, by the referrer.

Who tags a link knows best, so tags (`utm_…`) go before the marks that ad networks leave, and these before
the referrer. A referrer of the shop's own site tells nothing, nor does one that people are sent to in the
middle of a visit: a payment page, a sign-in.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from server.recognising.addresses import Address, names, same_site, told, without_own
from server.recognising.rules import (
    AD,
    EMAIL,
    MESSAGE,
    PASSING,
    REFERRAL,
    SEARCH,
    Click,
    InApp,
    Place,
    rules,
)

OWN_PARAMETER = "sojourn"
"""Marks a link of our messages with its channel: `?sojourn=alimtalk`."""

_APP_SCHEMES = ("android-app", "ios-app")


class Source(NamedTuple):
    source: str
    origin: str
    medium: str
    campaign: str = ""
    keyword: str = ""
    ad: str = ""
    is_tagged: bool = False
    """Whether the address or the sender says it, and it is not guessed from the referrer or the browser."""


NOTHING = Source("", "", "")


class Tags(NamedTuple):
    """What somebody wrote about a link, in its address or beside it."""

    source: str
    medium: str
    campaign: str
    term: str


UNTAGGED = Tags("", "", "", "")


def source_of(
    query: Mapping[str, str],
    campaign: Mapping[str, object],
    page: Address | None,
    referrer: Address | None,
    in_app: InApp | None,
) -> Source:
    tags = _tags(query, campaign) if query or campaign else UNTAGGED
    click = next((one for one in rules().clicks if one.parameter in query), None) if query else None
    place = _place(page, referrer)
    if OWN_PARAMETER in query:
        return _own(query[OWN_PARAMETER].casefold(), tags)._replace(is_tagged=True)
    if any(tags):
        return _tagged(tags, click, place, query)._replace(is_tagged=True)
    if click is not None:
        return _clicked(click, place, query)._replace(is_tagged=True)
    if place is not None:
        return _referred(place, referrer)
    if in_app is not None and referrer is None:
        return Source(in_app.source, in_app.origin, _medium_of(in_app.source))
    return NOTHING


def _tags(query: Mapping[str, str], campaign: Mapping[str, object]) -> Tags:
    def one(parameter: str, *named: str) -> str:
        beside = next((value for name in named if isinstance(value := campaign.get(name), str)), "")
        return query.get(parameter) or told(beside)

    return Tags(
        one("utm_source", "source").casefold(),
        one("utm_medium", "medium").casefold(),
        one("utm_campaign", "name") or one("utm_id", "id"),
        one("utm_term", "term"),
    )


def _own(channel: str, tags: Tags) -> Source:
    source = EMAIL if rules().mediums.get(channel) == EMAIL else MESSAGE
    return Source(source, tags.source or channel, tags.medium or channel, tags.campaign)


def _tagged(tags: Tags, click: Click | None, place: Place | None, query: Mapping[str, str]) -> Source:
    origin = rules().aliases.get(tags.source, tags.source) or _origin(click, place)
    source = _source_of_tags(tags, origin, click)
    network = click.network if click is not None else ""
    # An ad that nobody's machine has marked is of whoever the tag names.
    ad = (network or origin) if source == AD else ""
    keyword = tags.term or _ad_keyword(query)
    return Source(source, origin, tags.medium or _medium_of(source), tags.campaign, keyword.lower(), ad)


def _source_of_tags(tags: Tags, origin: str, click: Click | None) -> str:
    if known := rules().mediums.get(tags.medium) or rules().mediums.get(tags.source):
        return known
    if click is not None and click.network:
        return AD
    place = rules().named.get(origin)
    # Nobody tags what a search engine finds by itself: a tagged link was put there.
    if place is None or (place.source == SEARCH and tags.medium):
        return REFERRAL
    return place.source


def _clicked(click: Click, place: Place | None, query: Mapping[str, str]) -> Source:
    # Instagram's links carry Facebook's mark, and the referrer knows better.
    origin = place.origin if place is not None and place.source == click.source else click.origin
    keyword = _ad_keyword(query) if click.source == AD else ""
    return Source(click.source, origin, click.medium, keyword=keyword.lower(), ad=click.network)


def _referred(place: Place, referrer: Address | None) -> Source:
    asked = referrer.query if referrer is not None else {}
    keyword = next((asked[name] for name in place.keywords if name in asked), "")
    return Source(place.source, place.origin, place.medium, keyword=keyword.lower(), ad=place.network)


def _ad_keyword(query: Mapping[str, str]) -> str:
    return next((query[name] for name in rules().ad_keywords if name in query), "")


def _origin(click: Click | None, place: Place | None) -> str:
    return click.origin if click is not None else place.origin if place is not None else ""


def _medium_of(source: str) -> str:
    return {SEARCH: "organic", AD: "cpc"}.get(source, source)


def _place(page: Address | None, referrer: Address | None) -> Place | None:
    """What the referrer stands for; None if it tells nothing new."""
    if referrer is None or (page is not None and same_site(page.host, referrer.host)):
        return None
    place = known_place(referrer.host)
    if place is None:
        return Place(REFERRAL, without_own(referrer.host), "referral")
    return None if place.source == PASSING else place


@lru_cache(maxsize=4_096)
def known_place(host: str) -> Place | None:
    places = rules().places
    return next((places[name] for name in names(host) if name in places), None)
