"""Silent hours: when a journey sends nothing on a channel. Windows: when it goes on."""

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.journey.hours import next_within, read_windows
from server.journey.local_time import Weekday, local_of
from server.journey.reading import Reader
from server.journey.silence import Silence, read_silence
from server.journey.silence_presets import PRESETS, Preset

SEOUL = "Asia/Seoul"
NIGHT = {"from": "21:00", "until": "08:00"}


def at(text: str) -> int:
    return int(datetime.fromisoformat(text + "+09:00").timestamp() * 1000)


def silence(*rules: dict[str, Any]) -> Silence:
    reader = Reader({"silence": list(rules)})
    found = read_silence(reader)
    assert reader.problems == []
    return found


def opens(found: Silence, now: str, channel: str = "sms", purpose: str = "information") -> str:
    return shown(found.next_open(at(now), channel, purpose, SEOUL))


def shown(instant: int) -> str:
    return f"{local_of(instant, SEOUL):%Y-%m-%dT%H:%M}"


# The 28th of November 2026 is a Saturday.
@pytest.mark.parametrize(
    ("now", "opening"),
    [
        ("2026-11-26T20:59", "2026-11-26T20:59"),
        ("2026-11-26T21:00", "2026-11-27T08:00"),
        ("2026-11-27T07:59", "2026-11-27T08:00"),
        ("2026-11-27T08:00", "2026-11-27T08:00"),
        ("2026-11-27T12:00", "2026-11-27T12:00"),
        # Into a closed day, through it, and through its own night.
        ("2026-11-28T21:30", "2026-11-30T08:00"),
        ("2026-11-29T12:00", "2026-11-30T08:00"),
        ("2026-11-29T00:00", "2026-11-30T08:00"),
    ],
)
def test_a_night_ends_in_its_morning_and_a_closed_day_after_its_night(now: str, opening: str) -> None:
    found = silence({"channels": ["sms"], "ranges": [NIGHT], "closed": ["sunday"]})
    assert opens(found, now) == opening


def test_a_range_that_leads_into_a_closed_day_lasts_until_that_day_is_over() -> None:
    found = silence(
        {"channels": ["sms"], "ranges": [{"from": "22:00", "until": "02:00"}], "closed": ["sunday"]}
    )
    assert opens(found, "2026-11-28T23:00") == "2026-11-30T02:00"
    only_day = silence(
        {"channels": ["sms"], "ranges": [{"from": "12:00", "until": "13:00"}], "closed": ["sunday"]}
    )
    assert opens(only_day, "2026-11-29T12:30") == "2026-11-30T00:00"


def test_only_the_channels_and_purposes_that_a_rule_names_keep_silent() -> None:
    found = silence({"channels": ["sms", "push"], "ranges": [NIGHT], "applies_to": "advertisement"})
    night = "2026-11-26T23:00"
    assert opens(found, night, "push", "advertisement") == "2026-11-27T08:00"
    assert opens(found, night, "push", "information") == night
    assert opens(found, night, "email", "advertisement") == night


def test_several_rules_have_their_say_together() -> None:
    found = silence(
        {"channels": ["sms"], "ranges": [{"from": "20:00", "until": "24:00"}]},
        {"channels": ["sms", "email"], "ranges": [{"from": "00:00", "until": "09:30"}]},
    )
    assert opens(found, "2026-11-26T20:00") == "2026-11-27T09:30"
    assert opens(found, "2026-11-26T20:00", "email") == "2026-11-26T20:00"


@pytest.mark.parametrize(
    ("rules", "path", "code"),
    [
        ([{"ranges": [NIGHT]}], (0, "channels"), "missing"),
        ([{"channels": [], "ranges": [NIGHT]}], (0, "channels"), "out_of_range"),
        ([{"channels": ["sms"]}], (0,), "missing"),
        (
            [{"channels": ["sms"], "ranges": [{"from": "25:00", "until": "08:00"}]}],
            (0, "ranges", 0, "from"),
            "invalid",
        ),
        (
            [{"channels": ["sms"], "ranges": [{"from": "08:00", "until": "08:00"}]}],
            (0, "ranges", 0, "until"),
            "invalid",
        ),
        ([{"channels": ["sms"], "closed": ["someday"]}], (0, "closed"), "invalid"),
        ([{"channels": ["sms"], "closed": list(Weekday)}], (0,), "never_opens"),
        ([{"channels": ["sms"], "ranges": [NIGHT], "applies_to": "nobody"}], (0, "applies_to"), "invalid"),
        (
            [
                {"channels": ["sms"], "ranges": [NIGHT]},
                {"channels": ["email"], "ranges": [{"from": "08:00", "until": "21:00"}]},
                {
                    "channels": ["sms"],
                    "ranges": [{"from": "08:00", "until": "21:00"}],
                    "applies_to": "advertisement",
                },
            ],
            (2,),
            "never_opens",
        ),
    ],
)
def test_what_is_wrong_is_told_where_it_is(rules: list[Any], path: tuple[Any, ...], code: str) -> None:
    reader = Reader({"silence": rules})
    read_silence(reader)
    assert [(problem.path, problem.code) for problem in reader.problems] == [(("silence", *path), code)]


clocks = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))


@given(
    st.lists(st.tuples(clocks, clocks).filter(lambda two: two[0] != two[1]), max_size=3),
    st.sets(st.sampled_from(list(Weekday)), max_size=7),
    st.integers(1_700_000_000_000, 1_800_000_000_000),
)
def test_silence_opens_within_a_week_or_is_refused(
    ranges: list[tuple[str, str]], closed: set[str], now: int
) -> None:
    hours = [{"from": start, "until": end} for start, end in ranges]
    reader = Reader({"silence": [{"channels": ["sms"], "ranges": hours, "closed": sorted(closed)}]})
    found = read_silence(reader)
    opening = found.next_open(now, "sms", "information", SEOUL)
    if reader.problems:
        assert not (ranges or closed) or opening >= now + 15 * 86_400_000
    else:
        assert now <= opening < now + 8 * 86_400_000
        assert found.next_open(opening, "sms", "information", SEOUL) == opening


def test_windows_open_on_their_days_and_over_midnight() -> None:
    data = [
        {"weekdays": ["friday"], "from": "22:00", "until": "02:00"},
        {"weekdays": ["monday", "tuesday"], "from": "09:00", "until": "18:00"},
    ]
    reader = Reader({"windows": data})
    windows = read_windows(reader, "windows")
    assert reader.problems == []
    asked = (
        "2026-11-27T21:00",
        "2026-11-28T01:59",
        "2026-11-28T02:00",
        "2026-11-30T18:00",
        "2026-12-01T18:00",
    )
    assert [shown(next_within(at(now), windows, SEOUL)) for now in asked] == [
        "2026-11-27T22:00",
        "2026-11-28T01:59",
        "2026-11-30T09:00",
        "2026-12-01T09:00",
        "2026-12-04T22:00",
    ]


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.key)
def test_presets_are_sound(preset: Preset) -> None:
    silence(*map(dict, preset.rules))


def test_in_korea_only_advertisements_outside_of_mail_wait_for_the_morning() -> None:
    found = silence(*map(dict, PRESETS[0].rules))
    night = "2026-11-26T21:00"
    assert opens(found, night, "kakao", "advertisement") == "2026-11-27T08:00"
    assert opens(found, night, "kakao", "information") == night
    assert opens(found, night, "email", "advertisement") == night
