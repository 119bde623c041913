"""One event, read."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from server.recognising.addresses import Address, parameters, read, told
from server.recognising.devices import Agent, agent_of, device_of
from server.recognising.rules import AD, EMAIL, MESSAGE
from server.recognising.sources import source_of


class Recognised(NamedTuple):
    """What an event tells of its visit. Texts are bounded, and "" is what is not told."""

    device: str
    """`pc_web`, `mobile_web`, `hybrid_app` or `app`."""
    source: str
    """`search`, `social`, `referral`, `ad`, `email` or `message`; "" when the event tells nothing new."""
    origin: str
    """Who sent the visitor: google, naver, instagram, a domain, or what `utm_source` says."""
    medium: str
    campaign: str
    keyword: str
    ad: str
    """The network whose ad was clicked."""
    landing: str
    """Host and path of the page, without its query."""
    is_bot: bool
    is_tagged: bool = False
    """Whether a tag or a mark says where from, and it is not guessed from the referrer or the browser."""


class Known(Protocol):
    """What is known of a session already."""

    @property
    def source(self) -> str: ...
    @property
    def origin(self) -> str: ...
    @property
    def medium(self) -> str: ...
    @property
    def campaign(self) -> str: ...
    @property
    def ad(self) -> str: ...


def tells_another(found: Recognised, session: Known) -> bool:
    """Whether an event has come another way than the session that it would be part of.

    A page that loads only once tells its referrer with every view, and its tags with the first only. So
    what is merely guessed ends no session that a tag or a mark has begun.
    """
    if not found.source:
        return False
    if found[1:5] == (session.source, session.origin, session.medium, session.campaign):
        return False
    return found.is_tagged or not (session.campaign or session.ad or session.source in _TAGGED)


_TAGGED = frozenset((AD, EMAIL, MESSAGE))


def recognise(type: str, context: Mapping[str, Any], body: Mapping[str, Any]) -> Recognised:
    """Whatever the event holds, this answers and does not raise."""
    page = _mapping(context.get("page"))
    url = _text(page.get("url")) or (_text(body.get("url")) if type == "page" else "")
    address = read(url) if url else None
    agent = _agent(context)
    on_page = type == "page" or address is not None
    found = source_of(
        _query(type, page, body, address),
        _mapping(context.get("campaign")),
        address,
        _referrer(type, context, page, body),
        agent.in_app if agent is not None and on_page else None,
    )
    return Recognised(
        device_of(type, context, agent, on_page),
        *found[:6],
        landing=_landing(address),
        is_bot=agent is not None and agent.is_bot,
        is_tagged=found.is_tagged,
    )


def _agent(context: Mapping[str, Any]) -> Agent | None:
    text = _text(context.get("userAgent"))
    return agent_of(text) if text else None


def _query(
    type: str, page: Mapping[str, Any], body: Mapping[str, Any], address: Address | None
) -> Mapping[str, str]:
    if address is not None and address.query:
        return address.query
    search = _text(page.get("search")) or (_text(body.get("search")) if type == "page" else "")
    return parameters(search) if search else {}


def _referrer(
    type: str, context: Mapping[str, Any], page: Mapping[str, Any], body: Mapping[str, Any]
) -> Address | None:
    url = _text(page.get("referrer")) or (_text(body.get("referrer")) if type == "page" else "")
    # Apps that were opened by a link tell it here.
    url = url or _text(_mapping(context.get("referrer")).get("url"))
    return read(url) if url else None


def _landing(address: Address | None) -> str:
    if address is None or not address.scheme.startswith("http"):
        return ""
    return told(f"{address.host}{address.path or '/'}")


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
