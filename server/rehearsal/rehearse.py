"""One rehearsal from its plan to what came of it."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event

from server.aggregates.ask import Answer
from server.aggregates.metrics import Metric
from server.clock import Instant
from server.loaders import Figures

from .performance import Performance
from .plan import Plan
from .stage import open_stage
from .traces import MessageTrace, PersonTrace, account_of


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What came of a rehearsal: everybody's way, and the figures as the journey's canvas would show them."""

    plan: Plan
    reached_at: Instant
    """How far it came: the plan's end, unless its wall time was over before."""
    is_complete: bool
    people: list[PersonTrace]
    figures: Figures
    troubles: list[str]
    """What the engine had to put aside. A sound journey has none."""

    def __getitem__(self, name: str) -> PersonTrace:
        """The person of that name. Raises KeyError."""
        found = next((one for one in self.people if one.name == name), None)
        if found is None:
            raise KeyError(f"Nobody in this rehearsal is called {name!r}.")
        return found

    @property
    def answer(self) -> Answer:
        return self.figures.answer

    @property
    def entries(self) -> int:
        return self.answer.total(Metric.ENTRIES)

    @property
    def inside(self) -> int:
        return self.answer.inside_now()

    @property
    def ended(self) -> dict[str, int]:
        """How many runs ended, by reason."""
        return self.answer.by_reason(Metric.ENDED)

    @property
    def refused(self) -> dict[str, int]:
        """How many entries were refused, by reason."""
        return self.answer.by_reason(Metric.REFUSED)

    @property
    def reached(self) -> dict[str, int]:
        """How many runs reached each goal."""
        found: dict[str, int] = {}
        for count in self.answer.of(Metric.REACHED):
            found[count.output] = found.get(count.output, 0) + count.n
        return found

    def arrivals(self, step_key: str) -> int:
        return self.answer.total(Metric.ARRIVALS, step_key)

    def waiting(self, step_key: str) -> int:
        return self.answer.waiting_now(step_key)

    def passed(self, step_key: str, output: str | None = None) -> int:
        """How many runs left a step, by this output or by any."""
        return self.answer.total(Metric.LEFT, step_key, output=output)

    @property
    def messages(self) -> list[MessageTrace]:
        return [message for person in self.people for message in person.messages]

    def sent(self, step_key: str | None = None) -> int:
        """How many messages the stand-ins took over."""
        return self.answer.total(Metric.SENT, step_key)


async def rehearse(plan: Plan, stop: Event | None = None) -> Rehearsed:
    """Plays a plan whose graph is sound. Nothing of it reaches anybody, and nothing stays.

    With `stop`, another thread can end it where it is.
    """
    async with open_stage(plan) as stage:
        performance = Performance(stage, stop or Event())
        await performance.play()
        account = await account_of(stage)
        return Rehearsed(
            plan=plan,
            reached_at=performance.reached_at,
            is_complete=performance.is_complete,
            people=account.people,
            figures=account.figures,
            troubles=account.troubles,
        )


def rehearse_apart(plan: Plan) -> Rehearsed:
    """The same in a thread and a loop of its own, for callers that have no loop to wait in."""
    with ThreadPoolExecutor(1, "rehearsal") as pool:
        return pool.submit(asyncio.run, rehearse(plan)).result()
