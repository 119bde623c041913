"""A later release reads what an earlier one has saved: step by step, and whole."""

from dataclasses import fields
from hashlib import sha256
from typing import Any

import pytest

from server.cohorts import stored
from server.cohorts.definition import RETENTION_7_DAYS, Act, Breakdown, Days, Definition, SegmentFilter
from server.cohorts.stored import from_data, to_data
from server.errors import BadInput

SHAPES = {1: "723daa"}
"""By version: the beginning of a digest of the names of all fields. A version is only ever added."""


def shape() -> str:
    named = [
        (kind.__name__, *(field.name for field in fields(kind)))
        for kind in (Definition, Act, Days, SegmentFilter, Breakdown)
    ]
    return sha256(repr(named).encode()).hexdigest()[:6]


def test_whoever_changes_what_is_stored_gives_it_another_version() -> None:
    """And a step in `UPGRADES`, an example in `test_stored`, and a line above."""
    assert shape() == SHAPES[stored.VERSION]
    assert sorted(SHAPES) == list(range(1, stored.VERSION + 1))
    assert set(stored.UPGRADES) == set(range(1, stored.VERSION))


def test_steps_are_taken_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if version 3 had come: in 2 the unit was renamed, in 3 a field came that was not known before."""

    def renamed(data: dict[str, Any]) -> dict[str, Any]:
        return {**{name: one for name, one in data.items() if name != "who"}, "unit": data["who"]}

    def completed(data: dict[str, Any]) -> dict[str, Any]:
        return {**data, "week_start": 6}

    monkeypatch.setattr(stored, "VERSION", 3)
    monkeypatch.setattr(stored, "UPGRADES", {1: renamed, 2: completed})
    newest = to_data(RETENTION_7_DAYS)
    oldest = {name: one for name, one in newest.items() if name not in ("unit", "week_start")}
    oldest |= {"version": 1, "who": "device"}
    middle = {**newest, "version": 2, "week_start": 0}
    assert from_data(oldest) == from_data(middle)
    assert from_data(oldest).week_start == 6
    assert newest["version"] == 3
    assert oldest["version"] == 1


@pytest.mark.parametrize("version", [0, 2, None, "1"])
def test_a_version_that_nobody_knows_is_refused_and_not_guessed_at(version: object) -> None:
    with pytest.raises(BadInput, match="version"):
        from_data({**to_data(RETENTION_7_DAYS), "version": version})
