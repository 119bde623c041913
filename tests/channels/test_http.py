import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels import Deferred, Reason, ReasonClass, Rejected, Tools, Unknown
from channels.http import LONGEST_TEXT, exchange, outcome_of_status, retry_after, told
from channels.testing import NOW

pytestmark = pytest.mark.anyio


def failing(fault: type[httpx.HTTPError] | type[httpx.InvalidURL]) -> httpx.AsyncClient:
    def answer(request: httpx.Request) -> httpx.Response:
        raise fault("why")

    return httpx.AsyncClient(transport=httpx.MockTransport(answer))


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (httpx.ConnectError, Deferred(NOW, Reason.PROVIDER_ERROR, text="why")),
        (httpx.ConnectTimeout, Deferred(NOW, Reason.PROVIDER_ERROR, text="why")),
        (httpx.PoolTimeout, Deferred(NOW, Reason.PROVIDER_ERROR, text="why")),
        (httpx.LocalProtocolError, Deferred(NOW, Reason.REQUEST_INVALID, text="why")),
        (httpx.InvalidURL, Deferred(NOW, Reason.REQUEST_INVALID, text="why")),
        (httpx.ReadTimeout, Unknown(text="why")),
        (httpx.ReadError, Unknown(text="why")),
        (httpx.WriteError, Unknown(text="why")),
        (httpx.RemoteProtocolError, Unknown(text="why")),
        (httpx.TooManyRedirects, Unknown(text="why")),
    ],
)
async def test_only_what_left_can_be_unknown(
    tools: Tools, fault: type[httpx.HTTPError], outcome: Deferred | Unknown
) -> None:
    async with failing(fault) as http:
        assert await exchange(replace(tools, http=http), "GET", "https://a.example") == outcome


@pytest.mark.parametrize("secret", ["s3cret\n", " s3cret", "s3cret\0", "s3cret\r\nx-evil: 1", "비밀s3cret"])
async def test_a_secret_that_no_header_can_carry_is_not_told_and_nothing_has_left(
    tools: Tools, secret: str
) -> None:
    async with open_provider() as (address, heard), httpx.AsyncClient() as http:
        headers = {"authorization": secret}
        outcome = await exchange(replace(tools, http=http), "POST", address, headers=headers)
    assert isinstance(outcome, Deferred)
    assert outcome.reason is Reason.REQUEST_INVALID
    assert "s3cret" not in outcome.text
    assert heard == []


@asynccontextmanager
async def open_provider() -> AsyncIterator[tuple[str, list[bytes]]]:
    """An address where somebody listens, and what was heard there."""
    heard: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if said := await reader.read():
            heard.append(said)
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", heard


async def test_a_body_that_is_no_text_has_not_left(tools: Tools) -> None:
    async with failing(httpx.ReadError) as http:
        outcome = await exchange(replace(tools, http=http), "POST", "https://a.example", json="\ud800")
    assert isinstance(outcome, Deferred)


@pytest.mark.parametrize("status", [200, 302, 404, 500])
async def test_any_answer_is_handed_back_as_it_is(tools: Tools, status: int) -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(status, text=request.content.decode()))
    async with httpx.AsyncClient(transport=transport) as http:
        answer = await exchange(tools, "POST", "https://a.example", http=http, content=b"hello")
    assert isinstance(answer, httpx.Response)
    assert (answer.status_code, answer.text) == (status, "hello")


@given(st.integers(400, 599), st.binary(max_size=50))
def test_every_status_has_an_outcome_and_none_is_acceptance(status: int, body: bytes) -> None:
    outcome = outcome_of_status(httpx.Response(status, content=body), NOW)
    assert isinstance(outcome, Rejected | Deferred | Unknown)
    assert outcome.code == str(status)
    if status >= 500:
        assert not isinstance(outcome, Rejected)
    if isinstance(outcome, Deferred):
        assert outcome.retry_at == NOW


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (400, Rejected(Reason.REQUEST_INVALID, "400", "no")),
        (401, Rejected(Reason.AUTH_FAILED, "401", "no")),
        (402, Rejected(Reason.ACCOUNT_BLOCKED, "402", "no")),
        (408, Deferred(NOW, Reason.PROVIDER_ERROR, "408", "no")),
        (413, Rejected(Reason.CONTENT_INVALID, "413", "no")),
        (429, Deferred(NOW, Reason.RATE_LIMITED, "429", "no")),
        (451, Rejected(Reason.CONTENT_REJECTED, "451", "no")),
        (500, Deferred(NOW, Reason.PROVIDER_ERROR, "500", "no")),
        (502, Unknown(code="502", text="no")),
        (504, Unknown(code="504", text="no")),
    ],
)
def test_a_status_says_who_is_to_blame(status: int, outcome: object) -> None:
    assert outcome_of_status(httpx.Response(status, text="no"), NOW) == outcome
    assert Reason.AUTH_FAILED.policy.reason_class is ReasonClass.SENDER


def test_the_body_says_it_better_where_the_adapter_could_read_it_and_is_cut_where_not() -> None:
    answer = httpx.Response(400, text="x" * 10_000)
    said = outcome_of_status(answer, NOW, code="E7", text="bad")
    assert said == Rejected(Reason.REQUEST_INVALID, "E7", "bad")
    assert len(outcome_of_status(answer, NOW).text) == LONGEST_TEXT


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("17", 17),
        (" 17 ", 17),
        ("0", 0),
        ("", 5),
        ("soon", 5),
        ("-3", 5),
        ("1.5", 5),
        ("9" * 9, 5),
        ("١٧", 5),
    ],
)
def test_retry_after_is_seconds_or_else_the_default(given: str, seconds: int) -> None:
    answer = httpx.Response(429, headers={"retry-after": given.encode()})
    assert retry_after(answer, NOW, 5) == NOW + seconds * 1000


@given(st.integers(-10_000, 10_000_000))
def test_retry_after_as_a_date_is_never_in_the_past(seconds: int) -> None:
    at = datetime.fromtimestamp(NOW / 1000, UTC) + timedelta(seconds=seconds)
    answer = httpx.Response(503, headers={"retry-after": format_datetime(at, usegmt=True)})
    assert retry_after(answer, NOW) == NOW + max(0, seconds) * 1000


def test_an_error_without_words_is_told_by_its_name() -> None:
    assert told(ValueError()) == "ValueError"
    assert told(ValueError("x" * 9999)) == "x" * LONGEST_TEXT
