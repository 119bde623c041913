"""Bounces as servers of several makes write them, with our token in them or without. All of it is made up."""

from email.message import EmailMessage

RETURNED = """\
Return-Path: <{sender}>
From: Shop <hello@shop.example>
To: mina@example.com
Subject: Hello
Message-ID: <1-0-42@shop.example>
X-Sojourn-Reference: {token}
"""


def report(
    fields: str, *, sender: str, token: str = "", words: str = "It could not be delivered.", head: str = ""
) -> bytes:
    """A report as RFC 3464 has it, for the envelope sender that the letter left with."""
    lines = f"""\
Return-Path: <>
From: MAILER-DAEMON@mx.example.com (Mail Delivery System)
To: {sender}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
Date: Wed, 31 Dec 2025 23:00:00 +0000
MIME-Version: 1.0
{head}Content-Type: multipart/report; report-type=delivery-status; boundary="B1"

--B1
Content-Type: text/plain; charset=us-ascii

{words}

--B1
Content-Type: message/delivery-status

{fields}

--B1
Content-Type: message/rfc822

{RETURNED.format(sender=sender, token=token)}
Good morning
--B1--
"""
    return lines.replace("\n", "\r\n").encode()


POSTFIX = """\
Reporting-MTA: dns; mx.shop.example
X-Postfix-Queue-ID: 4F1A2B3C
X-Postfix-Sender: rfc822; bounces@shop.example
Arrival-Date: Wed, 31 Dec 2025 21:59:58 +0000 (UTC)

Final-Recipient: rfc822; mina@example.com
Original-Recipient: rfc822;mina@example.com
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.example.com
Diagnostic-Code: smtp; 550 5.1.1 <mina@example.com>: Recipient address rejected:
    User unknown in virtual mailbox table"""
POSTFIX_DELAYED = """\
Reporting-MTA: dns; mx.shop.example

Final-Recipient: rfc822; mina@example.com
Action: delayed
Status: 4.4.1
Diagnostic-Code: X-Postfix; connect to mx.example.com[192.0.2.7]:25: Connection timed out
Will-Retry-Until: Mon, 5 Jan 2026 22:00:00 +0000 (UTC)"""
GMAIL = """\
Reporting-MTA: dns; mail.example.net
Arrival-Date: Wed, 31 Dec 2025 14:22:01 -0800 (PST)
X-Original-Message-ID: <1-0-42@shop.example>

Final-Recipient: rfc822; mina@example.com
Action: failed
Status: 5.2.2
Remote-MTA: dns; mx.example.net. (192.0.2.26, the server for the domain.)
Diagnostic-Code: smtp; 552-5.2.2 The recipient's inbox is out of storage space and inactive.
 552-5.2.2 Please direct the recipient elsewhere. 552 5.2.2 a1b2c3
Last-Attempt-Date: Wed, 31 Dec 2025 14:22:03 -0800 (PST)"""
EXCHANGE = """\
Reporting-MTA: dns;SE1P216MB0001.KORP216.PROD.EXAMPLE.COM
Received-From-MTA: dns;mx.shop.example
Arrival-Date: Wed, 31 Dec 2025 22:10:00 +0000

Final-Recipient: rfc822;mina@example.com
Action: failed
Status: 5.1.10
Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup
X-Display-Name: Mina"""
EXIM = """\
Reporting-MTA: dns; exim.example.com

Action: failed
Final-Recipient: rfc822;mina@example.com
Status: 5.0.0
Remote-MTA: dns; mx.example.com
Diagnostic-Code: smtp; 554 5.7.1 Service unavailable; client host blocked using a block list"""
SEVERAL = """\
Reporting-MTA: dns; lists.example.com

Original-Recipient: rfc822;team@example.com
Final-Recipient: rfc822;mina@example.com
Action: failed
Status: 5.1.1

Final-Recipient: rfc822;jun@example.com
Action: delivered
Status: 2.1.5

Final-Recipient: rfc822;bo@example.com
Action: relayed (to a gateway)
Status: 2.0.0"""


def plain(
    text: str,
    *,
    sender: str,
    subject: str = "failure notice",
    writer: str = "MAILER-DAEMON@mx.example.com",
    charset: str = "us-ascii",
    subtype: str = "plain",
    **headers: str,
) -> bytes:
    """A mail of one part, in the charset and transfer encoding that its server likes."""
    mail = EmailMessage()
    mail["Return-Path"] = "<>"
    mail["From"] = writer
    mail["To"] = sender
    mail["Subject"] = subject
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text, subtype=subtype, charset=charset)
    return mail.as_bytes()


QMAIL = """\
Hi. This is the qmail-send program at mx.example.com.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<mina@example.com>:
192.0.2.26 does not like recipient.
Remote host said: 550 5.1.1 <mina@example.com>: no such user here
Giving up on 192.0.2.26.

--- Below this line is a copy of the message.

Return-Path: <hello@shop.example>
Subject: 5.7.1 spam spam
"""
EXIM_PLAIN = """\
This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  mina@example.com
    SMTP error from remote mail server after end of data:
    host mx.example.com [192.0.2.26]: 552 5.3.4 Message size exceeds fixed limit

------ This is a copy of your message, including all the headers. ------
"""
EXIM_WAITS = """\
This message was created automatically by mail delivery software.
A message that you sent has not yet been delivered to one or more of its
recipients after more than 24 hours on the queue on mx.example.com.

No action is required on your part. Delivery attempts will continue for
some time, and this warning may be repeated.
"""
KOREAN = """\
메일을 보내지 못했습니다.

받는사람: mina@example.com
사유: 존재하지 않는 사용자입니다. 주소를 확인하신 후 다시 보내 주십시오.
발송 시간: 2025-12-31 23:00:00

----- 원본 메일 -----
스팸 차단
"""
KOREAN_FULL = """\
<html><head><style>p { color: red }</style></head><body>
<h1>메일 발송 실패 안내</h1><p>수신자의 메일함 <b>용량</b>이 초과되어 메일을 전송하지 못하였습니다.</p>
</body></html>
"""


def complaint(kind: str, *, sender: str, token: str = "", redacted: bool = False) -> bytes:
    """A report of RFC 5965, with the mail it is about; redacted ones leave the addresses out."""
    original = "" if redacted else f"Original-Mail-From: <{sender}>\n"
    return f"""\
From: feedback@isp.example
To: abuse@shop.example
Subject: FW: Hello
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="B1"

--B1
Content-Type: text/plain; charset="US-ASCII"

This is an email abuse report.

--B1
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: SomeGenerator/1.0
Version: 1
{original}Original-Rcpt-To: <victim@example.com>
Received-Date: Wed, 31 Dec 2025 22:00:00 +0000
Source-IP: 192.0.2.1

--B1
Content-Type: message/rfc822
Content-Disposition: inline

From: Shop <hello@shop.example>
Subject: Hello
X-Sojourn-Reference: {token}

Good morning
--B1--
""".encode()


VACATION = """\
I am out of the office until 5 January. Error 550 5.1.1 is my favourite number.
"""
