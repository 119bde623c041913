"""How a letter is marked so that its bounce names it, and how forwarded bounces are taken."""

import base64
import email
from typing import Any

import pytest
from pydantic import ValidationError

from channels import Accepted, Callback, Reason, Receipt, ReceiptKind, Tools
from channels.contract import Refused, Verified
from channels.email.smtp import SmtpChannel, SmtpSettings
from channels.email.verp import HEADER
from channels.testing.check import NOW, findings
from channels.testing.evidence import Evidence, Proof
from tests.channels.builders import a_message
from tests.channels.email import dsn_mails as mails
from tests.channels.email.servers import scripted, well_behaved

pytestmark = pytest.mark.anyio
CHANNEL = SmtpChannel()
FORWARDER = "the word of the forwarder"


def settings(port: int = 25, **changes: Any) -> SmtpSettings:
    usual = {
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "from_address": "hello@shop.example",
        "bounce_address": "bounces@shop.example",
        "bounce_secret": "a secret of these tests only",
        "callback_secret": FORWARDER,
    }
    return SmtpSettings(**{**usual, **changes})


def forwarded(mail: bytes, authorization: str = f"Bearer {FORWARDER}") -> Callback:
    return Callback("POST", "/hooks/1", {"authorization": authorization}, {}, mail)


def heard(mail: bytes, **changes: Any) -> list[Receipt]:
    verdict = CHANNEL.verify(settings(**changes), forwarded(mail), NOW)
    assert isinstance(verdict, Verified), verdict
    return CHANNEL.parse(settings(**changes), verdict)


async def sent(tools: Tools, **changes: Any) -> tuple[str, bytes]:
    """The envelope's sender and the letter, as a server gets them."""
    async with well_behaved() as room:
        sender = CHANNEL.open(settings(room.port, **changes), tools)
        assert isinstance(await sender.send(a_message("1-0-42")), Accepted)
        await sender.aclose()
    [envelope] = room.envelopes
    return envelope.mail_from or "", envelope.original_content or b""


async def test_a_bounce_to_the_envelopes_sender_names_the_message(tools: Tools) -> None:
    sender, letter = await sent(tools)
    assert sender.startswith("bounces+1-0-42-")
    assert sender.endswith("@shop.example")
    assert email.message_from_bytes(letter)["From"] == "hello@shop.example"
    [receipt] = heard(mails.report(mails.POSTFIX, sender=sender))
    assert (receipt.kind, receipt.reference) == (ReceiptKind.BOUNCED, "1-0-42")
    token = email.message_from_bytes(letter)[HEADER]
    [same] = heard(mails.report(mails.POSTFIX, sender="bounces@shop.example", token=token))
    assert (same.key, same.reference) == (receipt.key, "1-0-42")


async def test_without_an_address_for_bounces_all_stays_as_it_was(tools: Tools) -> None:
    sender, letter = await sent(tools, bounce_address=None, bounce_secret="", return_path="back@shop.example")
    assert sender == "back@shop.example"
    assert HEADER.encode() not in letter


async def test_a_server_that_knows_reports_is_told_what_to_name_in_them(tools: Tools) -> None:
    async with scripted(EHLO="250-test\r\n250-DSN\r\n250 SIZE 1000000") as server:
        sender = CHANNEL.open(settings(server.port), tools)
        assert isinstance(await sender.send(a_message("1-0-42")), Accepted)
        await sender.aclose()
    [said] = [one for one in server.commands if one.startswith("MAIL")]
    [envelope_id] = [word for word in said.split() if word.startswith("ENVID=")]
    assert "RET=HDRS" in said
    fields = f"Original-Envelope-Id: {envelope_id[6:]}\n{mails.POSTFIX}"
    [receipt] = heard(mails.report(fields, sender="bounces@shop.example"))
    assert receipt.reference == "1-0-42"


async def test_nobody_else_can_put_our_mark_into_a_letter(tools: Tools) -> None:
    async with scripted() as server:
        sender = CHANNEL.open(settings(server.port), tools)
        outcome = await sender.send(a_message(headers={HEADER: "1-0-43-aaaaaaaaaaaaaaaa"}))
        await sender.aclose()
    assert getattr(outcome, "reason", None) is Reason.CONTENT_INVALID
    assert server.commands == []


