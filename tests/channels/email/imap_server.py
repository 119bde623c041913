"""A mailbox on 127.0.0.1 that speaks the few words of IMAP (RFC 3501, UIDPLUS) that a poll needs."""

import asyncio
import contextlib
import re
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

USER, PASSWORD = "bounces@shop.example", 'correct "horse"'
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')


@dataclass
class Folder:
    """Mails by UID, and those that are marked as deleted."""

    mails: dict[int, bytes] = field(default_factory=dict)
    deleted: set[int] = field(default_factory=set)
    next_uid: int = 1

    def add(self, mail: bytes, uid: int | None = None) -> int:
        uid = uid or self.next_uid
        self.mails[uid] = mail
        self.next_uid = uid + 1
        return uid

    def within(self, wanted: str) -> list[int]:
        found = set()
        for one in wanted.split(","):
            first, _, last = one.partition(":")
            found |= {uid for uid in self.mails if int(first) <= uid <= int(last or first)}
        return sorted(found)


class ImapServer:
    """Keeps its folders between visits; `silent` names a command that is never answered."""

    def __init__(self) -> None:
        self.inbox = Folder()
        self.folders = {"INBOX": self.inbox, "Done": Folder()}
        self.validity = 1_700_000_000
        self.capabilities = "IMAP4rev1 UIDPLUS"
        self.silent = ""
        self.dallies = False
        """Instead of an answer it says that it is still at it, for ever."""
        self.commands: list[str] = []
        self.port = 0
        self.sessions: set[asyncio.Task[None]] = set()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.sessions.add(task)
        session = _Session(self, writer)
        with contextlib.suppress(ConnectionError, asyncio.CancelledError), contextlib.closing(writer):
            session.say(b"* OK ready")
            while not session.is_over and (line := await reader.readline()):
                session.hear(line.decode("ascii").rstrip("\r\n"))
                await writer.drain()
                while session.is_dallying:
                    session.say(b"* OK still at it")
                    await writer.drain()
                    await asyncio.sleep(0.02)
        self.sessions.discard(task)


class _Session:
    def __init__(self, server: ImapServer, writer: asyncio.StreamWriter) -> None:
        self._server, self._writer = server, writer
        self._is_known = self.is_over = self.is_dallying = False
        self._folder: Folder | None = None
        self._is_read_only = True

    def say(self, line: bytes) -> None:
        self._writer.write(line + b"\r\n")

    def hear(self, line: str) -> None:
        tag, _, command = line.partition(" ")
        self._server.commands.append("LOGIN" if command.upper().startswith("LOGIN") else command)
        words = [
            re.sub(r"\\(.)", r"\1", quoted) if quoted else bare for quoted, bare in _WORD.findall(command)
        ]
        verb = "_".join(words[:2]).lower() if words[0].upper() == "UID" else words[0].lower()
        arguments = words[2:] if words[0].upper() == "UID" else words[1:]
        if verb == self._server.silent:
            self.is_dallying = self._server.dallies
            return
        allowed = verb in ("capability", "login", "logout") or self._is_known
        answer: Callable[[list[str]], str] | None = getattr(self, f"do_{verb}", None) if allowed else None
        self.say(f"{tag} {answer(arguments) if answer else 'BAD what?'}".encode())

    def do_capability(self, words: list[str]) -> str:
        known = self._server.capabilities if self._is_known else "IMAP4rev1"
        self.say(f"* CAPABILITY {known}".encode())
        return "OK done"

    def do_login(self, words: list[str]) -> str:
        if words != [USER, PASSWORD]:
            return f"NO [AUTHENTICATIONFAILED] not {words}"
        self._is_known = True
        return "OK hello"

    def do_logout(self, words: list[str]) -> str:
        self.is_over = True
        self.say(b"* BYE")
        return "OK bye"

    def do_select(self, words: list[str], *, read_only: bool = False) -> str:
        self._folder, self._is_read_only = self._server.folders.get(words[0]), read_only
        if self._folder is None:
            return "NO [NONEXISTENT] there is no such folder"
        self.say(f"* {len(self._folder.mails)} EXISTS".encode())
        self.say(f"* OK [UIDVALIDITY {self._server.validity}] valid".encode())
        self.say(f"* OK [UIDNEXT {self._folder.next_uid}] next".encode())
        return f"OK [READ-{'ONLY' if read_only else 'WRITE'}] open"

    def do_examine(self, words: list[str]) -> str:
        return self.do_select(words, read_only=True)

    def do_uid_search(self, words: list[str]) -> str:
        assert self._folder is not None
        assert words[0] == "UID"
        self.say(" ".join(["* SEARCH", *map(str, self._folder.within(words[1]))]).encode())
        return "OK found"

    def do_uid_fetch(self, words: list[str]) -> str:
        assert self._folder is not None
        match = re.fullmatch(r"\(UID BODY\.PEEK\[\]<0\.(\d+)>\)", " ".join(words[1:]))
        assert match is not None
        for uid in self._folder.within(words[0]):
            data = self._folder.mails[uid][: int(match[1])]
            number = sorted(self._folder.mails).index(uid) + 1
            self.say(f"* {number} FETCH (UID {uid} BODY[]<0> {{{len(data)}}}".encode())
            self._writer.write(data)
            self.say(b")")
        return "OK fetched"

    def do_uid_copy(self, words: list[str]) -> str:
        assert self._folder is not None
        to = self._server.folders.get(words[1])
        if to is None:
            return "NO [TRYCREATE] there is no such folder"
        for uid in self._folder.within(words[0]):
            to.add(self._folder.mails[uid])
        return "OK copied"

    def do_uid_store(self, words: list[str]) -> str:
        assert self._folder is not None
        assert not self._is_read_only
        assert words[1:] == ["+FLAGS.SILENT", r"(\Deleted)"]
        self._folder.deleted |= set(self._folder.within(words[0]))
        return "OK stored"

    def do_uid_expunge(self, words: list[str]) -> str:
        assert self._folder is not None
        assert not self._is_read_only
        for uid in set(self._folder.within(words[0])) & self._folder.deleted:
            del self._folder.mails[uid]
            self._folder.deleted.discard(uid)
        return "OK expunged"


@asynccontextmanager
async def mailbox(tls: ssl.SSLContext | None = None) -> AsyncIterator[ImapServer]:
    imap = ImapServer()
    server = await asyncio.start_server(imap.talk, "127.0.0.1", 0, ssl=tls)
    imap.port = server.sockets[0].getsockname()[1]
    try:
        yield imap
    finally:
        server.close()
        for task in list(imap.sessions):
            task.cancel()
        await asyncio.gather(*imap.sessions, return_exceptions=True)
