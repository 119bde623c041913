"""Bounces from a mailbox, by IMAP: a page of new mails a visit, each visit a connection of its own.

The library's own IMAP client does it, in a thread: a visit once a minute gains nothing from being
asynchronous, and a client more would be a dependency more. A visit that takes too long loses its socket,
which ends the thread.

The cursor is `FOLDER:UIDVALIDITY:UID:AGAIN_AT`. It comes back only after the receipts are on disk, so
whatever it has passed is safe: only such mails are moved or deleted. AGAIN_AT keeps visits apart.
"""

from __future__ import annotations

import asyncio
import contextlib
import imaplib
import re
import socket
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from channels.contract import Cursor, Instant, Receipt, ReceiptKind, Tools
from channels.email.bounces import BounceSettings
from channels.email.dsn import LONGEST_READ, receipts_of
from channels.errors import PollFailed

PAGE = 50
UNREADABLE = "mail_unreadable"
_WINDOW = 10_000
"""Of UIDs looked through at once; doubled while nothing is found, because UIDs may lie far apart."""
_MOST_TIDIED = 200
_PLAIN = re.compile(r"[A-Za-z0-9@._+-]+")
_REST_SECONDS = 5 * 60
_CURSOR = re.compile(r"([0-9a-f]{16}):(\d{1,10}):(\d{1,10}):(\d{1,16})")


@dataclass(frozen=True, slots=True)
class Place:
    """How far a folder was read, and when to look again."""

    folder: str
    """Stands for the mailbox: several have the same validity, and their numbers mean other mails."""
    validity: int = 0
    uid: int = 0
    again_at: Instant = 0

    @classmethod
    def read(cls, settings: BounceSettings, cursor: Cursor) -> Place:
        """The beginning for another mailbox than the cursor's. Raises `PollFailed` for none of ours."""
        about = (settings.mailbox_host.lower(), settings.mailbox_username, settings.mailbox_folder)
        folder = sha256("\0".join(about).encode()).hexdigest()[:16]
        if cursor is None:
            return cls(folder)
        match = _CURSOR.fullmatch(cursor)
        if match is None:
            raise PollFailed(f"the cursor of a mailbox looks like FOLDER:42:42:0, found {cursor[:40]!r}")
        return cls(folder, *map(int, match.groups()[1:])) if match[1] == folder else cls(folder)

    def __str__(self) -> str:
        return f"{self.folder}:{self.validity}:{self.uid}:{self.again_at}"


@dataclass(slots=True)
class _Page:
    validity: int
    uid: int
    """Everything up to here was seen."""
    mails: list[bytes] = field(default_factory=list)
    is_last: bool = True
    complaint: str = ""
    """What could not be done with mails that were read before."""


class _Failed(Exception):
    """What the server said no to, in words for the operator."""


async def poll_mailbox(
    settings: BounceSettings, tools: Tools, cursor: Cursor
) -> tuple[list[Receipt], Cursor]:
    """What new mails tell, and the cursor to go on from. Mails up to the given cursor are tidied away.

    Raises `PollFailed` when the mailbox cannot be read.
    """
    if not settings.mailbox_host:
        return [], cursor
    before, now = Place.read(settings, cursor), tools.clock()
    if now < before.again_at:
        return [], cursor
    page, receipts = await _visit(settings, tools, before)
    if page.complaint:
        tools.log.warning("read mails stay in the mailbox: %s", page.complaint)
    again_at = now + 1000 * settings.mailbox_every_seconds if page.is_last else 0
    return receipts, str(Place(before.folder, page.validity, page.uid, again_at))


@dataclass(slots=True)
class Mailboxes:
    """Leaves a mailbox alone for a while after it could not be read: servers lock an account to which a wrong
    password is told again and again. Changed settings are tried at once.
    """

    _failed: dict[str, tuple[int, Instant, str]] = field(default_factory=dict)
    """By connection: which settings, until when, and what was wrong."""

    async def poll(
        self, settings: BounceSettings, tools: Tools, cursor: Cursor
    ) -> tuple[list[Receipt], Cursor]:
        """As `poll_mailbox`; while it is left alone it fails with the same words."""
        which, until, why = self._failed.get(tools.connection, (0, 0, ""))
        if which == hash(settings) and tools.clock() < until:
            raise PollFailed(why)
        try:
            return await poll_mailbox(settings, tools, cursor)
        except PollFailed as error:
            until = tools.clock() + 1000 * max(_REST_SECONDS, settings.mailbox_every_seconds)
            self._failed[tools.connection] = hash(settings), until, str(error)
            raise


