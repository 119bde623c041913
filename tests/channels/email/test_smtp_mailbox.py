"""A mailbox that is asked for bounces: each counts once, and none is removed before it is safe."""

import asyncio
import contextlib
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aioimaplib import IMAP4

from channels import Reason, Receipt, ReceiptKind, Tools
from channels.email.mailbox import PAGE, Place
from channels.email.smtp import SmtpChannel, SmtpSettings
from channels.email.verp import bounce_sender
from channels.errors import PollFailed
from channels.testing.check import NOW, findings
from channels.testing.evidence import Evidence
from tests.channels.email import dsn_mails as mails
from tests.channels.email.imap_server import PASSWORD, USER, ImapServer, mailbox
from tests.channels.email.servers import certificate
from tests.waiting import PATIENCE

pytestmark = pytest.mark.anyio
CHANNEL = SmtpChannel()
LATER = 60_000


def settings(port: int, **changes: Any) -> SmtpSettings:
    usual = {
        "host": "127.0.0.1",
        "security": "none",
        "from_address": "hello@shop.example",
        "bounce_address": "bounces@shop.example",
        "bounce_secret": "a secret of these tests only",
        "mailbox_host": "127.0.0.1",
        "mailbox_port": port,
        "mailbox_security": "none",
        "mailbox_username": USER,
        "mailbox_password": PASSWORD,
        "mailbox_timeout_seconds": 5,
    }
    return SmtpSettings(**{**usual, **changes})


def bounce(number: int, fields: str = mails.POSTFIX) -> bytes:
    token = settings(1).tokens.make(f"1-0-{number}")
    return mails.report(fields, sender=bounce_sender("bounces@shop.example", token))


async def ask(
    tools: Tools, imap: ImapServer, cursor: str | None, *, at: int = NOW, **changes: Any
) -> tuple[list[Receipt], str | None]:
    return await SmtpChannel().poll(settings(imap.port, **changes), replace(tools, clock=lambda: at), cursor)


async def test_bounces_are_heard_once_and_stay_where_they_are(tools: Tools) -> None:
    async with mailbox() as imap:
        imap.inbox.add(bounce(1))
        imap.inbox.add(b"Subject: hello\r\n\r\nhello")
        receipts, cursor = await ask(tools, imap, None)
        assert [(one.kind, one.reference, one.reason) for one in receipts] == [
            (ReceiptKind.BOUNCED, "1-0-1", Reason.INVALID_RECIPIENT),
            (ReceiptKind.UNMAPPED, None, None),
        ]
        imap.inbox.add(bounce(2))
        receipts, cursor = await ask(tools, imap, cursor, at=NOW + LATER)
        assert [one.reference for one in receipts] == ["1-0-2"]
        assert (await ask(tools, imap, cursor, at=NOW + 2 * LATER))[0] == []
        assert len(imap.inbox.mails) == 3
        assert not any("STORE" in one or "SELECT" in one for one in imap.commands)


async def test_between_two_visits_nobody_is_bothered(tools: Tools) -> None:
    async with mailbox() as imap:
        _, cursor = await ask(tools, imap, None)
        visits = imap.commands.count("LOGIN")
        assert await ask(tools, imap, cursor, at=NOW + LATER - 1) == ([], cursor)
        assert imap.commands.count("LOGIN") == visits
        await ask(tools, imap, cursor, at=NOW + LATER)
        assert imap.commands.count("LOGIN") == visits + 1


@pytest.mark.parametrize("after_reading", ["move", "delete"])
async def test_a_mail_goes_away_only_when_the_cursor_that_passed_it_comes_back(
    tools: Tools, after_reading: str
) -> None:
    options: dict[str, Any] = {"after_reading": after_reading, "done_folder": "Done"}
    async with mailbox() as imap:
        first, marked = imap.inbox.add(bounce(1)), imap.inbox.add(bounce(2))
        told, cursor = await ask(tools, imap, None, **options)
        assert len(imap.inbox.mails) == 2
        again, _ = await ask(tools, imap, None, **options)
        assert again == told
        imap.inbox.deleted.add(marked)
        new = imap.inbox.add(bounce(3))
        imap.inbox.deleted.add(new)
        receipts, _ = await ask(tools, imap, cursor, at=NOW + LATER, **options)
        assert [one.reference for one in receipts] == ["1-0-3"]
        assert first not in imap.inbox.mails
        assert set(imap.inbox.mails) == {new}
        assert len(imap.folders["Done"].mails) == (2 if after_reading == "move" else 0)


