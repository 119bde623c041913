"""The tracked parts of a message: made when it is sent, read back when somebody follows them.

A click's target travels inside the signed token. There is nothing to look up and nothing to tamper with:
a click can only lead to an address that stood in the message, even while the database is away.
"""

import re
import struct
from dataclasses import dataclass
from html import escape
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import orjson

from server.clock import Instant
from server.delivery import html_links
from server.signing import BadToken, Signer

OPEN_PATH = "/t/o/"
CLICK_PATH = "/t/c/"
UNSUBSCRIBE_PATH = "/t/u/"

MAX_TARGET_BYTES = 2048

# A transparent GIF of one pixel, the smallest that every mail program draws: 43 bytes.
PIXEL = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00"
    b"!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)

# A short token: what it is, project, shard, message, which link; then the time, and the rest of the target.
_SHORT = struct.Struct(">BIHQB")
_TIME_BYTES = 6
_SCHEMES = {1: "http://", 2: "https://"}
_MOST_SHORT_LINKS = 256

_HOST = re.compile(r"(?:[A-Za-z0-9_-]+\.)*[A-Za-z0-9_-]+\.?|\[[0-9A-Fa-f:.]+\]")
# Everything that a URL may contain as it is, so that quoting touches other characters only.
_URL_CHARACTERS = ":/?#[]@!$&'()*+,;=%-._~"
_TEXT_LINK = re.compile(r"https?://[^\s<>\"']+", re.IGNORECASE)
_TEXT_LINK_END = ".,;:!?)]}»”’"


class BadTarget(ValueError):
    """An address that a click must not lead to."""


@dataclass(frozen=True, slots=True)
class OpenToken:
    project_id: str
    shard: int
    message_id: str
    sent_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class ClickToken:
    project_id: str
    shard: int
    message_id: str
    link_index: int
    target_url: str
    sent_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class UnsubscribeToken:
    project_id: str
    shard: int
    message_id: str


@dataclass(frozen=True, slots=True)
class TrapToken:
    """Of the link that no person can see."""

    project_id: str
    shard: int
    message_id: str
    sent_at: Instant | None = None


class Tracked(NamedTuple):
    """A rewritten text, and the targets of its links: `targets[link_index]`."""

    text: str
    targets: tuple[str, ...]


def check_target(url: str) -> str:
    """The address as it may stand in a `Location` header: ASCII, absolute, http or https, with a host.

    Characters outside ASCII in path and query are percent-encoded. Raises `BadTarget` for other schemes,
    a name or password before the host, a host outside ASCII, backslashes, spaces and control characters,
    and more than 2,048 bytes.
    """
    if any(ord(char) <= 0x20 or char == "\\" or 0x7F <= ord(char) < 0xA0 for char in url):
        raise BadTarget("a link wants no spaces, backslashes or control characters")
    if len(url) > MAX_TARGET_BYTES:
        raise BadTarget(f"a link wants at most {MAX_TARGET_BYTES} bytes, found {len(url)} characters")
    try:
        parts = urlsplit(url)
        host, _port = parts.netloc, parts.port
    except ValueError as error:
        raise BadTarget("a link wants a host and port that can be read") from error
    if parts.scheme not in ("http", "https"):
        raise BadTarget("a link wants to begin with http:// or https://")
    if "@" in host:
        raise BadTarget("a link wants no name or password before its host")
    if not _HOST.fullmatch(re.sub(r":\d*\Z", "", host)):
        raise BadTarget("a link wants a host of letters, digits, dots and hyphens (xn--… for others)")
    try:
        target = quote(url, safe=_URL_CHARACTERS)
    except UnicodeEncodeError as error:
        raise BadTarget("a link wants characters that exist in UTF-8") from error
    if len(target) > MAX_TARGET_BYTES:
        raise BadTarget(f"a link wants at most {MAX_TARGET_BYTES} bytes, found {len(target)}")
    return target


