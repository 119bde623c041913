"""Every figure of every screen is what plain SQL over the facts says, whatever has happened."""

from collections.abc import Callable
from datetime import datetime

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test as play

from tests.server.engine.divided import divided_world
from tests.world import open_world

from .histories import ODD, Histories, OpenWorld


def histories(open_it: OpenWorld, zone: str, examples: int) -> None:
    chosen = settings(
        max_examples=examples,
        stateful_step_count=25,
        deadline=None,
        derandomize=True,
        print_blob=True,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    play(lambda: Histories(open_it, zone), settings=chosen)


def _instant(start: str) -> int:
    return int(datetime.fromisoformat(start).timestamp() * 1000)


@pytest.mark.parametrize(("zone", "start"), ODD, ids=[zone for zone, _ in ODD])
def test_every_figure_of_every_screen_is_what_the_facts_say(zone: str, start: str) -> None:
    shards = 1 + ODD.index((zone, start)) % 3
    histories(lambda: divided_world(shards, zone=zone, start=_instant(start)), zone, 1)


@pytest.mark.postgres
def test_so_it_is_on_postgresql(new_postgres_database: Callable[[], str]) -> None:
    zone, start = ODD[0]
    histories(lambda: open_world(new_postgres_database(), zone=zone, start=_instant(start)), zone, 1)