async def why_no_mailbox(settings: BounceSettings) -> list[tuple[str, str]]:
    """Log in and look, changing nothing; what is wrong, each with the setting that it is about."""
    visit = _Visit(settings)
    try:
        async with asyncio.timeout(settings.mailbox_timeout_seconds):
            return await asyncio.to_thread(visit.look)
    except (TimeoutError, OSError, UnicodeError, imaplib.IMAP4.error, _Failed) as error:
        return [("mailbox_host", _told(error, settings))]
    finally:
        visit.cut()


async def _visit(settings: BounceSettings, tools: Tools, before: Place) -> tuple[_Page, list[Receipt]]:
    visit = _Visit(settings)
    try:
        async with asyncio.timeout(settings.mailbox_timeout_seconds):
            return await asyncio.to_thread(_read, visit, tools, before)
    except (TimeoutError, OSError, UnicodeError, imaplib.IMAP4.error, _Failed) as error:
        raise PollFailed(_told(error, settings)) from error
    finally:
        visit.cut()


def _read(visit: _Visit, tools: Tools, before: Place) -> tuple[_Page, list[Receipt]]:
    page = visit.read(before)
    found: dict[str, Receipt] = {}
    for mail in page.mails:
        found |= {one.key: one for one in _understood(mail, visit.settings, tools)}
    return page, list(found.values())


def _understood(mail: bytes, settings: BounceSettings, tools: Tools) -> Sequence[Receipt]:
    """One mail that nobody can read must not stand in the way of all that come after it."""
    now = tools.clock()
    try:
        return receipts_of(mail, settings.tokens, now)
    except Exception:
        tools.log.exception("a mail could not be read")
        raw = mail.decode("utf-8", "replace")[:4000]
        return [Receipt(sha256(mail).hexdigest(), ReceiptKind.UNMAPPED, now, code=UNREADABLE, raw=raw)]


class _Visit:
    """One connection to the mailbox. Its methods block; `cut` may come from any thread and ends them."""

    def __init__(self, settings: BounceSettings) -> None:
        self.settings = settings
        self._imap: imaplib.IMAP4 | None = None
        self._is_cut = False

    def read(self, before: Place) -> _Page:
        writes = self.settings.after_reading != "keep"
        with self._session() as imap:
            validity, next_uid = self._select(imap, read_only=not writes)
            # With another validity the numbers mean other mails; what is told again counts once.
            after = before.uid if validity == before.validity else 0
            complaint = self._tidy(imap, after) if writes and after else ""
            uids, upto, is_last = _new(imap, after, next_uid)
            return _Page(validity, upto, _fetch(imap, uids), is_last, complaint)

    def look(self) -> list[tuple[str, str]]:
        settings = self.settings
        with self._session() as imap:
            self._select(imap, read_only=True)
            if settings.after_reading != "keep" and "UIDPLUS" not in imap.capabilities:
                return [("after_reading", "must be keep: the server cannot remove single mails (UIDPLUS)")]
            if settings.after_reading == "move":
                kind, _ = imap.select(_quoted(settings.done_folder), readonly=True)
                if kind != "OK":
                    return [("done_folder", "does not exist in the mailbox")]
        return []

    def cut(self) -> None:
        """Ends whatever the visit is waiting for."""
        self._is_cut = True
        if self._imap is not None:
            with contextlib.suppress(OSError):
                self._imap.socket().shutdown(socket.SHUT_RDWR)

    @contextlib.contextmanager
    def _session(self) -> Iterator[imaplib.IMAP4]:
        imap = self._connect()
        try:
            if self.settings.mailbox_security == "starttls":
                imap.starttls(self._trust())
            self._log_in(imap)
            yield imap
            # Not close(), which would remove what anybody has marked as deleted.
            with contextlib.suppress(OSError, imaplib.IMAP4.error):
                imap.logout()
        finally:
            with contextlib.suppress(OSError):
                imap.shutdown()

    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.settings.mailbox_ca_file)

    def _connect(self) -> imaplib.IMAP4:
        settings = self.settings
        address, seconds = (settings.mailbox_host, settings.mailbox_port), settings.mailbox_timeout_seconds
        if settings.mailbox_security == "tls":
            imap: imaplib.IMAP4 = imaplib.IMAP4_SSL(*address, ssl_context=self._trust(), timeout=seconds)
        else:
            imap = imaplib.IMAP4(*address, timeout=seconds)
        self._imap = imap
        if self._is_cut:
            self.cut()
        return imap

    def _log_in(self, imap: imaplib.IMAP4) -> None:
        user, password = self.settings.mailbox_username, self.settings.mailbox_password.get_secret_value()
        if not (user + password).isascii() or not (user + password).isprintable():
            raise _Failed("user name and password must be printable ASCII, or IMAP cannot carry them")
        # The library quotes the password only.
        imap.login(user if _PLAIN.fullmatch(user) else _quoted(user), password)
        # Servers tell what they can do only to those whom they know.
        _, told = imap.capability()
        imap.capabilities = tuple(bytes(told[-1] or b"").decode("ascii", "replace").upper().split())

    def _select(self, imap: imaplib.IMAP4, *, read_only: bool) -> tuple[int, int]:
        """The folder's UIDVALIDITY, and the first UID that no mail has yet."""
        kind, said = imap.select(_quoted(self.settings.mailbox_folder), readonly=read_only)
        if kind != "OK":
            raise _Failed(f"the folder {self.settings.mailbox_folder!r} cannot be opened: {_words(said)}")
        validity, next_uid = (imap.response(name)[1][0] for name in ("UIDVALIDITY", "UIDNEXT"))
        if not validity or not next_uid:
            raise _Failed("the server does not number its mails (UIDVALIDITY and UIDNEXT)")
        return int(validity), int(next_uid)

    def _tidy(self, imap: imaplib.IMAP4, upto: int) -> str:
        """Moves or deletes what was read before; what stands in the way, if anything."""
        if "UIDPLUS" not in imap.capabilities:
            # EXPUNGE alone would also take what somebody else has marked.
            return "the server cannot remove single mails (UIDPLUS)"
        uids = ",".join(map(str, _search(imap, 1, upto)[:_MOST_TIDIED]))
        if not uids:
            return ""
        if self.settings.after_reading == "move":
            kind, said = imap.uid("COPY", uids, _quoted(self.settings.done_folder))
            if kind != "OK":
                return f"they cannot be moved to {self.settings.done_folder!r}: {_words(said)}"
        imap.uid("STORE", uids, "+FLAGS.SILENT", r"(\Deleted)")
        imap.uid("EXPUNGE", uids)
        return ""


