"""A real SMTP server that keeps what arrives."""

import email
import email.policy
import re
import threading
from collections import Counter
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

from bench._server import free_port


@dataclass(frozen=True)
class Mail:
    to: str
    message_id: str
    subject: str
    html: str

    def pixel(self) -> str:
        return re.findall(r'src="([^"]*/t/o/[^"]*)"', self.html)[0]

    def links(self) -> list[str]:
        """Those that a reader can see."""
        return re.findall(r'href="([^"]*/t/c/[^"]*)"(?![^>]*display:none)', self.html)


class Mailbox:
    """Listens on a free port of this machine until closed."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self._lock = threading.Lock()
        self.port = free_port()
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, ready_timeout=30)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        html = message.get_body(("html",))
        mail = Mail(
            envelope.rcpt_tos[0],
            str(message["Message-ID"]),
            str(message["Subject"]),
            html.get_content() if html is not None else "",
        )
        with self._lock:
            self.mails.append(mail)
        return "250 2.0.0 taken"

    def doubles(self) -> list[str]:
        """The ids of mails that arrived more than once."""
        return [name for name, count in Counter(mail.message_id for mail in self.mails).items() if count > 1]

    def __enter__(self) -> "Mailbox":
        self._controller.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._controller.stop()
