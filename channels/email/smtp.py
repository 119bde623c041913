"""Email over SMTP: any mail server or relay, with a few connections kept open.

SMTP has no idempotency and sends no receipts back: acceptance is the last thing this adapter hears. Bounces
come as mails to the return path; opens, clicks and unsubscribes are seen by the server's own links.
"""

import ipaddress
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from channels.contract import (
    CONTRACT_VERSION,
    AnyChannel,
    BaseChannel,
    Capabilities,
    ContentField,
    OnUnknown,
    Problem,
    Tools,
)
from channels.email.conversation import SmtpSender, why_not_open
from channels.email.letter import check_mailbox
from channels.hookspecs import hookimpl

Mailbox = Annotated[str, AfterValidator(check_mailbox)]


class SmtpSettings(BaseModel):
    """Where the mail server is, how to log in, and who the mail is from."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

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
        on_unknown=OnUnknown.NEVER_RESEND,
    )

    def problems(self, settings: SmtpSettings) -> list[Problem]:
        found = []
        if settings.password.get_secret_value() and not settings.username:
            found.append(Problem("username", "is empty, but a password is given: fill in both or neither"))
        if settings.username and not settings.password.get_secret_value():
            found.append(Problem("password", "is empty, but a user name is given: fill in both or neither"))
        if settings.username and settings.security == "none" and not _is_local(settings.host):
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
        return found

    async def probe(self, settings: SmtpSettings, tools: Tools) -> list[Problem]:
        why = await why_not_open(settings)
        return [Problem("", why)] if why else []

    def open(self, settings: SmtpSettings, tools: Tools) -> SmtpSender:
        return SmtpSender(settings, tools)


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@hookimpl
def register_channels() -> Iterable[AnyChannel]:
    return [SmtpChannel()]