async def test_nothing_is_removed_where_a_single_mail_cannot_be(
    tools: Tools, caplog: pytest.LogCaptureFixture
) -> None:
    async with mailbox() as imap:
        imap.capabilities = "IMAP4rev1"
        imap.inbox.add(bounce(1))
        _, cursor = await ask(tools, imap, None, after_reading="delete")
        with caplog.at_level(logging.WARNING):
            await ask(tools, imap, cursor, at=NOW + LATER, after_reading="delete")
        assert "UIDPLUS" in caplog.text
        imap.capabilities = "IMAP4rev1 UIDPLUS"
        gone: dict[str, Any] = {"after_reading": "move", "done_folder": "Nowhere"}
        await ask(tools, imap, cursor, at=NOW + LATER, **gone)
        assert len(imap.inbox.mails) == 1


async def test_a_full_mailbox_is_read_page_by_page_and_at_once(tools: Tools) -> None:
    async with mailbox() as imap:
        for number in range(2 * PAGE + 5):
            imap.inbox.add(bounce(number))
        heard: list[Receipt] = []
        cursor, visits = None, list[int]()
        while not visits or visits[-1]:
            receipts, cursor = await ask(tools, imap, cursor)
            heard += receipts
            visits.append(len(receipts))
    assert visits == [PAGE, PAGE, 5, 0]
    assert len({one.key for one in heard}) == 2 * PAGE + 5


async def test_numbers_that_lie_far_apart_are_found(tools: Tools) -> None:
    async with mailbox() as imap:
        imap.inbox.add(bounce(1), uid=4_000_000_000)
        receipts, cursor = await ask(tools, imap, None)
        assert [one.reference for one in receipts] == ["1-0-1"]
        assert Place.read(settings(imap.port), cursor).uid == 4_000_000_000


async def test_when_the_server_numbers_anew_all_is_told_again_and_nothing_removed(tools: Tools) -> None:
    async with mailbox() as imap:
        imap.inbox.add(bounce(1))
        told, cursor = await ask(tools, imap, None, after_reading="delete")
        imap.validity += 1
        again, _ = await ask(tools, imap, cursor, at=NOW + LATER, after_reading="delete")
        assert [one.key for one in again] == [one.key for one in told]
        assert len(imap.inbox.mails) == 1


async def test_another_mailbox_is_read_from_its_beginning_and_nothing_removed_unread(tools: Tools) -> None:
    async with mailbox() as imap:
        imap.inbox.add(bounce(1))
        _, cursor = await ask(tools, imap, None, after_reading="delete")
        imap.folders["Done"].add(bounce(2))
        other: dict[str, Any] = {"mailbox_folder": "Done", "after_reading": "delete"}
        receipts, _ = await ask(tools, imap, cursor, **other)
        assert [one.reference for one in receipts] == ["1-0-2"]
        assert len(imap.folders["Done"].mails) == 1


async def test_a_huge_mail_is_fetched_in_part(tools: Tools) -> None:
    async with mailbox() as imap:
        imap.inbox.add(bounce(1) + b"x" * 3_000_000)
        [receipt], _ = await ask(tools, imap, None)
        assert receipt.reference == "1-0-1"


@pytest.mark.parametrize(
    ("what", "changes"),
    [
        ("AUTHENTICATIONFAILED", {"mailbox_password": "battery staple"}),
        ("'Nowhere'", {"mailbox_folder": "Nowhere"}),
        ("ASCII", {"mailbox_password": "비밀번호"}),
    ],
)
async def test_a_mailbox_that_says_no_is_told_without_the_password(
    tools: Tools, what: str, changes: dict[str, Any]
) -> None:
    async with mailbox() as imap:
        with pytest.raises(PollFailed) as caught:
            await ask(tools, imap, None, **changes)
        assert what in str(caught.value)
        assert not any(secret in str(caught.value) for secret in ("battery", "비밀번호"))
        problems = await CHANNEL.probe(settings(imap.port, **changes), tools)
        assert any(what in one.message for one in problems)


async def test_a_mailbox_that_says_nothing_is_left_in_time(tools: Tools) -> None:
    async with mailbox() as imap:
        imap.inbox.add(bounce(1))
        for command in ("login", "uid_fetch"):
            imap.silent = command
            async with asyncio.timeout(PATIENCE):
                with pytest.raises(PollFailed, match=r"longer than 0\.2 seconds|timed out"):
                    await ask(tools, imap, None, mailbox_timeout_seconds=0.2)
        imap.silent = ""
        assert len((await ask(tools, imap, None))[0]) == 1


