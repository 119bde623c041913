"""The life of a journey, every pair of a status and an action."""

from itertools import product

import pytest

from server.journey.status import TRANSITIONS, JourneyAction, JourneyStatus, allowed, follow

EXPECTED = {
    ("draft", "start"): "running",
    ("draft", "archive"): "archived",
    ("draft", "schedule"): "scheduled",
    ("scheduled", "schedule"): "scheduled",
    ("scheduled", "unschedule"): "draft",
    ("scheduled", "start"): "running",
    ("running", "pause"): "paused",
    ("running", "stop"): "finished",
    ("paused", "resume"): "running",
    ("paused", "stop"): "finished",
    ("finished", "archive"): "archived",
}


@pytest.mark.parametrize(("status", "action"), list(product(JourneyStatus, JourneyAction)))
def test_an_action_leads_where_it_should_or_is_not_allowed(
    status: JourneyStatus, action: JourneyAction
) -> None:
    after = follow(status, action)
    assert after == EXPECTED.get((status.value, action.value))
    assert (action in allowed(status)) == (after is not None)


def test_nothing_follows_the_archive_and_what_is_over_never_runs_again() -> None:
    assert allowed(JourneyStatus.ARCHIVED) == []
    over = {JourneyStatus.FINISHED, JourneyStatus.ARCHIVED}
    assert all(after in over for (before, _), after in TRANSITIONS.items() if before in over)
