"""Addresses of pages, as they come: broken, endless, in any script. Nothing here raises.

A host is read in lower case, without a port, and with its own letters (`쇼핑몰.한국`, not `xn--…`).
"""

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import NamedTuple
from urllib.parse import unquote_to_bytes, urlsplit

from publicsuffixlist import PublicSuffixList

from server.recognising.rules import rules

MOST_CHARS = 2_048
"""Of an address. What is longer is read up to here."""
MOST_TOLD = 256
"""Of anything that we tell."""
MOST_PARAMETERS = 64
"""Of an address. What comes after them is not read, so that what we remember stays small."""

# NUL cannot be stored, surrogates cannot be written, and the others only harm whoever looks at them.
_UNWANTED = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u200b-\u200f\u2028-\u202e\ufeff]+")
_SPACES = re.compile(r"\s+")
_NUMERIC = re.compile(r"[0-9.]+|\[?[0-9a-f:.]*:[0-9a-f:.]*\]?")
_OLD_ESCAPE = re.compile(r"%u([0-9a-fA-F]{4})")
_OWN_HOSTS = ("www.", "m.")


class Address(NamedTuple):
    scheme: str
    host: str
    path: str
    query: dict[str, str]
    """The first value of each parameter, decoded."""


def read(url: str) -> Address | None:
    """The address, or None for what is none."""
    return _read(url[:MOST_CHARS])


@lru_cache(maxsize=4_096)
def _read(url: str) -> Address | None:
    try:
        parts = urlsplit(url.strip())
        host = parts.hostname or ""
    except ValueError:
        return None
    if not host:
        return None
    path = decoded(parts.path.replace("+", "%2B"))
    return Address(parts.scheme.lower(), readable(host), path, parameters(parts.query))


def parameters(query: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in query[:MOST_CHARS].lstrip("?").split("&", MOST_PARAMETERS)[:MOST_PARAMETERS]:
        name, _, value = pair.partition("=")
        if name and value:
            found.setdefault(decoded(name), decoded(value))
    return found


def decoded(text: str) -> str:
    """What was percent-encoded, in UTF-8 or, as old Korean pages do, in EUC-KR."""
    if "%" not in text and "+" not in text:
        return told(text)
    text = _OLD_ESCAPE.sub(lambda found: chr(int(found[1], 16)), text.replace("+", " "))
    raw = unquote_to_bytes(text.encode("utf-8", "replace"))
    for encoding in ("utf-8", "cp949"):
        try:
            return told(raw.decode(encoding))
        except UnicodeDecodeError:
            continue
    # The end may have been cut in the middle of a character.
    return told(raw.decode("utf-8", "ignore"))


def told(text: str) -> str:
    """A text as it may be kept and shown: bounded, without control characters, with single spaces."""
    if text.isalnum():
        return text[:MOST_TOLD]
    return _SPACES.sub(" ", _UNWANTED.sub("", text[:MOST_CHARS])).strip()[:MOST_TOLD]


def readable(host: str) -> str:
    """A host in lower case and in its own letters."""
    labels = told(host).lower().rstrip(".").split(".")
    return ".".join(_label(label) for label in labels)


def _label(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return told(label[4:].encode("ascii").decode("punycode")) or label
    except (UnicodeError, OverflowError):
        return label


@cache
def _suffixes() -> PublicSuffixList:
    """The public suffixes as the package carries them; it asks nobody."""
    return PublicSuffixList()


@lru_cache(maxsize=4_096)
def site(host: str) -> str:
    """What somebody has registered: `shop.co.kr` of `m.shop.co.kr`. Hosts without a suffix are their own."""
    if _NUMERIC.fullmatch(host):
        return host
    found = str(_suffixes().privatesuffix(host) or host)
    # Two shops of one shop builder are strangers.
    return _under(host, found) if found in rules().shared_hosts else found


def _under(host: str, shared: str) -> str:
    before = host.removesuffix(shared).rstrip(".").rpartition(".")[2]
    return f"{before}.{shared}" if before else host


def same_site(one: str, other: str) -> bool:
    return one == other or site(one) == site(other)


def names(host: str) -> Iterator[str]:
    """Under which the rules may know a host, the most particular first: also as `google.*`."""
    yield from _under_itself(host)
    suffix = site(host).partition(".")[2]
    # Of a country, not of a service that lets anybody in: google.co.kr, and not google.github.io.
    if suffix and all(len(label) <= 3 for label in suffix.split(".")):
        yield from (f"{name}.*" for name in _under_itself(host.removesuffix(f".{suffix}")))


def _under_itself(host: str) -> Iterator[str]:
    labels = host.split(".")
    return (".".join(labels[at:]) for at in range(len(labels)))


def without_own(host: str) -> str:
    """A host as it is told: `www.` and `m.` say nothing about whose it is."""
    for prefix in _OWN_HOSTS:
        if host.startswith(prefix) and host.count(".") > 1:
            return host.removeprefix(prefix)
    return host
