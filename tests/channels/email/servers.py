"""Real mail servers on 127.0.0.1: a well-behaved one, and one that does as it is told."""

import asyncio
import contextlib
import datetime
import ipaddress
import ssl
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DROP = None
"""Hang up."""
Answer = str | None
EHLO = "250-test\r\n250-SIZE 1000000\r\n250 SMTPUTF8"
POLITE = {"CONNECT": "220 hi", "EHLO": EHLO, "DATA": "354 go on", "QUIT": "221 bye"}


class ScriptedServer:
    """Answers each command with what was set for it, else with 250. "." is a whole letter."""

    def __init__(self, answers: Mapping[str, Answer | Sequence[Answer]]) -> None:
        self.answers = {verb: deque(a) if isinstance(a, list) else a for verb, a in answers.items()}
        self.commands: list[str] = []
        self.letters: list[bytes] = []
        self.letter_came = asyncio.Event()
        self.connections = 0
        self.port = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        # A client that hangs up at once may reset the connection.
        with contextlib.suppress(ConnectionError), contextlib.closing(writer):
            goes_on = self._say(writer, "CONNECT")
            while goes_on and (line := await reader.readline()):
                verb = line.split()[0].decode().upper()
                self.commands.append(line.decode().strip())
                goes_on = self._say(writer, verb)
                if goes_on and verb == "DATA" and self._said.startswith("354"):
                    self.letters.append(await reader.readuntil(b"\r\n.\r\n"))
                    self.letter_came.set()
                    goes_on = self._say(writer, ".")

    def _say(self, writer: asyncio.StreamWriter, verb: str) -> bool:
        answer = self.answers.get(verb, POLITE.get(verb, "250 ok"))
        if isinstance(answer, deque):
            answer = answer.popleft() if answer else POLITE.get(verb, "250 ok")
        if answer is None:
            return False
        self._said = str(answer)
        writer.write(f"{answer}\r\n".encode())
        return not self._said.startswith("421")


@asynccontextmanager
async def scripted(**answers: Answer | Sequence[Answer]) -> AsyncIterator[ScriptedServer]:
    """Serve; `DOT` stands for the answer to a letter."""
    told = {"." if verb == "DOT" else verb: answer for verb, answer in answers.items()}
    scripted_server = ScriptedServer(told)
    server = await asyncio.start_server(scripted_server.talk, "127.0.0.1", 0)
    scripted_server.port = server.sockets[0].getsockname()[1]
    try:
        yield scripted_server
    finally:
        server.close()
        await asyncio.sleep(0)


class Mailroom:
    """The handler of the well-behaved server: keeps what it takes."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []
        self.peers: set[object] = set()
        self.logins: list[str] = []
        self.port = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.envelopes.append(envelope)
        self.peers.add(session.peer)
        return "250 2.0.0 queued"

    def authenticate(
        self, server: object, session: object, envelope: object, how: str, login: object
    ) -> AuthResult:
        assert isinstance(login, LoginPassword)
        self.logins.append(login.login.decode())
        return AuthResult(success=login.password == b"correct horse", handled=False)


@asynccontextmanager
async def well_behaved(
    tls: ssl.SSLContext | None = None, *, implicit_tls: bool = False
) -> AsyncIterator[Mailroom]:
    room = Mailroom()
    loop = asyncio.get_running_loop()
    options: dict[str, Any] = (
        {} if tls is None else {"authenticator": room.authenticate, "auth_required": True}
    )
    if tls and not implicit_tls:
        options |= {"tls_context": tls, "require_starttls": True}
    if implicit_tls:
        # The library only knows of TLS that began with STARTTLS.
        options = {"authenticator": room.authenticate, "auth_require_tls": False}
    server = await loop.create_server(
        lambda: SMTP(room, loop=loop, hostname="localhost", enable_SMTPUTF8=True, **options),
        "127.0.0.1",
        0,
        ssl=tls if implicit_tls else None,
    )
    room.port = server.sockets[0].getsockname()[1]
    try:
        yield room
    finally:
        server.close()
        await asyncio.sleep(0)


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A context for a server on 127.0.0.1, and the file that makes a client trust it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "public.pem", folder / "private.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(public, private)
    return context, public
