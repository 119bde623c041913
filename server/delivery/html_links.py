"""Finds the links of an HTML text by position, so that a rewrite can leave every other byte alone.

Follows the tokenizer of the HTML standard for what matters here: tags with quoted and unquoted attributes,
comments, and elements whose content is no markup. Each character is looked at a bounded number of times,
whatever the text: what is never closed runs to the end.
"""

import re
from html import unescape
from html.entities import html5
from typing import NamedTuple

_ATTRIBUTES = r"""
    (?P<attributes>(?:
        [\s/]++
      | [^\s/>][^\s/>=]*+ (?: \s*+ = \s*+ (?: "[^"]*+(?:"|\Z) | '[^']*+(?:'|\Z) | [^\s>"'][^\s>]*+ )?+ )?+
    )*+)
"""
_TOKEN = re.compile(
    rf"""
    <!--(?: -?> | .*?(?:--!?>|\Z) )
  | < (?P<close>/?) (?P<name>[A-Za-z][^\s/>]*+) {_ATTRIBUTES} (?:>|\Z)
    """,
    re.VERBOSE | re.DOTALL,
)
_ATTRIBUTE = re.compile(
    r"""([^\s/>][^\s/>=]*+)(?:\s*+=\s*+(?:"([^"]*+)(?:"|\Z)|'([^']*+)(?:'|\Z)|([^\s>"'][^\s>]*+))?+)?+"""
)
_NO_MARKUP_INSIDE = {
    name: re.compile(rf"</{name}(?=[\s/>])|\Z", re.IGNORECASE)
    for name in ("script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes")
}
_REFERENCE = re.compile(r"&(?:#[0-9]+;?|#[xX][0-9A-Fa-f]+;?|[A-Za-z][A-Za-z0-9]*;?)")


class Link(NamedTuple):
    """The value of an href: where it stands, and what it says once its entities are read."""

    start: int
    end: int
    target: str


class Scan(NamedTuple):
    links: list[Link]
    body_end: int


def scan(html: str) -> Scan:
    """The links of `<a>` without `data-no-track`, in order, and where the body ends (or the text does)."""
    links: list[Link] = []
    body_end = len(html)
    at = 0
    while match := _TOKEN.search(html, at):
        at = match.end()
        name = (match["name"] or "").lower()
        if match["close"]:
            body_end = match.start() if name == "body" else body_end
        elif name == "a":
            links += _links(html, *match.span("attributes"))
        elif name in _NO_MARKUP_INSIDE:
            closing = _NO_MARKUP_INSIDE[name].search(html, at)
            at = closing.start() if closing else len(html)
    return Scan(links, body_end)


def _links(html: str, start: int, end: int) -> list[Link]:
    link: Link | None = None
    for match in _ATTRIBUTE.finditer(html, start, end):
        name = match[1].lower()
        if name == "data-no-track":
            return []
        # The first of two attributes counts, as in a browser.
        if name == "href" and link is None and match.lastindex != 1:
            link = _link(html, *match.span(match.lastindex or 0))
    return [link] if link else []


def _link(html: str, start: int, end: int) -> Link:
    written = html[start:end]
    start += len(written) - len(written.lstrip())
    end -= len(written) - len(written.rstrip())
    return Link(start, max(start, end), _REFERENCE.sub(_character, written.strip()))


def _character(match: re.Match[str]) -> str:
    """What a reference stands for inside an attribute.

    There `&copy=1` is the parameter "copy" and no copyright sign: a name without its semicolon counts
    only when it is complete and no equals sign follows.
    """
    written = match[0]
    if written.startswith("&#"):
        return unescape(written)
    if not written.endswith(";") and match.string.startswith("=", match.end()):
        return written
    return html5.get(written[1:], written)
