"""What kind of device an event came from, and whether there was a person at all.

A web view inside an app is a hybrid app; the browsers inside KakaoTalk, Instagram and the like are the web.
The pattern library knows systems and crawlers; which web view is whose it does not.
"""

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any, NamedTuple

from ua_parser import Domain, Parser
from ua_parser.loaders import load_builtins

from server.recognising.rules import InApp, rules

PC_WEB, MOBILE_WEB, HYBRID_APP, APP = "pc_web", "mobile_web", "hybrid_app", "app"

MOST_CHARS = 512
"""Of a user agent. What is longer is read up to here."""

_MOBILE_SYSTEMS = frozenset(
    ("Android", "iOS", "Windows Phone", "KaiOS", "HarmonyOS", "BlackBerry OS", "Tizen")
)
_TOLD_MOBILE = frozenset(("android", "ios", "ipados"))


class Agent(NamedTuple):
    """What a user agent tells."""

    is_mobile: bool
    is_web_view: bool
    is_bot: bool
    in_app: InApp | None


def device_of(event_type: str, context: Mapping[str, Any], agent: Agent | None, on_page: bool) -> str:
    """The class of the device, or "" when nothing tells."""
    if event_type == "screen":
        return APP
    app = context.get("app")
    if not on_page and (app or _is_apps_library(context) or context.get("os")):
        return APP
    if on_page and app:
        return HYBRID_APP
    if agent is None:
        return ""
    if agent.is_web_view and agent.in_app is None:
        return HYBRID_APP
    return MOBILE_WEB if agent.is_mobile or _says_mobile(context) else PC_WEB


def _is_apps_library(context: Mapping[str, Any]) -> bool:
    library = context.get("library")
    return isinstance(library, dict) and library.get("name") in rules().app_libraries


def _says_mobile(context: Mapping[str, Any]) -> bool:
    """What a browser says beside its user agent: an iPad calls itself a Macintosh there."""
    told = context.get("userAgentData")
    if not isinstance(told, dict):
        return False
    platform = told.get("platform")
    return told.get("mobile") is True or (isinstance(platform, str) and platform.lower() in _TOLD_MOBILE)


def agent_of(text: str) -> Agent:
    return _agent_of(text[:MOST_CHARS])


@lru_cache(maxsize=8_192)
def _agent_of(text: str) -> Agent:
    """A few thousand user agents are nearly all of a shop's visits: the patterns are asked once for each."""
    # The patterns are asked in UTF-8, which has no halves of characters.
    text = text.encode("utf-8", "replace").decode()
    found = _patterns()(text, Domain.OS | Domain.DEVICE)
    system = found.os.family if found.os else ""
    family = found.device.family if found.device else ""
    lower = text.lower()
    return Agent(
        is_mobile=system in _MOBILE_SYSTEMS and "TV" not in text,
        is_web_view=_is_web_view(text, system),
        is_bot=family == "Spider" or any(word in lower for word in rules().bot_words),
        in_app=next((one for one in rules().in_app if one.token in text), None),
    )


def _is_web_view(text: str, system: str) -> bool:
    if any(token in text for token in rules().app_tokens):
        return True
    if system == "Android":
        return "; wv)" in text or ("Version/4.0" in text and "Chrome/" in text)
    return system == "iOS" and "AppleWebKit" in text and "Safari/" not in text


@cache
def _patterns() -> Parser:
    """Compiled when first needed: that takes half a second, and not every process needs it."""
    from ua_parser.regex import Resolver

    return Parser(Resolver(load_builtins()))
