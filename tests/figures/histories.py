"""Lives as they are drawn for the laws of the engine, with more to be heard of messages, in zones whose days
are odd; and somebody looks at the screens all the while."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import date, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import rule

from channels.contract import ReceiptKind
from server.aggregates import recount
from server.delivery.receipts import HeardReceipt, encode
from server.store import attempts, inbox
from server.store.receipts import key_of
from server.store.tables import Message
from tests.server.engine.test_lives import Lives, people, spans
from tests.world import World

from .comparing import Question, wrong
from .days import on_the_wall

ODD: tuple[tuple[str, str], ...] = (
    ("Asia/Seoul", "2024-03-31T23:50:00+09:00"),
    ("America/New_York", "2024-03-09T23:50:00-05:00"),
    ("Australia/Lord_Howe", "2024-04-06T23:00:00+11:00"),
    ("Asia/Beirut", "2024-03-30T23:58:00+02:00"),
    ("Asia/Kathmandu", "2023-12-31T23:30:00+05:45"),
    ("America/Santiago", "2024-04-06T22:30:00-03:00"),
    ("Pacific/Apia", "2011-12-29T22:00:00-10:00"),
)
"""Zones, and instants shortly before clocks change, a month ends, or a midnight or a day is left out."""

LINKS = ("", *(f"https://shop.example/{name}" for name in "abc"))
KINDS = st.sampled_from(
    ["trapped", "replied", "unsubscribed", "complained", "shown", "interacted", "dismissed", "failed",
     "expired", "skipped", "opened", "clicked", "clicked", "clicked"]
)  # fmt: skip
OpenWorld = Callable[[], AbstractAsyncContextManager[World]]


class Histories(Lives):
    """One journey, its people and operators, and somebody who reads its figures."""

    def __init__(self, open_it: OpenWorld, zone: str) -> None:
        self.zone, self.day = zone, date.min
        super().__init__(open_it)
        self.day = on_the_wall(self.world.clock.now(), zone).date()

    def teardown(self) -> None:
        self.looks(self.question(None, None, None, "HAPPENED"))
        self.looks(self.question(0, 1, None, "HAPPENED"))
        self.looks(self.question(1, None, None, "ENTERED"))
        self.do(self.is_rebuilt())
        self.looks(self.question(1, 2, 1, "HAPPENED"))
        super().teardown()

    # What more is heard, and who looks

    @rule(which=st.integers(0, 50))
    def is_handed_over(self, which: int) -> None:
        messages = self.do(self.world.rows(Message, "id"))
        if messages:
            self.do(self._begin(messages[which % len(messages)]))

    @rule(kinds=st.lists(st.tuples(KINDS, st.sampled_from(LINKS)), min_size=1, max_size=5),
          by=st.sampled_from(["human", "machine", "unsure"]), after=spans,
          apart=st.sampled_from([0, 400, 2000, 20_000]), which=st.integers(0, 50))  # fmt: skip
    def much_is_heard_of_a_message(
        self, kinds: list[tuple[str, str]], by: str, after: int, apart: int, which: int
    ) -> None:
        messages = self.do(self.world.rows(Message, "id"))
        if not messages:
            return
        message = messages[which % len(messages)]
        told = [
            HeardReceipt(message.id, f"{kind}-{url}-{at}", ReceiptKind(kind), at, actor=by, url=url,
                         reason="unreachable" if kind in ("failed", "expired") else "")
            for at, (kind, url) in enumerate_from(message.created_at + after, apart, kinds)
        ]  # fmt: skip
        self.do(self._hear(told))

    @rule(who=people)
    def is_erased(self, who: tuple[str | None, str | None]) -> None:
        identity = {"userId": who[0]} if who[0] else {"anonymousId": who[1]}
        self.change("eraseUser", identity=identity)

    @rule(
        first=st.one_of(st.none(), st.integers(-1, 8)),
        days=st.one_of(st.none(), st.integers(1, 40)),
        version=st.sampled_from([None, None, 1, 2]),
        clock=st.sampled_from(["HAPPENED", "ENTERED"]),
    )
    def somebody_looks(self, first: int | None, days: int | None, version: int | None, clock: str) -> None:
        self.looks(self.question(first, days, version, clock))

    def question(self, first: int | None, days: int | None, version: int | None, clock: str) -> Question:
        since = None if first is None else self.day + timedelta(days=first)
        until = None if days is None else self.day + timedelta(days=(first or 0) + days)
        return Question(first=since, until=until, version=version, clock=clock)

    def looks(self, question: Question) -> None:
        found = self.do(wrong(self.api, self.zone, question))
        assert not found, "\n".join(["Wrong figures:", *found[:30]])

    async def is_rebuilt(self) -> None:
        async with self.world.db.write() as session:
            await recount.rebuild(session)

    async def _begin(self, message: Message) -> None:
        async with self.world.db.write() as session:
            now = self.world.clock.now()
            await attempts.begin(session, message.shard, [message.id], now, when_due=False)

    async def _hear(self, told: list[HeardReceipt]) -> None:
        entries = [
            inbox.Entry(
                key_of(one.message_id)[0], self.world.project_id, inbox.RECEIPT, encode(one), one.occurred_at
            )
            for one in told
        ]
        async with self.world.db.write() as session:
            await inbox.append(session, entries)
        await self.world.settle()

    # What holds at the end need not be looked at after every move: the laws have tests of their own.

    def everybody_inside_has_a_future_and_everybody_else_an_end(self) -> None:
        """Left out."""

    def nobody_is_lost_and_every_figure_can_be_counted_again(self) -> None:
        """Left to the end."""


def enumerate_from(start: int, apart: int, what: list[tuple[str, str]]) -> list[tuple[int, tuple[str, str]]]:
    return [(start + place * apart, one) for place, one in enumerate(what)]
