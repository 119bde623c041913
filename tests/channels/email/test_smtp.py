import asyncio
import email
import email.policy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from channels import Accepted, Deferred, Outcome, Reason, Rejected, Tools, Unknown
from channels.email.conversation import SmtpSender
from channels.email.smtp import SmtpChannel, SmtpSettings
from channels.testing import check_channel
from channels.testing.check import NOW
from tests.channels.builders import a_message
from tests.channels.email.servers import DROP, EHLO, certificate, scripted, well_behaved

pytestmark = pytest.mark.anyio


def settings(port: int, **changes: Any) -> SmtpSettings:
    usual = {"host": "127.0.0.1", "port": port, "security": "none", "from_address": "hello@shop.example"}
    return SmtpSettings(**{**usual, "timeout_seconds": 5, **changes})


@asynccontextmanager
async def sending(tools: Tools, port: int, **changes: Any) -> AsyncIterator[SmtpSender]:
    sender = SmtpChannel().open(settings(port, **changes), tools)
    try:
        yield sender
    finally:
        await sender.aclose()


async def send_to(tools: Tools, port: int, **changes: Any) -> Outcome:
    async with sending(tools, port, **changes) as sender:
        return await sender.send(a_message())


@pytest.fixture
async def dead_port() -> int:
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = int(server.sockets[0].getsockname()[1])
    server.close()
    await server.wait_closed()
    return port


async def test_a_korean_letter_arrives_as_it_was_written(tools: Tools) -> None:
    async with well_behaved() as room, sending(tools, room.port, from_name="가게") as sender:
        message = a_message(subject="오늘의 할인 🎉", text="안녕하세요\n.\n끝", html="<p>안녕하세요</p>")
        outcome = await sender.send(message)
    assert outcome == Accepted("m-1@shop.example", "250", "2.0.0 queued")
    [envelope] = room.envelopes
    assert (envelope.mail_from, envelope.rcpt_tos) == ("hello@shop.example", ["mina@example.com"])
    content = envelope.original_content
    assert content is not None
    mail = email.message_from_bytes(content, policy=email.policy.default)
    assert mail["Subject"] == "오늘의 할인 🎉"
    assert str(mail["From"]) == "가게 <hello@shop.example>"
    part = mail.get_body(("plain",))
    assert part is not None
    assert part.get_content().split() == ["안녕하세요", ".", "끝"]


async def test_lines_that_begin_with_a_dot_do_not_end_the_letter(tools: Tools) -> None:
    async with well_behaved() as room, sending(tools, room.port) as sender:
        await sender.send(a_message(text="one\n.\n..two\nthree"))
    [envelope] = room.envelopes
    assert envelope.original_content is not None
    assert envelope.original_content.endswith(b"\r\n\r\none\r\n.\r\n..two\r\nthree\r\n")


async def test_many_letters_share_a_few_connections(tools: Tools) -> None:
    async with well_behaved() as room, sending(tools, room.port, pool_size=3) as sender:
        outcomes = await asyncio.gather(*(sender.send(a_message(f"m-{n}")) for n in range(60)))
    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
    assert len(room.envelopes) == 60
    assert len(room.peers) == 3


async def test_a_connection_is_left_after_its_share_of_letters(tools: Tools) -> None:
    async with scripted() as server, sending(tools, server.port, messages_per_connection=2) as sender:
        for n in range(5):
            await sender.send(a_message(f"m-{n}"))
    assert server.connections == 3


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ({"RCPT": "550 5.1.1 who"}, Rejected(Reason.INVALID_RECIPIENT, "550", "5.1.1 who")),
        ({"RCPT": "452 4.2.2 full"}, Deferred(NOW + 1_800_000, Reason.UNREACHABLE, "452", "4.2.2 full")),
        ({"MAIL": "421 4.3.2 bye"}, Deferred(NOW + 60_000, Reason.PROVIDER_ERROR, "421", "4.3.2 bye")),
        ({"DATA": "451 later"}, Deferred(NOW + 60_000, Reason.PROVIDER_ERROR, "451", "later")),
        ({"DOT": "554 5.7.1 spam"}, Rejected(Reason.CONTENT_REJECTED, "554", "5.7.1 spam")),
        ({"DOT": "450 4.7.1 slow"}, Deferred(NOW + 300_000, Reason.RATE_LIMITED, "450", "4.7.1 slow")),
        ({"DOT": "250 2.0.0 as 4F1A"}, Accepted("m-1@shop.example", "250", "2.0.0 as 4F1A")),
        ({"CONNECT": "554 go away"}, Deferred(NOW + 900_000, Reason.SENDER_INVALID, "554", "go away")),
        ({"EHLO": "550 go away"}, Deferred(NOW + 900_000, Reason.SENDER_INVALID, "550", "go away")),
    ],
)
async def test_what_the_server_answers_is_kept(
    tools: Tools, answers: dict[str, str], outcome: Outcome
) -> None:
    async with scripted(**answers) as server:
        assert await send_to(tools, server.port) == outcome


