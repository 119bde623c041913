"""Who opened or clicked: a person, a machine, or nobody can tell.

Raw and filtered figures are both shown, so a wrong answer here hides nothing; it only moves a hit from one
figure to the other. Where a rule would call real people machines as often as not, it says `unsure`.

Three decisions that others take otherwise:

- Gmail and Yahoo fetch images through a proxy *when the reader opens the mail*: a person, unless the fetch
  comes within seconds of the sending. (Gmail's separate prefetch has a user agent of its own: a machine.)
- Apple's mail privacy loads every image whether the mail is read or not: a machine, although the person may
  well have read it. A click of theirs comes from a browser and counts as theirs.
- A click or open right after the sending is a scanner at the gate: mail has not been read two seconds later.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Literal, NamedTuple

MACHINE_SECONDS = 2.0
UNSURE_SECONDS = 10.0

Hit = Literal["open", "click"]
Network = IPv4Network | IPv6Network


class Actor(StrEnum):
    HUMAN = "human"
    MACHINE = "machine"
    UNSURE = "unsure"


class Verdict(NamedTuple):
    """`why` is a stable word for reports, such as `prefetch` or `agent:barracuda`."""

    actor: Actor
    why: str


# Fetch images on behalf of a reader who is looking.
# Sources: Validity Everest, "provider categories"; Yahoo help SLN28749 (named in the agent itself).
IMAGE_PROXIES = {
    "googleimageproxy": "gmail",
    "yahoomailproxy": "yahoo",
}

# User agents that are no reader's, whole and exact.
EXACT_MACHINES = {
    # Apple Mail Privacy Protection. Source: Mailgun, "bot detection".
    "mozilla/5.0": "apple_privacy",
    # Gmail's prefetch while a session is open. Source: Bird (SparkPost), "Gmail prefetching images".
    "mozilla/5.0 (windows nt 10.0; win64; x64) applewebkit/537.36 (khtml, like gecko) "
    "chrome/42.0.2311.135 safari/537.36 edge/12.246 mozilla/5.0": "gmail_prefetch",
}

# Part of a user agent, in lower case, and the word for it. Mail gates and scanners: named in mautic issues
# 9162 and 16263, resend-node issue 901, craft-campaign issue 546. The rest name themselves in public: link
# previews of messengers, search engines, and the default agents of programming libraries.
MACHINE_AGENTS = {
    "barracuda": "barracuda",
    "proofpoint": "proofpoint",
    "mimecast": "mimecast",
    "safelinks": "microsoft",
    "microsoft office existence discovery": "microsoft",
    "bingpreview": "microsoft",
    "skypeuripreview": "microsoft",
    "symantec": "symantec",
    "trendmicro": "trend_micro",
    "fireeye": "fireeye",
    "zscaler": "zscaler",
    "urlscan": "urlscan",
    "virustotal": "virustotal",
    "google-safety": "google",
    "google-read-aloud": "google",
    "facebookexternalhit": "preview",
    "kakaotalk-scrap": "preview",
    "whatsapp/": "preview",
    "telegrambot": "preview",
    "slackbot": "preview",
    "slack-imgproxy": "preview",
    "discordbot": "preview",
    "twitterbot": "preview",
    "linkedinbot": "preview",
    "yeti/": "crawler",
    "daumoa": "crawler",
    "googlebot": "crawler",
    "bingbot": "crawler",
    "headlesschrome": "headless",
    "phantomjs": "headless",
    "playwright": "headless",
    "puppeteer": "headless",
    "python-requests": "library",
    "python-urllib": "library",
    "python-httpx": "library",
    "aiohttp": "library",
    "curl/": "library",
    "wget/": "library",
    "go-http-client": "library",
    "libwww-perl": "library",
    "node-fetch": "library",
    "axios/": "library",
    "crawler": "crawler",
    "spider": "crawler",
    "bot/": "crawler",
    "+http": "crawler",
}

# Where mail gates call from. Microsoft publishes Exchange Online Protection's ranges ("Microsoft 365 URLs
# and IP address ranges", protection.outlook.com); its link scanner was seen in the first of them.
SCANNER_NETWORKS: tuple[tuple[Network, str], ...] = tuple(
    (ip_network(network), word)
    for network, word in (
        ("40.92.0.0/15", "microsoft"),
        ("40.94.0.0/16", "microsoft"),
        ("40.107.0.0/16", "microsoft"),
        ("52.100.0.0/14", "microsoft"),
        ("104.47.0.0/17", "microsoft"),
        ("2a01:111:f400::/48", "microsoft"),
        ("2a01:111:f403::/48", "microsoft"),
    )
)

_PREFETCH_HEADERS = ("sec-purpose", "purpose", "x-purpose", "x-moz")
_PREFETCH_WORDS = ("prefetch", "preview", "prerender")


def classify(
    hit: Hit,
    *,
    method: str = "GET",
    user_agent: str | None,
    headers: Mapping[str, str] | None = None,
    seconds_since_sent: float | None = None,
    address: str | None = None,
    networks: Sequence[tuple[Network, str]] = SCANNER_NETWORKS,
) -> Verdict:
    """Who is behind one request for a pixel or a link. Pure; never raises, whatever the request says.

    `seconds_since_sent` counts from the hand-over to the provider; leave it out when that is unknown.
    `headers` may be in any case. An `address` that is none is ignored.
    """
    agent = (user_agent or "").strip().lower()
    return (
        _by_request(method, headers or {})
        or _by_agent(hit, agent)
        or _by_address(address, networks)
        or _by_time(hit, agent, seconds_since_sent)
        or Verdict(Actor.HUMAN, _reader(hit, agent))
    )


def _by_request(method: str, headers: Mapping[str, str]) -> Verdict | None:
    if method.upper() != "GET":
        return Verdict(Actor.MACHINE, "method:" + ("head" if method.upper() == "HEAD" else "other"))
    for name, value in headers.items():
        if name.lower() in _PREFETCH_HEADERS and any(word in value.lower() for word in _PREFETCH_WORDS):
            return Verdict(Actor.MACHINE, "prefetch")
    return None


def _by_agent(hit: Hit, agent: str) -> Verdict | None:
    if not agent:
        return Verdict(Actor.MACHINE if hit == "click" else Actor.UNSURE, "no_agent")
    if agent in EXACT_MACHINES:
        return Verdict(Actor.MACHINE, "agent:" + EXACT_MACHINES[agent])
    if proxy := _proxy(agent):
        # A reader's click comes from the reader's browser, never from the image proxy.
        return Verdict(Actor.MACHINE, "agent:" + proxy) if hit == "click" else None
    for part, word in MACHINE_AGENTS.items():
        if part in agent:
            return Verdict(Actor.MACHINE, "agent:" + word)
    return None


def _by_address(address: str | None, networks: Sequence[tuple[Network, str]]) -> Verdict | None:
    try:
        found = ip_address(address or "")
    except ValueError:
        return None
    mapped = getattr(found, "ipv4_mapped", None)
    found = mapped if mapped is not None else found
    for network, word in networks:
        if found in network:
            return Verdict(Actor.MACHINE, "network:" + word)
    return None


def _by_time(hit: Hit, agent: str, seconds: float | None) -> Verdict | None:
    if seconds is None:
        return None
    if seconds < MACHINE_SECONDS:
        return Verdict(Actor.MACHINE, "too_soon")
    if seconds < UNSURE_SECONDS and (hit == "click" or _proxy(agent)):
        return Verdict(Actor.UNSURE, "soon")
    return None


def _reader(hit: Hit, agent: str) -> str:
    proxy = _proxy(agent) if hit == "open" else None
    return f"image_proxy:{proxy}" if proxy else "reader"


def _proxy(agent: str) -> str | None:
    return next((word for part, word in IMAGE_PROXIES.items() if part in agent), None)
