"""The talk with a mail server: a small pool of connections, one exchange a letter, what each ending means.

Until the letter is written nothing can have been taken over, so every breakdown is `Deferred`. From then
until the answer, a breakdown is `Unknown`. What the server answers is read by `enhanced_codes`.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiosmtplib

from channels.contract import Accepted, Deferred, Instant, Message, Outcome, Rejected, Tools, Unknown
from channels.email.enhanced_codes import Reading, Stage, read_answer
from channels.email.letter import Letter, Unwritable, write_letter
from channels.email.verp import bounce_sender
from channels.reasons import Reason

if TYPE_CHECKING:
    from channels.email.smtp import SmtpSettings

_LEADING_DOT = re.compile(rb"(?m)^\.")
_LONGEST_TEXT_KEPT = 2000
_GOODBYE_SECONDS = 2

# How long a thing of this kind usually lasts; the server stretches it with its own backoff.
_RETRY_AFTER_SECONDS = {
    Reason.PROVIDER_ERROR: 60,
    Reason.RATE_LIMITED: 5 * 60,
    Reason.AUTH_FAILED: 15 * 60,
    Reason.SENDER_INVALID: 15 * 60,
    Reason.UNREACHABLE: 30 * 60,
    Reason.QUOTA_EXCEEDED: 6 * 60 * 60,
}
_RETRY_AFTER_SECONDS_ELSE = 5 * 60


class _Lost(Exception):
    """The connection broke, or made no sense any more, before the letter left."""


class _LostAfterLeaving(Exception):
    """The connection broke, or made no sense any more, after the letter left."""


class _CannotConnect(Exception):
    """No connection could be made ready."""

    def __init__(self, reading: Reading, code: str, text: str) -> None:
        super().__init__(text)
        self.reason, self.code, self.text = reading.reason, code, text


@dataclass(frozen=True, slots=True)
class _Answer:
    stage: Stage
    code: int
    text: str


class SmtpSender:
    """Sends through at most `pool_size` connections, which stay open between letters until `aclose`."""

    def __init__(self, settings: SmtpSettings, tools: Tools) -> None:
        self._settings = settings
        self._clock = tools.clock
        self._slots = asyncio.Semaphore(settings.pool_size)
        self._open: set[_Connection] = set()
        self._idle: list[_Connection] = []
        self._is_closed = False

    async def send(self, message: Message) -> Outcome:
        settings = self._settings
        token, return_path = settings.tokens.make(message.reference), settings.return_path or ""
        if settings.bounce_address:
            return_path = bounce_sender(settings.bounce_address, token)
        try:
            letter = write_letter(
                message,
                from_address=settings.from_address,
                from_name=settings.from_name,
                reply_to=settings.reply_to or "",
                return_path=return_path,
                token=token or "",
            )
        except Unwritable as error:
            return Rejected(error.reason, text=str(error))
        async with self._slots:
            return await self._hand_over(letter)

    async def aclose(self) -> None:
        self._is_closed = True
        idle, self._idle = self._idle, []
        await asyncio.gather(*(connection.say_goodbye() for connection in idle))
        for connection in self._open:
            connection.close()
        self._open.clear()

    async def _hand_over(self, letter: Letter) -> Outcome:
        if self._is_closed:
            return self._deferred(Reason.PROVIDER_ERROR, "", "the sender is closed")
        if self._idle:
            # A server may have hung up on a kept connection meanwhile. Nothing left, so a fresh one is tried.
            with contextlib.suppress(_Lost):
                return await self._exchange(self._idle.pop(), letter)
        try:
            return await self._exchange(await self._connect(), letter)
        except _CannotConnect as error:
            return self._deferred(error.reason, error.code, error.text)
        except _Lost as error:
            return self._deferred(Reason.PROVIDER_ERROR, "", str(error))

    async def _connect(self) -> _Connection:
        connection = _Connection(self._settings)
        self._open.add(connection)
        try:
            await connection.open()
        except BaseException:
            self._drop(connection)
            raise
        return connection

    async def _exchange(self, connection: _Connection, letter: Letter) -> Outcome:
        is_reusable = False
        try:
            answer = await connection.hand_over(letter)
            is_reusable = connection.is_reusable and not self._is_closed
        except _LostAfterLeaving as error:
            return Unknown(text=str(error))
        finally:
            if is_reusable:
                self._idle.append(connection)
            else:
                self._drop(connection)
        return self._outcome(letter, answer)

    def _drop(self, connection: _Connection) -> None:
        connection.close()
        self._open.discard(connection)

    def _outcome(self, letter: Letter, answer: _Answer) -> Outcome:
        code, text = str(answer.code), answer.text
        if answer.code < 300:
            return Accepted(letter.message_id, code, text)
        reading = read_answer(answer.stage, answer.code, text)
        if reading.is_final:
            return Rejected(reading.reason, code, text)
        return self._deferred(reading.reason, code, text)

    def _deferred(self, reason: Reason, code: str, text: str) -> Deferred:
        return Deferred(_retry_at(self._clock(), reason), reason, code, text)


class _Connection:
    """One connection to the server, ready for a letter once `open` has returned."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._is_used = False
        self._letters_left = settings.messages_per_connection
        self._acceptance_timeout = settings.acceptance_timeout_seconds
        self._smtp = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            username=settings.username or None,
            password=settings.password.get_secret_value() if settings.username else None,
            local_hostname=settings.hello_name or _hello_name(),
            timeout=settings.timeout_seconds,
            use_tls=settings.security == "tls",
            # True insists, None would fall back to plain text.
            start_tls=settings.security == "starttls",
            validate_certs=settings.verify_certificate,
            cert_bundle=settings.ca_file,
        )

    @property
    def is_reusable(self) -> bool:
        return self._letters_left > 0 and self._smtp.is_connected

    async def open(self) -> None:
        """Connect, secure, log in. Raises `_CannotConnect`."""
        try:
            await self._smtp.connect()
            if self._smtp.is_ehlo_or_helo_needed:
                await self._smtp.ehlo()
        except (aiosmtplib.SMTPException, OSError, UnicodeError) as error:
            raise _why(error) from error

    async def hand_over(self, letter: Letter) -> _Answer:
        """Hand over one letter and return the answer that decided. Raises `_Lost` or `_LostAfterLeaving`."""
        if letter.needs_utf8 and not self._smtp.supports_extension("smtputf8"):
            return _Answer(Stage.RCPT, 553, "5.6.7 the server cannot carry addresses beyond ASCII")
        is_reused, self._is_used = self._is_used, True
        self._letters_left -= 1
        answer = await self._envelope(letter)
        if answer is None:
            return await self._letter(letter)
        if answer.code == 421 and is_reused:
            raise _Lost(answer.text)
        await self._start_over()
        return answer

    def close(self) -> None:
        self._smtp.close()

    async def say_goodbye(self) -> None:
        with contextlib.suppress(aiosmtplib.SMTPException, OSError):
            await self._smtp.quit(timeout=_GOODBYE_SECONDS)
        self.close()

    async def _envelope(self, letter: Letter) -> _Answer | None:
        """Name sender and recipient and ask to begin; None when the server is ready for the letter."""
        options = [b"SMTPUTF8"] if letter.needs_utf8 else []
        if self._smtp.supports_extension("size"):
            options.append(b"SIZE=%d" % len(letter.data))
        if letter.token and self._smtp.supports_extension("dsn"):
            # Reports then name the letter themselves, and do not send it back whole.
            options += [b"RET=HDRS", b"ENVID=" + letter.token.encode()]
        for stage, words in (
            (Stage.MAIL, (b"MAIL", b"FROM:<%s>" % letter.sender.encode(), *options)),
            (Stage.RCPT, (b"RCPT", b"TO:<%s>" % letter.recipient.encode())),
            (Stage.DATA, (b"DATA",)),
        ):
            try:
                response = await self._smtp.execute_command(*words)
            except (aiosmtplib.SMTPException, OSError) as error:
                raise _Lost(_told(error)) from error
            if response.code // 100 != (3 if stage is Stage.DATA else 2):
                return _Answer(stage, response.code, _clean(response.message))
        return None

    async def _letter(self, letter: Letter) -> _Answer:
        # Not smtp.data(), which asks and writes in one: a connection lost in between would look like one
        # lost after the letter left.
        try:
            protocol = self._smtp.protocol
            if protocol is None:
                raise _Lost("the connection was lost")
            protocol.write(_LEADING_DOT.sub(b"..", letter.data) + b".\r\n")
        except (aiosmtplib.SMTPException, OSError) as error:
            raise _Lost(_told(error)) from error
        try:
            response = await protocol.read_response(timeout=self._acceptance_timeout)
        except (aiosmtplib.SMTPException, OSError) as error:
            raise _LostAfterLeaving(_told(error)) from error
        if response.code // 100 not in (2, 4, 5):
            raise _LostAfterLeaving(
                f"an answer that makes no sense: {response.code} {_clean(response.message)}"
            )
        return _Answer(Stage.END, response.code, _clean(response.message))

    async def _start_over(self) -> None:
        try:
            await self._smtp.rset()
        except (aiosmtplib.SMTPException, OSError):
            self.close()


