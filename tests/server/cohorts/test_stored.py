"""What somebody has saved stays what it was."""

from datetime import date

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.cohorts.definition import RETENTION_7_DAYS, Act, Breakdown, Days, Definition, SegmentFilter
from server.cohorts.stored import from_data, to_data
from server.cohorts.words import Binds, Denominator, DeviceFilter, Granularity, Kind, Metric, Mode, Unit
from server.errors import BadInput

VERSION_1 = (
    b'{"version":1,"entry":{"kind":"visit","name":"","property":"","value":"","journey_id":0,"step":""},'
    b'"occurrence":"every","returning":null,"unit":"device","metric":"people","currency":"","mode":"on",'
    b'"counts_from":1,"brackets":[],"denominator":"cohort_size","granularity":"day","alignment":"calendar",'
    b'"week_start":0,"first_period":1,"last_period":7,"days":{"first":null,"until":null,"last":30},'
    b'"device":"all","device_binds":"both","where":[],"segment":null,"breakdown":null}'
)

acts = st.builds(
    Act,
    st.sampled_from(Kind),
    name=st.text(max_size=5),
    property=st.text(max_size=3),
    value=st.text(max_size=3),
    journey_id=st.integers(0, 9),
    step=st.text(max_size=3),
)
definitions = st.builds(
    Definition,
    entry=acts,
    returning=st.none() | acts,
    unit=st.sampled_from(Unit),
    metric=st.sampled_from(Metric),
    mode=st.sampled_from(Mode),
    brackets=st.lists(st.tuples(st.integers(0, 3), st.integers(3, 9)), max_size=3).map(tuple),
    denominator=st.sampled_from(Denominator),
    granularity=st.sampled_from(Granularity),
    days=st.builds(Days, st.none() | st.dates(), st.none() | st.dates(), st.integers(1, 400)),
    device=st.sampled_from(DeviceFilter),
    where=st.lists(acts, max_size=2).map(tuple),
    segment=st.none() | st.builds(SegmentFilter, st.text(max_size=3), st.none() | st.just({"all": []})),
    breakdown=st.none()
    | st.builds(
        Breakdown, st.text(max_size=3), st.lists(st.text(max_size=3)).map(tuple), binds=st.sampled_from(Binds)
    ),
)


@given(definitions)
@settings(max_examples=50, deadline=None)
def test_what_is_kept_comes_back_as_it_was(asked: Definition) -> None:
    assert from_data(orjson.loads(orjson.dumps(to_data(asked)))) == asked


def test_a_report_of_version_1_can_be_read() -> None:
    """What was saved by the first release. It may only ever be added to."""
    assert from_data(orjson.loads(VERSION_1)) == RETENTION_7_DAYS


@pytest.mark.parametrize("version", [0, 2, None, "1"])
def test_a_version_that_nobody_knows_is_told(version: object) -> None:
    kept = {**orjson.loads(VERSION_1), "version": version}
    with pytest.raises(BadInput, match="reads versions 1 to 1"):
        from_data(kept)


@pytest.mark.parametrize("change", [{"unit": "household"}, {"days": None}, {"entry": {"kind": "visit"}}])
def test_what_is_no_definition_is_told(change: dict[str, object]) -> None:
    with pytest.raises(BadInput, match="not the definition"):
        from_data({**orjson.loads(VERSION_1), **change})


def test_days_are_kept_as_they_are_spelled() -> None:
    kept = to_data(Definition(days=Days(date(2026, 3, 1), date(2026, 3, 31))))
    assert kept["days"] == {"first": "2026-03-01", "until": "2026-03-31", "last": 30}