@pytest.mark.parametrize("where", ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA"])
async def test_a_connection_lost_before_the_letter_left_is_deferred(tools: Tools, where: str) -> None:
    async with scripted(**{where: DROP}) as server:
        outcome = await send_to(tools, server.port)
    assert isinstance(outcome, Deferred)
    assert outcome.reason is Reason.PROVIDER_ERROR
    assert server.letters == []


@pytest.mark.parametrize("answer", [DROP, "what?", "354 go on"])
async def test_no_sound_answer_after_the_letter_left_is_unknown(tools: Tools, answer: str | None) -> None:
    async with scripted(DOT=answer) as server:
        outcome = await send_to(tools, server.port)
    assert isinstance(outcome, Unknown)
    assert outcome.reason is Reason.OUTCOME_UNKNOWN
    assert len(server.letters) == 1


async def test_an_answer_that_does_not_come_in_time_is_unknown(tools: Tools) -> None:
    async with scripted(DOT="250-half an answer") as server:
        outcome = await send_to(tools, server.port, acceptance_timeout_seconds=0.05)
    assert isinstance(outcome, Unknown)


async def test_a_server_that_says_nothing_is_deferred(tools: Tools) -> None:
    async with scripted(CONNECT="220-half an answer") as server:
        outcome = await send_to(tools, server.port, timeout_seconds=0.05)
    assert isinstance(outcome, Deferred)
    assert outcome.reason is Reason.PROVIDER_ERROR


async def test_nobody_listening_is_deferred(tools: Tools, dead_port: int) -> None:
    outcome = await send_to(tools, dead_port)
    assert isinstance(outcome, Deferred)
    assert (outcome.reason, outcome.retry_at) == (Reason.PROVIDER_ERROR, NOW + 60_000)


@pytest.mark.parametrize("farewell", [DROP, "421 4.4.2 idle for too long"])
async def test_a_kept_connection_that_died_is_replaced_unnoticed(tools: Tools, farewell: str | None) -> None:
    async with scripted(MAIL=["250 ok", farewell]) as server, sending(tools, server.port) as sender:
        outcomes = [await sender.send(a_message(f"m-{n}")) for n in range(2)]
    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
    assert (server.connections, len(server.letters)) == (2, 2)


async def test_a_lost_answer_on_a_kept_connection_is_not_sent_again(tools: Tools) -> None:
    async with scripted(DOT=["250 ok", DROP]) as server, sending(tools, server.port) as sender:
        await sender.send(a_message("m-1"))
        outcome = await sender.send(a_message("m-2"))
    assert isinstance(outcome, Unknown)
    assert len(server.letters) == 2


async def test_a_refusal_leaves_the_connection_clean_for_the_next(tools: Tools) -> None:
    async with scripted(RCPT=["550 5.1.1 who"]) as server, sending(tools, server.port) as sender:
        await sender.send(a_message("m-1"))
        assert isinstance(await sender.send(a_message("m-2")), Accepted)
    assert server.connections == 1
    assert "RSET" in server.commands


async def test_a_cancelled_send_takes_its_connection_along(tools: Tools) -> None:
    async with scripted(DOT=["250-half an answer"]) as server, sending(tools, server.port) as sender:
        task = asyncio.create_task(sender.send(a_message("m-1")))
        await server.letter_came.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert isinstance(await sender.send(a_message("m-2")), Accepted)
    assert server.connections == 2


async def test_after_closing_nothing_is_sent(tools: Tools) -> None:
    async with scripted() as server:
        sender = SmtpChannel().open(settings(server.port), tools)
        await sender.send(a_message())
        await sender.aclose()
        await sender.aclose()
        assert isinstance(await sender.send(a_message("m-2")), Deferred)
    assert "QUIT" in server.commands
    assert len(server.letters) == 1


async def test_closing_while_an_answer_is_awaited_leaves_the_outcome_unknown(tools: Tools) -> None:
    async with scripted(DOT="250-half an answer") as server, sending(tools, server.port) as sender:
        task = asyncio.create_task(sender.send(a_message()))
        await server.letter_came.wait()
        await sender.aclose()
        assert isinstance(await task, Unknown)


async def test_a_line_break_in_the_subject_is_refused_before_anyone_is_asked(tools: Tools) -> None:
    async with scripted() as server, sending(tools, server.port) as sender:
        outcome = await sender.send(a_message(subject="Hi\r\nBcc: all@example.com"))
    assert isinstance(outcome, Rejected)
    assert outcome.reason is Reason.CONTENT_INVALID
    assert server.connections == 0


async def test_an_international_address_needs_a_server_that_can(tools: Tools) -> None:
    message = a_message(to="미나@example.com")
    async with scripted() as server, sending(tools, server.port) as sender:
        assert isinstance(await sender.send(message), Accepted)
    assert any("SMTPUTF8" in command for command in server.commands)
    async with scripted(EHLO="250 old") as server, sending(tools, server.port) as sender:
        outcome = await sender.send(message)
    assert isinstance(outcome, Rejected)
    assert outcome.reason is Reason.NOT_ON_CHANNEL


async def test_when_starttls_is_stripped_not_even_the_login_is_sent(tools: Tools) -> None:
    async with scripted(EHLO=EHLO.replace("250 SMTP", "250-AUTH PLAIN\r\n250 SMTP")) as server:
        outcome = await send_to(
            tools, server.port, security="starttls", username="shop", password="correct horse"
        )
    assert isinstance(outcome, Deferred)
    assert outcome.reason is Reason.AUTH_FAILED
    assert [command.split()[0] for command in server.commands] in (["EHLO"], ["EHLO", "QUIT"])


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_over_tls_with_a_login(tools: Tools, tmp_path: Path, security: str) -> None:
    context, trusted = certificate(tmp_path)
    login = {"username": "shop", "password": "correct horse", "security": security, "ca_file": str(trusted)}
    async with well_behaved(context, implicit_tls=security == "tls") as room:
        assert isinstance(await send_to(tools, room.port, **login), Accepted)
        assert await SmtpChannel().probe(settings(room.port, **login), tools) == []
        assert len(room.envelopes) == 1
        wrong = {**login, "password": "battery staple"}
        outcome = await send_to(tools, room.port, **wrong)
        [problem] = await SmtpChannel().probe(settings(room.port, **wrong), tools)
    assert isinstance(outcome, Deferred)
    assert (outcome.reason, outcome.code) == (Reason.AUTH_FAILED, "535")
    assert problem.message.startswith("535")
    assert "battery" not in repr(outcome) + repr(problem)


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(
    tools: Tools, tmp_path: Path, security: str
) -> None:
    context, _ = certificate(tmp_path)
    async with well_behaved(context, implicit_tls=security == "tls") as room:
        outcome = await send_to(
            tools, room.port, security=security, username="shop", password="correct horse"
        )
    assert isinstance(outcome, Deferred)
    assert outcome.reason is Reason.AUTH_FAILED
    assert "certificate" in outcome.text.lower()
    assert room.logins == []


async def test_it_keeps_the_contract(tools: Tools, dead_port: int) -> None:
    async with well_behaved() as room:
        await check_channel(
            SmtpChannel(),
            settings(room.port),
            tools=tools,
            message=a_message(),
            unreachable=settings(dead_port, username="shop", password="correct horse"),
        )


def test_settings_name_what_is_wrong_without_repeating_the_password() -> None:
    channel = SmtpChannel()
    assert channel.problems(settings(2525)) == []
    paths = [
        p.path
        for p in channel.problems(settings(465, host="mail.example.com", username="x", security="none"))
    ]
    assert paths == ["password", "security"]
    assert [p.path for p in channel.problems(settings(465, password="pw", security="starttls"))] == [
        "username",
        "security",
    ]
    with pytest.raises(ValidationError) as caught:
        settings(2525, from_address="nobody", password=["hunter2"])
    assert "hunter2" not in str(caught.value)
    assert "name@example.com" in str(caught.value)
    assert "hunter2" not in repr(settings(2525, password=SecretStr("hunter2")))