async def why_not_open(settings: SmtpSettings) -> str:
    """Connect, secure and log in, then leave; return what is wrong, or an empty string."""
    connection = _Connection(settings)
    try:
        await connection.open()
    except _CannotConnect as error:
        return f"{error.code} {error.text}".strip()
    finally:
        await connection.say_goodbye()
    return ""


def _why(error: Exception) -> _CannotConnect:
    if isinstance(error, aiosmtplib.SMTPResponseException):
        is_login = isinstance(error, aiosmtplib.SMTPAuthenticationError)
        text = _clean(error.message)
        reading = read_answer(Stage.AUTH if is_login else Stage.CONNECT, error.code, text)
        return _CannotConnect(reading, str(error.code), text)
    # No STARTTLS, no AUTH, a wrong certificate: someone has to look, and no message is to blame.
    is_distrust = type(error) is aiosmtplib.SMTPException
    is_distrust |= any(isinstance(e, ssl.SSLError) for e in (error, error.__cause__))
    reason = Reason.AUTH_FAILED if is_distrust else Reason.PROVIDER_ERROR
    return _CannotConnect(Reading(False, reason), "", _told(error))


def _told(error: Exception) -> str:
    return _clean(str(error) or type(error).__name__)


def _clean(text: str) -> str:
    """Make a server's words storable: no half characters, no NUL, no novel."""
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return text.replace("\0", "�")[:_LONGEST_TEXT_KEPT]


def _hello_name() -> str:
    # Not getfqdn(), which may ask a name server that is slow or missing.
    return re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname()) or "localhost"


def _retry_at(now: Instant, reason: Reason) -> Instant:
    return now + 1000 * _RETRY_AFTER_SECONDS.get(reason, _RETRY_AFTER_SECONDS_ELSE)
