from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels import Reason
from channels.codes import load, read
from channels.host import build_host

HEAD = "# version: 2026-11-22\n# source: their page\n\ncode,reason,meaning\n"
TABLE = read(
    HEAD + "100,invalid_recipient,No such number\n1*,unreachable,All that begin with 1\n"
    "13*,expired,Too late\nspam_*,content_rejected,\n"
)


def test_a_table_knows_its_version_its_source_and_what_each_code_means() -> None:
    assert (TABLE.version, TABLE.source) == ("2026-11-22", "their page")
    assert TABLE.meanings["100"] == "No such number"
    assert TABLE.knows(100)
    assert not TABLE.knows("131")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("100", Reason.INVALID_RECIPIENT),
        (100, Reason.INVALID_RECIPIENT),
        ("1000", Reason.UNREACHABLE),
        ("1", Reason.UNREACHABLE),
        ("13", Reason.EXPIRED),
        ("1399", Reason.EXPIRED),
        ("spam_link", Reason.CONTENT_REJECTED),
        ("2", Reason.UNKNOWN),
        ("", Reason.UNKNOWN),
    ],
)
def test_a_code_has_the_reason_of_its_line_or_of_its_longest_range(code: str | int, reason: Reason) -> None:
    assert TABLE.reason(code) is reason


def test_what_no_line_covers_has_the_reason_that_the_caller_chose() -> None:
    assert TABLE.reason("999", Reason.PROVIDER_ERROR) is Reason.PROVIDER_ERROR


@given(st.text())
def test_every_text_is_a_code_with_a_reason(code: str) -> None:
    ranges = [one for one in ("13", "1", "spam_") if code.startswith(one)]
    expected = {"13": Reason.EXPIRED, "1": Reason.UNREACHABLE, "spam_": Reason.CONTENT_REJECTED}
    if code != "100":
        assert TABLE.reason(code) is (expected[ranges[0]] if ranges else Reason.UNKNOWN)


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("code,reason,meaning\n1,unknown,\n", "wants lines `# version"),
        ("# version: 1\ncode,reason,meaning\n1,unknown,\n", "wants lines `# version"),
        (HEAD + "1,no_such_reason,\n", "code '1' wants one of our reasons, found 'no_such_reason'"),
        (HEAD + "1\n", "found ''"),
        (HEAD + ",unknown,\n", "code ''"),
        (HEAD + "1,unknown,\n1,expired,\n", "the code '1' is there twice"),
        (HEAD + "1*,unknown,\n1*,expired,\n", "the code '1*' is there twice"),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_its_line(text: str, finding: str) -> None:
    with pytest.raises(ValueError) as caught:
        read(text, "codes.csv")
    assert finding in str(caught.value)
    assert "codes.csv" in str(caught.value)


def test_a_table_is_read_once_from_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "talking_birds"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "codes.csv").write_text(HEAD + "1,expired,만료\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    table = load("talking_birds", "codes.csv")
    assert table.reason(1) is Reason.EXPIRED
    assert table.meanings == {"1": "만료"}
    assert load("talking_birds", "codes.csv") is table


@pytest.mark.parametrize(
    ("key", "code", "reason"),
    [
        ("ses", "Bounce/Permanent/General", Reason.INVALID_RECIPIENT),
        ("ses", "TooManyRequestsException", None),
        ("sendgrid", "bounce/Mailbox Unavailable", Reason.UNREACHABLE),
        ("sendgrid", "400", None),
        ("apns", "Unregistered", Reason.INVALID_RECIPIENT),
        ("fcm", "UNREGISTERED", Reason.INVALID_RECIPIENT),
        ("web_push", "410", Reason.INVALID_RECIPIENT),
        ("nhn_alimtalk", "-1000", Reason.AUTH_FAILED),
        ("nhn_alimtalk", "1003", Reason.SENDER_INVALID),
        ("sens_alimtalk", "1003", Reason.SENDER_INVALID),
        ("solapi_alimtalk", "1013", Reason.CONTENT_INVALID),
        ("fake", "1003", None),
    ],
)
def test_adapters_read_codes_that_were_kept_again(key: str, code: str, reason: Reason | None) -> None:
    channel = build_host(discover=False).channels[key]
    assert channel.reason_of(code) is reason
    assert channel.reason_of("no-code-of-anybody") is None
