"""One event, read."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from server.recognising.addresses import Address, parameters, read, told
from server.recognising.devices import Agent, agent_of, device_of
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
        *found,
        landing=_landing(address),
        is_bot=agent is not None and agent.is_bot,
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