def _new(imap: imaplib.IMAP4, after: int, next_uid: int) -> tuple[list[int], int, bool]:
    """The next mails, the UID up to which all are seen with them, and whether there are no more."""
    window, last = _WINDOW, next_uid - 1
    while after < last:
        end = min(after + window, last)
        found = _search(imap, after + 1, end)
        if len(found) > PAGE:
            return found[:PAGE], found[PAGE - 1], False
        if found:
            return found, end, end == last
        after, window = end, 2 * window
    return [], max(after, 0), True


def _search(imap: imaplib.IMAP4, first: int, last: int) -> list[int]:
    kind, said = imap.uid("SEARCH", f"UID {first}:{last}")
    if kind != "OK":
        raise _Failed(f"the mails cannot be listed: {_words(said)}")
    return sorted(int(uid) for uid in (said[0] or b"").split() if first <= int(uid) <= last)


def _fetch(imap: imaplib.IMAP4, uids: Sequence[int]) -> list[bytes]:
    """The beginnings of these mails; they stay unread, and one that is gone meanwhile is left out."""
    mails = []
    for uid in uids:
        kind, said = imap.uid("FETCH", str(uid), f"(UID BODY.PEEK[]<0.{LONGEST_READ}>)")
        if kind != "OK":
            raise _Failed(f"mail {uid} cannot be read: {_words(said)}")
        mails += [item[1] for item in said if isinstance(item, tuple)]
    return mails


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _words(said: object) -> str:
    first = said[0] if isinstance(said, list) and said else b""
    return bytes(first or b"").decode("utf-8", "replace")[:500]


def _told(error: Exception, settings: BounceSettings) -> str:
    if isinstance(error, TimeoutError):
        return f"the mailbox took longer than {settings.mailbox_timeout_seconds:g} seconds"
    said = error.args[0] if error.args else ""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(error)
    text = text or type(error).__name__
    password = settings.mailbox_password.get_secret_value()
    # Some servers repeat the command that they refuse.
    return f"the mailbox cannot be read: {text.replace(password, '…') if password else text}"[:1000]
