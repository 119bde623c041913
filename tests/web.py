"""Real web servers on 127.0.0.1: one that says what it is told to, byte by byte, one that speaks HTTP/2, and
their certificates."""

import asyncio
import contextlib
import datetime
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypercorn.asyncio import serve
from hypercorn.config import Config
from starlette.types import ASGIApp, Receive, Scope, Send

Say = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class WordForWord:
    """Keeps the head of every request, and lets `say` write whatever it likes as the answer."""

    say: Say
    port: int = 0
    heads: list[str] = field(default_factory=list)
    connections: int = 0
    names: list[str] = field(default_factory=list)
    """The host names that TLS asked for."""
    writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError), contextlib.closing(writer):
            while True:
                self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
                await self.say(writer)
                await writer.drain()


@asynccontextmanager
async def word_for_word(say: Say | bytes, tls: ssl.SSLContext | None = None) -> AsyncIterator[WordForWord]:
    async def write(writer: asyncio.StreamWriter) -> None:
        assert isinstance(say, bytes)
        writer.write(say)

    served = WordForWord(write if isinstance(say, bytes) else say)
    if tls is not None:
        tls.sni_callback = lambda sock, name, context: served.names.append(name)
    server = await asyncio.start_server(served.talk, "127.0.0.1", 0, ssl=tls)
    served.port = server.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        server.close()
        for writer in served.writers:
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()


@asynccontextmanager
async def over_http2(app: ASGIApp, public: Path, private: Path, *, streams: int = 100) -> AsyncIterator[str]:
    """The URL at which an application is served with TLS and HTTP/2, and no other version."""
    config = Config()
    config.certfile, config.keyfile, config.alpn_protocols = str(public), str(private), ["h2"]
    config.accesslog = config.errorlog = None
    config.graceful_timeout = 0.1
    config.h2_max_concurrent_streams = streams
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    config.bind = [f"fd://{listening.detach()}"]
    stop = asyncio.Event()

    async def web_only(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await app(scope, receive, send)

    serving = asyncio.create_task(serve(web_only, config, shutdown_trigger=stop.wait))
    try:
        yield f"https://127.0.0.1:{port}"
    finally:
        stop.set()
        await serving


def answer(body: bytes = b"", status: str = "200 OK", headers: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return head.encode() + body


def certificate(folder: Path, *names: str) -> tuple[Path, Path]:
    """The files of a certificate for 127.0.0.1 and these names, its own authority, and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    known_as = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), *(x509.DNSName(name) for name in names)]
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(known_as), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "public.pem", folder / "private.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return public, private


def server_side(public: Path, private: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(public, private)
    return context


def client_side(public: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(public))
