"""How an SMTP connection hears of bounces: where they go, what proves them, and what is wrong with that.

Settings only; nothing here is I/O.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from channels.contract import Callback, Problem
from channels.email.letter import check_mailbox
from channels.email.verp import LONGEST_LOCAL_PART, Tokens

_SHORTEST_SECRET = 16
_LONGEST_TOKEN = 34
"""With as many digits as any server will see for long; longer ones stay out of the address."""


def _check_bounce_address(address: str) -> str:
    address = check_mailbox(address)
    if not address.isascii():
        raise ValueError("must be in ASCII: reports come from servers that know nothing else")
    if len(address.rpartition("@")[0]) + 1 + _LONGEST_TOKEN > LONGEST_LOCAL_PART:
        raise ValueError("must be shorter before the @, so that a token of ours fits behind it")
    return address


BounceAddress = Annotated[str, AfterValidator(_check_bounce_address)]
_ASCII_LINE = r"^[\x20-\x7e]*$"


class BounceSettings(BaseModel):
    """Where bounces go and how they come back."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    bounce_address: BounceAddress | None = Field(
        None,
        description="If this is bounces@…, letters leave as bounces+TOKEN@…, and bounces name the message.",
    )
    bounce_secret: SecretStr = Field(
        SecretStr(""), description="Yours to make up: without it nobody can make up a bounce."
    )
    previous_bounce_secret: SecretStr = Field(
        SecretStr(""), description="Still believed: bounces come days after the letter."
    )
    callback_secret: SecretStr = Field(
        SecretStr(""),
        description="Whoever forwards bounces to the callback address sends this as Bearer token.",
    )
    previous_callback_secret: SecretStr = Field(SecretStr(""), description="Still good while it is changed.")
    mailbox_host: str = Field(
        "",
        max_length=253,
        pattern=r"^[A-Za-z0-9._:-]*$",
        description="The IMAP server where bounces arrive; empty where nobody is to ask for them.",
    )
    mailbox_port: int = Field(993, ge=1, le=65535, description="993 for tls, 143 for starttls.")
    mailbox_security: Literal["tls", "starttls", "none"] = "tls"
    mailbox_ca_file: str | None = Field(
        None, description="A PEM file of further certificate authorities to trust."
    )
    mailbox_username: str = Field("", max_length=254, pattern=_ASCII_LINE)
    mailbox_password: SecretStr = SecretStr("")
    mailbox_folder: str = Field(
        "INBOX", min_length=1, max_length=200, pattern=_ASCII_LINE, description="As the server names it."
    )
    after_reading: Literal["keep", "move", "delete"] = Field(
        "keep", description="What becomes of every mail in the folder, once what it says is on disk."
    )
    done_folder: str = Field(
        "", max_length=200, pattern=_ASCII_LINE, description="Where mails are moved; it must exist."
    )
    mailbox_every_seconds: int = Field(60, ge=5, le=86400, description="How often the mailbox is read.")
    mailbox_timeout_seconds: float = Field(30, gt=0, le=300, description="For one visit to the mailbox.")

    @property
    def tokens(self) -> Tokens:
        return Tokens(tuple(_secrets(self.bounce_secret, self.previous_bounce_secret)))

    @property
    def callback_secrets(self) -> list[bytes]:
        return list(_secrets(self.callback_secret, self.previous_callback_secret))


def bounce_problems(settings: BounceSettings) -> Iterator[Problem]:
    """What can be seen to be wrong with the way back."""
    hears = bool(settings.mailbox_host or settings.callback_secret.get_secret_value())
    if settings.bounce_address and not settings.bounce_secret.get_secret_value():
        yield Problem("bounce_secret", "is empty, so no bounce could be told from one that is made up")
    if hears and not settings.bounce_address:
        yield Problem("bounce_address", "is empty, so bounces do not name the message that came back")
    for name in ("bounce_secret", "callback_secret"):
        if 0 < len(getattr(settings, name).get_secret_value()) < _SHORTEST_SECRET:
            yield Problem(name, f"is easily guessed: give it {_SHORTEST_SECRET} characters or more")
    if settings.mailbox_host:
        yield from _mailbox_problems(settings)


def proves(callback: Callback, secrets: list[bytes]) -> bool:
    """Whether a callback carries one of the secrets, as Bearer token or password of Basic. Constant time."""
    kind, _, given = callback.headers.get("authorization", "").strip().partition(" ")
    claimed = given.strip().encode("utf-8", "replace")
    if kind.lower() == "basic":
        try:
            claimed = base64.b64decode(claimed, validate=True).partition(b":")[2]
        except binascii.Error:
            return False
    elif kind.lower() != "bearer":
        return False
    # Every one is compared, so that the time taken does not tell which of them fits.
    return any([hmac.compare_digest(claimed, one) for one in secrets])


def is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _mailbox_problems(settings: BounceSettings) -> Iterator[Problem]:
    for name in ("mailbox_username", "mailbox_password"):
        value = getattr(settings, name)
        if not (value.get_secret_value() if isinstance(value, SecretStr) else value):
            yield Problem(name, "is empty, but a mailbox is given")
    if settings.mailbox_security == "none" and not is_local(settings.mailbox_host):
        yield Problem("mailbox_security", "is none, so the password could be read on the way: use tls")
    if settings.mailbox_port == 143 and settings.mailbox_security == "tls":
        yield Problem("mailbox_security", "is tls, but servers speak starttls on port 143")
    if settings.after_reading == "move" and not settings.done_folder:
        yield Problem("done_folder", "is empty, but mails are to be moved")
    if settings.after_reading == "move" and settings.done_folder == settings.mailbox_folder:
        yield Problem("done_folder", "is the folder that is read: name another one")


def _secrets(*secrets: SecretStr) -> Iterator[bytes]:
    return (one.get_secret_value().encode() for one in secrets if one.get_secret_value())
