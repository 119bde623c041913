import email
import email.policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from channels import Message, Reason
from channels.email.letter import Letter, Unwritable, check_mailbox, write_letter
from tests.channels.builders import a_message

ANY_CHARACTER = st.characters(exclude_categories=["Cs"])
ONE_LINE = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=200)


def write(message: Message, from_name: str = "") -> Letter:
    return write_letter(message, from_address="hello@shop.example", from_name=from_name)


def read(letter: Letter) -> EmailMessage:
    return email.message_from_bytes(letter.data, policy=email.policy.default)


def name_of(letter: Letter) -> str:
    # The newer parser of the standard library puts blanks between the encoded words of a name.
    name, _ = parseaddr(email.message_from_bytes(letter.data)["From"])
    return str(make_header(decode_header(name)))


def body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    content = part.get_content()
    assert isinstance(content, str)
    return content


def as_lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n").split("\n")


@settings(deadline=None)
@given(subject=ONE_LINE, name=ONE_LINE)
@example(subject="=?utf-8?q?hi?=", name="=?utf-8?q?hi?=")
@example(subject="two  blanks ", name='"quoted", \\ and <odd>')
def test_any_subject_and_name_arrive_unchanged(subject: str, name: str) -> None:
    letter = write(a_message(subject=subject), from_name=name)
    mail = read(letter)
    assert mail["Subject"] == subject
    assert mail["From"].addresses[0].addr_spec == "hello@shop.example"
    assert name_of(letter).strip() == name.strip()


BODY_CONTROLS = {*range(32), 127} - set(b"\t\r\n")


@settings(deadline=None)
@example(text="a\0b\x7f", html="\x1b[0m")
@given(text=st.text(ANY_CHARACTER, min_size=1, max_size=500), html=st.text(ANY_CHARACTER, min_size=1))
def test_any_body_arrives_unchanged_but_for_its_line_ends(text: str, html: str) -> None:
    letter = write(a_message(text=text, html=html))
    assert letter.data.isascii()
    assert not BODY_CONTROLS & set(letter.data)
    assert max(map(len, letter.data.split(b"\r\n"))) <= 998
    mail = read(letter)
    assert as_lines(body(mail, "plain")) == as_lines(text)
    assert as_lines(body(mail, "html")) == as_lines(html)


BREAKS = st.sampled_from(["\r\n", "\n", "\r", "\r\n\r\n", "\0", "\x0b", "\x1c"])


@settings(deadline=None)
@given(
    field=st.sampled_from(["subject", "from_name", "from_address", "reply_to", "to", "header", "name"]),
    before=ONE_LINE,
    line_break=BREAKS,
)
def test_a_line_break_in_a_header_never_gets_out(field: str, before: str, line_break: str) -> None:
    hostile = f"{before}{line_break}Bcc: victim@example.com"
    headers = {"header": {"X-Note": hostile}, "name": {hostile: "x"}}.get(field)
    content: dict[str, Any] = (
        {field: hostile} if field in ("subject", "from_name", "from_address", "reply_to") else {}
    )
    to = hostile if field == "to" else "mina@example.com"
    with pytest.raises(Unwritable) as caught:
        write(a_message(to=to, headers=headers, **content))
    assert "\n" not in str(caught.value)


def test_headers_that_would_add_people_or_change_ours_are_refused() -> None:
    for name in ("Bcc", "cc", "Resent-To", "Content-Type", "Message-ID", "From"):
        with pytest.raises(Unwritable):
            write(a_message(headers={name: "x@example.com"}))


def test_a_long_unsubscribe_address_stays_in_one_piece() -> None:
    link = "<https://shop.example/t/" + "a1b2c3" * 60 + ">"
    headers = {"List-Unsubscribe": link, "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    letter = write(a_message(headers=headers))
    assert b"List-Unsubscribe: " + link.encode() + b"\r\n" in letter.data
    assert read(letter)["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_text_and_html_are_alternatives_and_html_comes_last() -> None:
    mail = read(write(a_message(html="<p>안녕하세요</p>")))
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]


def test_the_message_id_is_the_same_at_every_attempt_and_tells_messages_apart() -> None:
    first = write(a_message("01J-abc", sent_at=1))
    assert first.message_id == write(a_message("01J-abc", sent_at=2)).message_id == "01J-abc@shop.example"
    strange = write(a_message("a reference > with @ signs"))
    assert read(strange)["Message-ID"] == f"<{strange.message_id}>"
    assert strange.message_id != write(a_message("a reference > with @ signs!")).message_id


def test_the_date_is_when_it_was_sent() -> None:
    assert read(write(a_message(sent_at=1_767_225_600_000)))["Date"] == "Thu, 01 Jan 2026 00:00:00 +0000"


def test_an_international_domain_travels_in_ascii() -> None:
    assert write(a_message(to="mina@한국.kr")).recipient == "mina@xn--3e0b707e.kr"
    assert not write(a_message(to="mina@한국.kr")).needs_utf8
    assert write(a_message(to="미나@example.com")).needs_utf8


@pytest.mark.parametrize(
    "address", ["", "mina", "@example.com", "a b@example.com", "a@b@c..d", "a@-b", "a@b>"]
)
def test_a_malformed_address_is_told_apart(address: str) -> None:
    with pytest.raises(ValueError):
        check_mailbox(address)
    with pytest.raises(Unwritable) as caught:
        write(a_message(to=address))
    assert caught.value.reason is Reason.INVALID_RECIPIENT


def test_an_empty_letter_is_refused() -> None:
    with pytest.raises(Unwritable, match="neither text nor html"):
        write(a_message(text=""))