async def test_a_mailbox_that_talks_for_ever_is_left_and_nobody_goes_on_listening(tools: Tools) -> None:
    async with mailbox() as imap:
        imap.silent, imap.dallies = "uid_search", True
        imap.inbox.add(bounce(1))
        with pytest.raises(PollFailed, match=r"longer than 0\.2 seconds"):
            await ask(tools, imap, None, mailbox_timeout_seconds=0.2)
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*imap.sessions)


async def test_after_a_failure_it_is_left_alone_for_a_while_unless_something_changed(tools: Tools) -> None:
    channel, wrong = SmtpChannel(), {"mailbox_password": "battery staple"}

    async def visits(at: int, connection: str = "1", **changes: Any) -> int:
        lent = replace(tools, clock=lambda: at, connection=connection)
        before = imap.commands.count("LOGIN")
        with contextlib.suppress(PollFailed):
            await channel.poll(settings(imap.port, **changes), lent, None)
        return imap.commands.count("LOGIN") - before

    async with mailbox() as imap:
        assert await visits(NOW, **wrong) == 1
        assert await visits(NOW + 299_999, **wrong) == 0
        assert await visits(NOW + 299_999, "2", **wrong) == 1
        assert await visits(NOW + 300_000, **wrong) == 1
        assert await visits(NOW + 300_001) == 1


async def test_nobody_listening_is_told(tools: Tools) -> None:
    async with mailbox() as imap:
        port = imap.port
    with pytest.raises(PollFailed, match="cannot be read"):
        await CHANNEL.poll(settings(port), tools, None)
    with pytest.raises(PollFailed, match="FOLDER:42:42:0"):
        await SmtpChannel().poll(settings(port), tools, "42")


async def test_without_a_mailbox_nobody_is_asked(tools: Tools) -> None:
    assert await CHANNEL.poll(settings(1, mailbox_host=""), tools, None) == ([], None)


async def test_over_tls_only_a_trusted_mailbox_gets_the_password(tools: Tools, tmp_path: Path) -> None:
    context, trusted = certificate(tmp_path)
    async with mailbox(context) as imap:
        imap.inbox.add(bounce(1))
        safe: dict[str, Any] = {"mailbox_security": "tls", "mailbox_ca_file": str(trusted)}
        assert len((await ask(tools, imap, None, **safe))[0]) == 1
        visits = imap.commands.count("LOGIN")
        with pytest.raises(PollFailed, match=r"(?i)certificate"):
            await ask(tools, imap, None, mailbox_security="tls")
        assert imap.commands.count("LOGIN") == visits


async def test_the_probe_looks_and_changes_nothing(tools: Tools) -> None:
    async with mailbox() as imap:
        imap.inbox.add(bounce(1))

        async def wrong(**changes: Any) -> list[str]:
            problems = await CHANNEL.probe(settings(imap.port, **changes), tools)
            return [one.path for one in problems if one.path]

        moving = {"after_reading": "move", "done_folder": "Done"}
        assert await wrong() == await wrong(**moving) == []
        assert await wrong(**{**moving, "done_folder": "Nowhere"}) == ["done_folder"]
        imap.capabilities = "IMAP4rev1"
        assert await wrong(**moving) == ["after_reading"]
        assert {one.split()[0] for one in imap.commands} <= {"LOGIN", "CAPABILITY", "EXAMINE", "LOGOUT"}


async def test_the_mailbox_of_these_tests_is_one_for_a_client_that_is_not_ours() -> None:
    async with mailbox() as imap:
        imap.inbox.add(bounce(1))
        client = IMAP4("127.0.0.1", imap.port)
        await client.wait_hello_from_server()
        assert (await client.login(USER, PASSWORD)).result == "OK"
        assert (await client.select("INBOX")).result == "OK"
        assert (await client.uid_search("UID 1:9", charset=None)).lines[0] == b"1"
        fetched = await client.uid("fetch", "1", "(UID BODY.PEEK[]<0.100000>)")
        assert bounce(1) in [bytes(line) for line in fetched.lines]
        assert (await client.logout()).result == "OK"


async def test_polling_keeps_the_contract(tools: Tools) -> None:
    async with mailbox() as imap:
        imap.inbox.add(bounce(1))
        imap.inbox.add(bounce(1, mails.SEVERAL))
        evidence = Evidence(channel=CHANNEL, settings=settings(imap.port), tools=tools)
        assert await findings(evidence, "polls") == []
