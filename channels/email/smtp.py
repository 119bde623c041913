"""Email over SMTP: any mail server or relay, with a few connections kept open.

SMTP has no idempotency: what left without an answer is sent again by nobody. Bounces come as mails, which
a mailbox is asked for or which somebody forwards to the callback address; without either, acceptance is the
last thing this adapter hears. Opens, clicks and unsubscribes are seen by the server's own links.
"""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr

from channels.contract import (
    CONTRACT_VERSION,
    AnyChannel,
    BaseChannel,
    Callback,
    Capabilities,
    ContentField,
    Cursor,
    Instant,
    OnUnknown,
    Problem,
    Receipt,
    ReceiptKind,
    Refused,
    Tools,
    Verified,
)
from channels.email.bounces import BounceSettings, bounce_problems, is_local, proves
from channels.email.conversation import SmtpSender, why_not_open
from channels.email.dsn import receipts_of
from channels.email.letter import check_mailbox
from channels.email.mailbox import Mailboxes, why_no_mailbox
from channels.hookspecs import hookimpl

Mailbox = Annotated[str, AfterValidator(check_mailbox)]


class SmtpSettings(BounceSettings):
    """Where the mail server is, how to log in, who the mail is from, and how bounces come back."""

    host: str = Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9._:-]+$")
    port: int = Field(587, ge=1, le=65535, description="587 for starttls, 465 for tls.")
    username: str = ""
    password: SecretStr = SecretStr("")
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls",
        description="With starttls, a server that does not offer it gets nothing: no fallback to plain text.",
    )
    verify_certificate: bool = True
    ca_file: str | None = Field(None, description="A PEM file of further certificate authorities to trust.")
    from_address: Mailbox
    from_name: str = Field("", max_length=200)
    reply_to: Mailbox | None = None
    return_path: Mailbox | None = Field(None, description="Where bounces go; the from address when empty.")
    hello_name: str = Field(
        "", pattern=r"^[A-Za-z0-9.-]*$", description="What we call ourselves; this machine's name when empty."
    )
    pool_size: int = Field(4, ge=1, le=100, description="Connections open at the same time.")
    messages_per_connection: int = Field(
        100, ge=1, description="Then a fresh connection; many servers limit it."
    )
    timeout_seconds: float = Field(30, gt=0, description="For connecting, and for each answer but the last.")
    acceptance_timeout_seconds: float = Field(
        600,
        gt=0,
        description="For the answer to a whole message. RFC 5321 asks for 10 minutes: less makes doubles.",
    )


class SmtpChannel(BaseChannel[SmtpSettings]):
    """Mail through one SMTP server."""

    key = "smtp"
    channel = "email"
    title = "Email over SMTP"
    contract_version = CONTRACT_VERSION
    settings = SmtpSettings
    capabilities = Capabilities(
        content={
            "subject": ContentField(max_length=998, required=True),
            "html": ContentField(),
            "text": ContentField(),
            "from_address": ContentField(max_length=254),
            "from_name": ContentField(max_length=200),
            "reply_to": ContentField(max_length=254),
        },
        # Only where bounces come back at all: with a mailbox, or somebody who forwards them.
        observes=frozenset(
            {
                *(ReceiptKind.BOUNCED, ReceiptKind.DEFERRED, ReceiptKind.COMPLAINED),
                *(ReceiptKind.DELIVERED, ReceiptKind.ACCEPTED),
            }
        ),
        on_unknown=OnUnknown.NEVER_RESEND,
    )

    def __init__(self) -> None:
        self._mailboxes = Mailboxes()

    def problems(self, settings: SmtpSettings) -> list[Problem]:
        found = []
        if settings.password.get_secret_value() and not settings.username:
            found.append(Problem("username", "is empty, but a password is given: fill in both or neither"))
        if settings.username and not settings.password.get_secret_value():
            found.append(Problem("password", "is empty, but a user name is given: fill in both or neither"))
        if settings.username and settings.security == "none" and not is_local(settings.host):
            found.append(
                Problem("security", "is none, so the password could be read on the way: use starttls")
            )
        if settings.port == 465 and settings.security == "starttls":
            found.append(
                Problem("security", "is starttls, but servers speak tls on port 465: use tls or port 587")
            )
        if settings.port == 587 and settings.security == "tls":
            found.append(
                Problem("security", "is tls, but servers speak starttls on port 587: use that or port 465")
            )
        if settings.bounce_address and settings.return_path:
            found.append(Problem("return_path", "is of no use beside bounce_address: leave it empty"))
        return [*found, *bounce_problems(settings)]

    def observes(self, settings: SmtpSettings) -> frozenset[ReceiptKind]:
        hears = settings.mailbox_host or settings.callback_secret.get_secret_value()
        return self.capabilities.observes if hears else frozenset()

    def polls(self, settings: SmtpSettings) -> bool:
        return bool(settings.mailbox_host)

    def concurrency(self, settings: SmtpSettings) -> int:
        return settings.pool_size

    async def probe(self, settings: SmtpSettings, tools: Tools) -> list[Problem]:
        why = await why_not_open(settings)
        found = [Problem("", why)] if why else []
        if settings.mailbox_host:
            found += [Problem(path, what) for path, what in await why_no_mailbox(settings)]
        return found

    def open(self, settings: SmtpSettings, tools: Tools) -> SmtpSender:
        return SmtpSender(settings, tools)

    def verify(self, settings: SmtpSettings, callback: Callback, now: Instant) -> Verified | Refused:
        """The secret proves who forwards; what a mail says is believed only with a token of ours in it."""
        if not settings.callback_secrets:
            return Refused("callback_secret is not set")
        if not proves(callback, settings.callback_secrets):
            return Refused("authorization is missing or wrong")
        return Verified(callback, now)

    def parse(self, settings: SmtpSettings, verified: Verified) -> list[Receipt]:
        return receipts_of(verified.callback.body, settings.tokens, verified.received_at)

    async def poll(
        self, settings: SmtpSettings, tools: Tools, cursor: Cursor
    ) -> tuple[list[Receipt], Cursor]:
        return await self._mailboxes.poll(settings, tools, cursor)


@hookimpl
def register_channels() -> Iterable[AnyChannel]:
    return [SmtpChannel()]
