"""Presets: which days they are, in any year."""

from datetime import date

import pytest

from server.resolvers.periods import days_of


@pytest.mark.parametrize(
    ("preset", "today", "first", "until"),
    [
        ("today", "2024-02-29", "2024-02-29", "2024-03-01"),
        ("yesterday", "2024-03-01", "2024-02-29", "2024-03-01"),
        ("this_week", "2024-03-13", "2024-03-11", "2024-03-14"),
        ("this_week", "2024-03-11", "2024-03-11", "2024-03-12"),
        ("last_week", "2024-03-17", "2024-03-04", "2024-03-11"),
        ("last_week", "2024-01-01", "2023-12-25", "2024-01-01"),
        ("this_month", "2024-03-01", "2024-03-01", "2024-03-02"),
        ("this_month", "2024-12-31", "2024-12-01", "2025-01-01"),
        ("last_month", "2024-03-31", "2024-02-01", "2024-03-01"),
        ("last_month", "2024-01-15", "2023-12-01", "2024-01-01"),
        ("last_7_days", "2024-03-03", "2024-02-26", "2024-03-04"),
        ("last_30_days", "2024-03-30", "2024-03-01", "2024-03-31"),
        ("last_90_days", "2024-03-30", "2024-01-01", "2024-03-31"),
    ],
)
def test_a_preset_is_whole_days_up_to_the_next_midnight(
    preset: str, today: str, first: str, until: str
) -> None:
    found = days_of(preset, date.fromisoformat(today))
    assert found == (date.fromisoformat(first), date.fromisoformat(until))
