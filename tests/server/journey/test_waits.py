"""The ways to wait: lengths, clock times, weekdays, dates; and windows."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from server.journey.graph import read_graph
from server.journey.moment import Decision, End, EndReason, Leave, Moment, Wait
from server.journey.reading import Reader
from server.journey.steps import Delay, TimeWindow
from tests.world import line, step

SEOUL = "Asia/Seoul"
# The 30th of November 2026 is a Monday.
MONDAY = "2026-11-30T10:00"


def at(text: str) -> int:
    return int(datetime.fromisoformat(text + "+09:00").timestamp() * 1000)


def delay(**config: Any) -> Delay:
    reader = Reader(step("wait", "delay", **config))
    found = Delay.read(reader)
    assert reader.problems == []
    return found


def moment(now: str = MONDAY, *, arrived: str | None = None, zone: str = SEOUL, **attributes: Any) -> Moment:
    return Moment(at=at(now), arrived_at=at(arrived or now), attributes=attributes, zone=zone)


def until(decision: Decision) -> str:
    assert isinstance(decision, Wait), decision
    return datetime.fromtimestamp(decision.until / 1000, ZoneInfo(SEOUL)).strftime("%Y-%m-%dT%H:%M")


@pytest.mark.parametrize(
    ("config", "waits_until"),
    [
        ({"duration_ms": 3_600_000}, "2026-11-30T11:00"),
        ({"clock_time": {"at": "18:00"}}, "2026-11-30T18:00"),
        ({"clock_time": {"at": "09:00"}}, "2026-12-01T09:00"),
        ({"clock_time": {"at": "10:00"}}, "2026-12-01T10:00"),
        ({"weekday_time": {"weekdays": ["monday"], "at": "18:00"}}, "2026-11-30T18:00"),
        ({"weekday_time": {"weekdays": ["monday"], "at": "09:00"}}, "2026-12-07T09:00"),
        ({"weekday_time": {"weekdays": ["monday", "friday"], "at": "09:00"}}, "2026-12-04T09:00"),
        ({"date_time": {"date": "2026-12-24", "at": "18:00"}}, "2026-12-24T18:00"),
        ({"date_from": {"from": "attribute", "name": "ends", "days": -3, "at": "09:00"}}, "2026-12-12T09:00"),
        ({"date_from": {"from": "attribute", "name": "ends"}}, "2026-12-15T15:30"),
        (
            {"date_from": {"from": "attribute", "name": "born", "yearly": True, "at": "09:00"}},
            "2027-03-13T09:00",
        ),
    ],
)
def test_it_waits_until_then_and_goes_on(config: dict[str, Any], waits_until: str) -> None:
    known = {"ends": "2026-12-15T15:30", "born": "1990-03-13"}
    found = delay(**config)
    assert until(found.arrive(moment(**known))) == waits_until
    woken = found.wake(moment(waits_until, arrived=MONDAY, **known))
    assert isinstance(woken, Leave)
    assert woken.output == "next"


@pytest.mark.parametrize(
    ("config", "output"),
    [
        ({"clock_time": {"at": "09:00", "if_passed": "go_on"}}, "next"),
        ({"clock_time": {"at": "10:00", "if_passed": "go_on"}}, "next"),
        ({"date_time": {"date": "2026-11-29", "at": "18:00"}}, "next"),
        ({"date_time": {"date": "2026-11-29", "at": "18:00", "if_passed": "leave"}}, "passed"),
        ({"date_from": {"from": "attribute", "name": "ends"}}, "passed"),
        ({"date_from": {"from": "attribute", "name": "ends", "if_passed": "go_on"}}, "next"),
    ],
)
def test_who_comes_too_late_goes_on_at_once(config: dict[str, Any], output: str) -> None:
    found = delay(**config)
    decision = found.arrive(moment(ends="2026-11-29"))
    assert isinstance(decision, Leave)
    assert (decision.output, "had passed" in decision.because) == (output, True)
    assert output in found.outputs()
    assert not found.lets_time_pass()


def test_what_cannot_be_read_ends_the_run_and_says_why() -> None:
    found = delay(date_from={"from": "attribute", "name": "ends"})
    decision = found.arrive(moment(ends="soon"))
    assert decision == End(
        EndReason.INTERNAL_ERROR,
        "no date in the attribute 'ends': 'soon' is not a date",
        {"zone": SEOUL, "attribute ends": "soon"},
    )


def test_what_cannot_be_read_leaves_by_its_own_output_if_there_is_one() -> None:
    found = delay(date_from={"from": "property", "name": "order.due", "if_unreadable": "leave"})
    assert found.outputs() == ("next", "passed", "unreadable")
    now = Moment(at=at(MONDAY), arrived_at=at(MONDAY), zone=SEOUL, properties={"order": {"due": None}})
    decision = found.arrive(now)
    assert isinstance(decision, Leave)
    assert decision.output == "unreadable"


def test_a_date_that_was_put_off_is_waited_for_and_one_that_was_deleted_is_not() -> None:
    found = delay(date_from={"from": "attribute", "name": "visit", "days": -1, "at": "09:00"})
    assert until(found.arrive(moment(visit="2026-12-10"))) == "2026-12-09T09:00"
    woken = "2026-12-09T09:00"
    assert until(found.wake(moment(woken, arrived=MONDAY, visit="2026-12-20"))) == "2026-12-19T09:00"
    assert isinstance(found.wake(moment(woken, arrived=MONDAY)), End)
    brought_forward = found.wake(moment(woken, arrived=MONDAY, visit="2026-12-05"))
    assert isinstance(brought_forward, Leave)
    assert brought_forward.output == "next"


def test_whoever_has_moved_west_waits_for_the_clock_there() -> None:
    found = delay(weekday_time={"weekdays": ["tuesday"], "at": "09:00"})
    assert until(found.arrive(moment())) == "2026-12-01T09:00"
    later = found.wake(moment("2026-12-01T09:00", arrived=MONDAY, zone="America/New_York"))
    assert until(later) == "2026-12-01T23:00"


@pytest.mark.parametrize(
    ("config", "path", "code"),
    [
        ({}, (), "missing"),
        ({"duration_ms": 3_600_000, "clock_time": {"at": "09:00"}}, (), "invalid"),
        ({"clock_time": {"at": "9"}}, ("clock_time", "at"), "invalid"),
        ({"clock_time": {"at": "09:00", "if_passed": "leave"}}, ("clock_time", "if_passed"), "invalid"),
        ({"clock_time": "09:00"}, ("clock_time",), "invalid"),
        ({"weekday_time": {"weekdays": [], "at": "09:00"}}, ("weekday_time", "weekdays"), "out_of_range"),
        ({"date_time": {"date": "24.12.2026", "at": "09:00"}}, ("date_time", "date"), "invalid"),
        (
            {"date_from": {"from": "attribute", "name": "a", "days": 367}},
            ("date_from", "days"),
            "out_of_range",
        ),
        ({"date_from": {"from": "heart", "name": "a"}}, ("date_from", "from"), "invalid"),
        ({"date_from": {"from": "attribute"}}, ("date_from", "name"), "missing"),
    ],
)
def test_what_is_wrong_is_told_where_it_is(config: dict[str, Any], path: tuple[str, ...], code: str) -> None:
    graph = line(step("in", "entry_event", event="go"), step("wait", "delay", **config), step("out", "exit"))
    found = [(one.path, one.code) for one in read_graph(graph)[1]]
    assert (("steps", 1, *path), code) in found
    assert all(one[:2] == ("steps", 1) for one, _ in found)


def test_a_loop_needs_a_wait_that_always_takes_time() -> None:
    asked = [{"about": "attribute", "name": "vip", "operator": "exists"}]

    def loop(**config: Any) -> list[str]:
        graph = line(
            step("in", "entry_event", event="go"),
            step("wait", "delay", **config),
            step("vip", "split", branches=[{"output": "next", "conditions": asked}]),
            step("out", "exit"),
        )
        graph["edges"].append({"from": "vip", "output": "otherwise", "to": "wait"})
        return [one.code for one in read_graph(graph)[1]]

    assert loop(clock_time={"at": "09:00"}) == []
    assert loop(weekday_time={"weekdays": ["monday"], "at": "09:00"}) == []
    assert loop(date_from={"from": "attribute", "name": "born", "yearly": True}) == []
    assert loop(clock_time={"at": "09:00", "if_passed": "go_on"}) == ["loop"]
    assert loop(date_time={"date": "2026-12-24", "at": "09:00"}) == ["loop"]


def test_a_window_is_waited_for_and_looked_at_again() -> None:
    reader = Reader(
        step("open", "time_window", windows=[{"weekdays": ["monday"], "from": "09:00", "until": "18:00"}])
    )
    found = TimeWindow.read(reader)
    assert reader.problems == []
    assert isinstance(found.arrive(moment()), Leave)
    assert until(found.arrive(moment("2026-11-29T12:00"))) == "2026-11-30T09:00"
    # The server was down until it had closed again.
    assert until(found.wake(moment("2026-11-30T18:00", arrived="2026-11-29T12:00"))) == "2026-12-07T09:00"
