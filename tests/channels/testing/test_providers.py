"""The base of the fake providers: faults, reports that come due, and people whose lives are drawn."""

from collections import Counter

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from channels import Reason, ReceiptKind
from channels.testing import NOW
from channels.testing.providers import FakeProvider, Fault, Life, client_of, everybody, lives_of

pytestmark = pytest.mark.anyio
K = ReceiptKind


class Stork(FakeProvider):
    base_url = "https://stork.example"
    observes = frozenset({K.DELIVERED, K.OPENED, K.FAILED})

    async def answer(self, request: Request) -> Response:
        told = await request.json()
        life = self.take(told["id"], told["to"], tag="t")
        return JSONResponse({"refused": life.refused}, 400 if life.refused else 200)


class Crane(Stork):
    base_url = "https://crane.example"


async def send(http: httpx.AsyncClient, number: int = 1, host: str = "stork") -> httpx.Response:
    return await http.post(f"https://{host}.example/send?a=1", json={"id": f"p-{number}", "to": "mina"})


async def test_a_provider_is_the_whole_internet_of_its_client() -> None:
    stork, crane = Stork(lambda: NOW), Crane(lambda: NOW)
    async with client_of(stork, crane) as http:
        assert (await send(http)).status_code == 200
        assert (await send(http, host="crane")).status_code == 200
        with pytest.raises(httpx.ConnectError, match="nobody answers at elsewhere"):
            await http.get("https://elsewhere.example")
    assert stork.taken == crane.taken == {"p-1": "mina"}
    [(method, path, _, body)] = stork.requests
    assert (method, path, body) == ("POST", "/send?a=1", b'{"id":"p-1","to":"mina"}')


async def test_a_fault_befalls_one_request_and_says_what_was_taken_over() -> None:
    faults = [
        Fault(no_connection=True),
        Fault(status=429, headers={"retry-after": "7"}, body=b"slower"),
        Fault(reset_after=True),
    ]
    stork = Stork(lambda: NOW, faults=faults)
    async with client_of(stork) as http:
        with pytest.raises(httpx.ConnectError):
            await send(http)
        assert stork.requests == []
        slower = await send(http)
        assert (slower.status_code, slower.headers["retry-after"], slower.text) == (429, "7", "slower")
        assert stork.taken == {}
        with pytest.raises(httpx.ReadError):
            await send(http)
        assert stork.taken == {"p-1": "mina"}
        assert (await send(http, 2)).status_code == 200


async def test_reports_come_due_once_and_in_order() -> None:
    life = Life(delivered_after=3000, opened_after=9000, clicked_after=10_000)
    stork = Stork(lambda: NOW, lives=everybody(life))
    async with client_of(stork) as http:
        await send(http, 1)
        await send(http, 2)
        await send(http, 2)
    assert stork.next_due_at() == NOW + 3000
    assert stork.due(NOW + 2999) == []
    told = stork.due(NOW + 9000)
    assert [(one.provider_id, one.kind, one.at - NOW) for one in told] == [
        ("p-1", K.DELIVERED, 3000),
        ("p-2", K.DELIVERED, 3000),
        ("p-1", K.OPENED, 9000),
        ("p-2", K.OPENED, 9000),
    ]
    assert len({one.number for one in told}) == 4
    assert dict(told[0].extra) == {"tag": "t"}
    # Clicks are not among what this one observes.
    assert stork.due(NOW + 10**9) == []
    assert stork.next_due_at() is None


async def test_who_fails_later_does_nothing_else() -> None:
    stork = Stork(lambda: NOW, lives=everybody(Life(failed=Reason.UNREACHABLE)))
    async with client_of(stork) as http:
        assert (await send(http)).status_code == 200
    assert [(one.kind, one.reason) for one in stork.due(NOW + 10**9)] == [(K.FAILED, Reason.UNREACHABLE)]


async def test_who_is_refused_is_not_taken_over() -> None:
    stork = Stork(lambda: NOW, lives=everybody(Life(refused=Reason.OPTED_OUT)))
    async with client_of(stork) as http:
        assert (await send(http)).json() == {"refused": "opted_out"}
    assert stork.taken == {}
    assert stork.due(NOW + 10**9) == []


def test_one_that_is_polled_says_so() -> None:
    with pytest.raises(NotImplementedError, match="Stork does not call back: it is polled"):
        Stork(lambda: NOW).callback([], NOW)


def test_the_shares_of_misfortunes_are_kept() -> None:
    refused, failed = {Reason.INVALID_RECIPIENT: 0.1, Reason.OPTED_OUT: 0.05}, {Reason.UNREACHABLE: 0.2}
    life = lives_of(7, refused=refused, failed=failed, opened=0.5, clicked=0.4)
    lives = [life(f"{n}@example.com") for n in range(10_000)]
    count = Counter(one.refused or one.failed for one in lives)
    assert count[Reason.INVALID_RECIPIENT] == pytest.approx(1000, rel=0.15)
    assert count[Reason.OPTED_OUT] == pytest.approx(500, rel=0.15)
    assert count[Reason.UNREACHABLE] == pytest.approx(1700, rel=0.15)
    well = [one for one in lives if not one.refused and not one.failed]
    opened = [one for one in well if one.opened_after is not None]
    assert len(opened) == pytest.approx(len(well) * 0.5, rel=0.1)
    clicked = [one for one in opened if one.clicked_after is not None]
    assert len(clicked) == pytest.approx(len(opened) * 0.4, rel=0.1)


@given(st.text(), st.integers())
def test_a_life_is_a_function_of_seed_and_address(address: str, seed: int) -> None:
    drawn = {"refused": {Reason.EXPIRED: 0.3}, "failed": {Reason.DUPLICATE: 0.3}}
    life = lives_of(seed, **drawn, opened=0.5, clicked=0.5)(address)
    assert life == lives_of(seed, **drawn, opened=0.5, clicked=0.5)(address)
    assert life.refused is None or life.failed is None
    if life.clicked_after is not None:
        assert life.opened_after is not None
        assert life.opened_after < life.clicked_after
