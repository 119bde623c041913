"""Asks for the screens of a journey over GraphQL, and compares them with what the facts say."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from server.schema.ids import to_id
from tests.server.schema.api import Api

from .days import beginning_of
from .facts import Asked, Facts, facts_of
from .recounted import Recounted
from .screens import differences, queries, together

QUERIES = tuple(queries())


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody asks for on a screen."""

    journey_id: int = 1
    first: date | None = None
    until: date | None = None
    version: int | None = None
    clock: str = "HAPPENED"

    def variables(self) -> dict[str, Any]:
        period = {name: day.isoformat() for name, day in (("from", self.first), ("until", self.until)) if day}
        return {
            "id": to_id("Journey", self.journey_id),
            "period": period,
            "version": self.version,
            "clock": self.clock,
        }

    def asked(self, zone: str) -> Asked:
        """The same in instants."""
        since = beginning_of(self.first, zone) if self.first else 0
        until = beginning_of(self.until, zone) if self.until else 2**62
        column = {"HAPPENED": "at", "ENTERED": "entered_at"}[self.clock]
        return Asked(self.journey_id, since, until, column, self.version)


async def screens(api: Api, question: Question) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for query in QUERIES:
        found = together(found, (await api.ask(query, **question.variables()))["journey"]["stats"])
    return found


def compare(shown: dict[str, Any], facts: Facts, question: Question, zone: str) -> list[str]:
    return differences(shown, Recounted(facts, question.asked(zone), zone, shown).screens())


async def wrong(api: Api, zone: str, *questions: Question) -> list[str]:
    """Every figure that is not what the facts say, in words."""
    facts = await facts_of(api.world.db)
    found = []
    for question in questions:
        for difference in compare(await screens(api, question), facts, question, zone):
            found.append(f"{question}: {difference}")
    facts.close()
    return found