@pytest.mark.parametrize(
    "authorization",
    [
        f"Bearer {FORWARDER}",
        f"bearer  {FORWARDER}",
        "Basic " + base64.b64encode(f"postfix:{FORWARDER}".encode()).decode(),
    ],
)
def test_who_knows_the_secret_may_forward(authorization: str) -> None:
    verdict = CHANNEL.verify(settings(), forwarded(b"", authorization), NOW)
    assert verdict == Verified(forwarded(b"", authorization), NOW)
    changed: dict[str, Any] = {"callback_secret": "another word altogether"}
    assert isinstance(CHANNEL.verify(settings(**changed), forwarded(b"", authorization), NOW), Refused)
    rotated = settings(**changed, previous_callback_secret=FORWARDER)
    assert isinstance(CHANNEL.verify(rotated, forwarded(b"", authorization), NOW), Verified)


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Bearer nonsense", FORWARDER, f"Digest {FORWARDER}", "Basic é", "Basic Og=="],
)
def test_nobody_else_may(authorization: str) -> None:
    for given in (settings(), settings(callback_secret="")):
        assert isinstance(CHANNEL.verify(given, forwarded(b"", authorization), NOW), Refused)


async def test_it_keeps_the_contract_for_bounces_too(tools: Tools) -> None:
    token = settings().tokens.make("1-0-42")
    sender = f"bounces+{token}@shop.example"
    genuine = [
        *(mails.report(one, sender=sender) for one in (mails.POSTFIX, mails.POSTFIX_DELAYED, mails.SEVERAL)),
        mails.complaint("abuse", sender=sender),
        mails.plain(mails.QMAIL, sender=sender),
    ]
    golden = [(forwarded(one), heard(one)) for one in genuine]
    evidence = Evidence(
        channel=CHANNEL,
        settings=settings(),
        tools=tools,
        callbacks=golden,
        proof=Proof.SECRET,
        rotated=settings(callback_secret="another word altogether", previous_callback_secret=FORWARDER),
        foreign=settings(callback_secret="another word altogether"),
    )
    for group in ("identity", "settings", "imports", "forgeries", "claims", "polls"):
        assert await findings(evidence, group) == []
    # The kit takes any body with a `=` in it for a form, so only a mail without one can be given to it.
    bare = genuine[-1].replace(b'Content-Type: text/plain; charset="us-ascii"\n', b"")
    plain = (forwarded(bare), heard(bare))
    assert b"=" not in bare
    assert [one.reference for one in plain[1]] == ["1-0-42"]
    assert (
        await findings(Evidence(channel=CHANNEL, settings=settings(), callbacks=[plain]), "callbacks") == []
    )


def test_settings_say_what_is_missing_on_the_way_back() -> None:
    def paths(**changes: Any) -> list[str]:
        return [one.path for one in CHANNEL.problems(settings(**changes))]

    mailbox = {
        "mailbox_host": "imap.example.com",
        "mailbox_username": "bounces",
        "mailbox_password": "a password",
    }
    assert paths() == paths(**mailbox) == []
    assert paths(bounce_secret="") == ["bounce_secret"]
    assert paths(bounce_secret="short") == ["bounce_secret"]
    assert paths(bounce_address=None) == ["bounce_address"]
    assert paths(return_path="back@shop.example") == ["return_path"]
    assert paths(mailbox_host="imap.example.com") == ["mailbox_username", "mailbox_password"]
    assert paths(**mailbox, mailbox_security="none") == ["mailbox_security"]
    assert paths(**mailbox, mailbox_port=143) == ["mailbox_security"]
    assert paths(**mailbox, after_reading="move") == ["done_folder"]
    assert paths(**mailbox, after_reading="move", done_folder="INBOX") == ["done_folder"]
    for wrong in ("a" * 40 + "@shop.example", "반송@shop.example", "bounces"):
        with pytest.raises(ValidationError):
            settings(bounce_address=wrong)