class Tracking:
    """Makes and reads the tracking links of one installation.

    `public_url` is where the world reaches us, such as `https://mail.example.com`; a path in front of
    ours is fine, a query is not. With `honeypot`, an HTML text with links gets one that nobody can see.
    """

    def __init__(self, signer: Signer, public_url: str, *, honeypot: bool = False) -> None:
        self.public_url = check_target(public_url).rstrip("/")
        if "?" in self.public_url or "#" in self.public_url:
            raise BadTarget("the public URL wants no query and no fragment")
        self._signer = signer
        self._has_honeypot = honeypot

    def open_url(
        self, project_id: str, shard: int, message_id: str, *, sent_at: Instant | None = None
    ) -> str:
        """`sent_at` travels along, so that a hit can be told from a scanner's without looking anything up."""
        return self._url(OPEN_PATH, ["o", project_id, shard, message_id, *_sent(sent_at)])

    def click_url(
        self,
        project_id: str,
        shard: int,
        message_id: str,
        target_url: str,
        link_index: int,
        *,
        sent_at: Instant | None = None,
    ) -> str:
        """Raises `BadTarget` when the target is none that a click may lead to."""
        target = check_target(target_url)
        payload = ["c", project_id, shard, message_id, link_index, target, *_sent(sent_at)]
        return self._url(CLICK_PATH, payload)

    def short_click_url(
        self,
        project_id: str,
        shard: int,
        message_id: str,
        target_url: str,
        link_index: int,
        *,
        sent_at: Instant | None = None,
    ) -> str:
        """The same for texts that are paid by their length: about as long as the target and 80 characters.

        Takes the numbers that our own projects and messages have, and 256 links. Raises `BadTarget`.
        """
        target = check_target(target_url)
        kind = next(kind for kind, scheme in _SCHEMES.items() if target.startswith(scheme))
        head = _SHORT.pack(kind, int(project_id), shard, int(message_id), link_index)
        time = (sent_at or 0).to_bytes(_TIME_BYTES, "big")
        payload = head + time + target.removeprefix(_SCHEMES[kind]).encode("ascii")
        return self.public_url + CLICK_PATH + self._signer.sign(payload)

    def trap_url(
        self, project_id: str, shard: int, message_id: str, *, sent_at: Instant | None = None
    ) -> str:
        """Like a click's to whoever does not have our secret. It leads nowhere."""
        return self._url(CLICK_PATH, ["h", project_id, shard, message_id, *_sent(sent_at)])

    def unsubscribe_url(self, project_id: str, shard: int, message_id: str) -> str:
        return self._url(UNSUBSCRIBE_PATH, ["u", project_id, shard, message_id])

    def read_open(self, token: str) -> OpenToken:
        """Raises `BadToken`: answer with the pixel all the same, and write nothing."""
        return OpenToken(*self._read(token, "o"))

    def read_click(self, token: str) -> ClickToken:
        """Raises `BadToken` also for a target that today's rules refuse: answer 404, do not redirect."""
        payload = self._signer.verify(token)
        if payload[:1] in (b"\x01", b"\x02"):
            read = _read_short(payload)
        else:
            read = ClickToken(*self._read(token, "c"))
        try:
            check_target(read.target_url)
        except BadTarget as error:
            raise BadToken("the link leads nowhere we may send anybody") from error
        return read

    def read_trap(self, token: str) -> TrapToken:
        """Raises `BadToken`."""
        return TrapToken(*self._read(token, "h"))

    def read_unsubscribe(self, token: str) -> UnsubscribeToken:
        """Raises `BadToken`: answer 404."""
        return UnsubscribeToken(*self._read(token, "u"))

    def one_click_headers(self, unsubscribe_url: str) -> dict[str, str]:
        """List-Unsubscribe, and what makes it one click (RFC 8058). Both have to be under the DKIM signature.

        The RFC wants https; from an http address (a developer's machine) only the plain header comes.
        """
        headers = {"List-Unsubscribe": f"<{unsubscribe_url}>"}
        if self.public_url.startswith("https://"):
            headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        return headers

    def track_html(
        self,
        html: str,
        *,
        project_id: str,
        shard: int,
        message_id: str,
        sent_at: Instant | None = None,
        opens: bool = True,
        clicks: bool = True,
    ) -> Tracked:
        """Leads the links of `<a>` through us, adds the pixel and, if this Tracking has one and any link is
        tracked, the link that nobody can see; every other byte stays as it was.

        Left alone: other schemes (mailto:, tel: …), fragments, links marked `data-no-track`, links that are
        ours already, links that `check_target` refuses, and what stands in comments (Outlook's conditional
        ones too), scripts and styles.
        """
        found = html_links.scan(html)
        edits: list[tuple[int, int, str]] = []
        targets: list[str] = []
        for link in found.links if clicks else ():
            target = self._target(link.target)
            if target is not None:
                url = self.click_url(project_id, shard, message_id, target, len(targets), sent_at=sent_at)
                edits.append((link.start, link.end, url))
                targets.append(target)
        if targets and self._has_honeypot:
            trap = _trap(self.trap_url(project_id, shard, message_id, sent_at=sent_at))
            edits.append((found.body_end, found.body_end, trap))
        if opens:
            pixel = self._pixel(self.open_url(project_id, shard, message_id, sent_at=sent_at))
            edits.append((found.body_end, found.body_end, pixel))
        return Tracked(_edited(html, edits), tuple(targets))

    def track_text(
        self, text: str, *, project_id: str, shard: int, message_id: str, sent_at: Instant | None = None
    ) -> Tracked:
        """Leads the http(s) links of a plain text through us, by short links."""
        edits: list[tuple[int, int, str]] = []
        targets: list[str] = []
        for match in _TEXT_LINK.finditer(text):
            written = match[0].rstrip(_TEXT_LINK_END)
            target = self._target(written)
            if target is not None and len(targets) < _MOST_SHORT_LINKS:
                whose = (project_id, shard, message_id)
                url = self.short_click_url(*whose, target, len(targets), sent_at=sent_at)
                edits.append((match.start(), match.start() + len(written), url))
                targets.append(target)
        return Tracked(_edited(text, edits), tuple(targets))

    def _target(self, written: str) -> str | None:
        if written.startswith(self.public_url + "/t/"):
            return None
        try:
            return check_target(written)
        except BadTarget:
            return None

    def _pixel(self, url: str) -> str:
        return f'<img src="{escape(url)}" alt="" width="1" height="1" style="border:0;height:1px;width:1px">'

    def _url(self, path: str, payload: list[str | int]) -> str:
        return self.public_url + path + self._signer.sign(orjson.dumps(payload))

    def _read(self, token: str, kind: str) -> list[Any]:
        written = self._signer.verify(token)
        payload = orjson.loads(written) if written.startswith(b"[") else [None]
        if payload[0] != kind:
            raise BadToken("the token is one of ours, but for another kind of link")
        read: list[Any] = payload[1:]
        return read


def _trap(url: str) -> str:
    """Nothing to see, to read aloud or to reach by key, and no text that a spam filter could call hidden."""
    return (
        f'<a href="{escape(url)}" rel="nofollow" tabindex="-1" aria-hidden="true" style="display:none"></a>'
    )


def _read_short(payload: bytes) -> ClickToken:
    kind, project_id, shard, message_id, link_index = _SHORT.unpack_from(payload)
    time, rest = payload[_SHORT.size :][:_TIME_BYTES], payload[_SHORT.size + _TIME_BYTES :]
    target = _SCHEMES[kind] + rest.decode("ascii")
    sent_at = int.from_bytes(time, "big") or None
    return ClickToken(str(project_id), shard, str(message_id), link_index, target, sent_at)


def _sent(sent_at: Instant | None) -> list[str | int]:
    return [] if sent_at is None else [sent_at]


def _edited(text: str, edits: list[tuple[int, int, str]]) -> str:
    parts: list[str] = []
    done = 0
    for start, end, new in sorted(edits, key=lambda edit: edit[:2]):
        parts += (text[done:start], new)
        done = end
    return "".join((*parts, text[done:]))
