"""One run of a subscription for all who ask the same."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import pytest
from strawberry.types.execution import ExecutionResult

from server.routes import telling
from server.routes.telling import Results, Telling
from tests.waiting import until

pytestmark = pytest.mark.anyio


class Source:
    """Says what it is told to say; every run of it begins with the latest."""

    def __init__(self, first: Any = 0) -> None:
        self.latest, self.begun, self.closed = first, 0, 0
        self._more = asyncio.Event()

    async def results(self) -> Results:
        self.begun += 1
        try:
            while True:
                self._more.clear()
                if isinstance(self.latest, Exception):
                    raise self.latest
                if self.latest is None:
                    return
                yield ExecutionResult(data={"n": self.latest}, errors=None)
                await self._more.wait()
        finally:
            self.closed += 1

    async def say(self, latest: Any) -> None:
        self.latest = latest
        self._more.set()
        for _ in range(5):
            await asyncio.sleep(0)


def open_telling(source: Source) -> Telling:
    return Telling(source.results, lambda result: result.data)


async def heard(results: AsyncGenerator[ExecutionResult, None]) -> Any:
    result = await anext(results)
    assert result.data is not None
    return result.data["n"]


async def test_it_runs_once_for_all_and_ends_with_the_last() -> None:
    source = Source()
    one = open_telling(source)
    async with aclosing(one.results()) as first:
        async with aclosing(one.results()) as second:
            assert [await heard(first), await heard(second)] == [0, 0]
            await source.say(1)
            assert [await heard(first), await heard(second)] == [1, 1]
        assert (source.begun, source.closed) == (1, 0)
    assert (source.begun, source.closed) == (1, 1)


async def test_what_has_not_changed_is_not_told_again() -> None:
    source = Source()
    async with aclosing(open_telling(source).results()) as results:
        assert await heard(results) == 0
        await source.say(0)
        await source.say(2)
        assert await heard(results) == 2


async def test_whoever_is_slow_is_told_the_latest_and_holds_up_nobody() -> None:
    source = Source()
    one = open_telling(source)
    async with aclosing(one.results()) as slow, aclosing(one.results()) as quick:
        assert [await heard(slow), await heard(quick)] == [0, 0]
        for number in (1, 2, 3):
            await source.say(number)
            assert await heard(quick) == number
        assert await heard(slow) == 3


async def test_whoever_comes_later_has_it_made_anew_and_the_others_hear_nothing_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(telling, "FRESH_SECONDS", -1)
    source = Source()
    one = open_telling(source)
    async with aclosing(one.results()) as early:
        assert await heard(early) == 0
        async with aclosing(one.results()) as late, aclosing(one.results()) as later:
            waiting = asyncio.gather(heard(late), heard(later))
            assert await waiting == [0, 0]
            await until(lambda: source.begun >= 2)
            await source.say(1)
            assert [await heard(early), await heard(late), await heard(later)] == [1, 1, 1]
    assert source.begun == source.closed


async def test_who_comes_at_once_shares_what_is_being_made() -> None:
    source = Source()
    one = open_telling(source)
    async with aclosing(one.results()) as first, aclosing(one.results()) as second:
        assert await asyncio.gather(heard(first), heard(second)) == [0, 0]
        assert source.begun == 1


async def test_when_it_is_over_it_is_over_for_all() -> None:
    source = Source()
    one = open_telling(source)
    async with aclosing(one.results()) as first, aclosing(one.results()) as second:
        assert [await heard(first), await heard(second)] == [0, 0]
        await source.say(None)
        for results in (first, second):
            with pytest.raises(StopAsyncIteration):
                await anext(results)


async def test_what_goes_wrong_goes_wrong_for_all() -> None:
    source = Source()
    one = open_telling(source)
    async with aclosing(one.results()) as first, aclosing(one.results()) as second:
        assert [await heard(first), await heard(second)] == [0, 0]
        await source.say(OSError("gone"))
        for results in (first, second):
            with pytest.raises(OSError, match="gone"):
                await anext(results)
