"""`sojourn export`, as operators type it."""

import asyncio
import csv
import json
from io import BytesIO, StringIO
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner, Result

from server.cli import cli
from tests.world import HOUR, NOON, abandoned_cart, open_world


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A database with a journey that two people have passed through."""
    url = f"sqlite:///{tmp_path / 'sojourn.db'}"
    assert CliRunner().invoke(cli, ["migrate", "--database", url]).exit_code == 0
    asyncio.run(live(url))
    return url


async def live(url: str) -> None:
    async with open_world(url) as world:
        await world.add_journey(abandoned_cart(), title="장바구니")
        for user in ("kim", "lee"):
            await world.send(world.event("add_to_cart", NOON, user=user))
        await world.settle(NOON + 2 * HOUR)


def run(url: str, *words: str) -> Result:
    return CliRunner().invoke(cli, ["export", *words, "--database", url])


def test_runs_go_to_the_screen_as_csv(url: str) -> None:
    done = run(url, "runs", "--journey", "1", "--language", "ko")
    assert done.exit_code == 0, done.output
    rows = list(csv.DictReader(StringIO(done.stdout)))
    assert sorted(row["사용자 ID"] for row in rows) == ["kim", "lee"]
    assert done.stderr == "2 row(s) written.\n"


def test_users_of_a_step_go_to_a_workbook(url: str, tmp_path: Path) -> None:
    file = tmp_path / "통과.xlsx"
    about = ("--journey", "1", "--step", "hour", "--from", "2024-03-13", "--until", "2024-03-14")
    done = run(url, "step-users", *about, "--format", "xlsx", "--out", str(file))
    assert done.output == "2 row(s) written.\n"
    sheet = openpyxl.load_workbook(BytesIO(file.read_bytes())).active
    assert sheet is not None
    assert sheet.max_row == 3
    assert [path.name for path in tmp_path.glob("통과*")] == ["통과.xlsx"]


def test_users_of_a_message_go_to_json_lines(url: str, tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    done = run(
        url, "message-users", "--journey", "1", "--step", "mail", "--format", "jsonl", "--out", str(file)
    )
    assert done.exit_code == 0, done.output
    found = [json.loads(line) for line in file.read_text().splitlines()]
    assert {row["action"] for row in found} == {"skipped"}
    assert len(found) == 2


def test_a_mark_is_written_on_request(url: str, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    assert run(url, "runs", "--journey", "1", "--bom", "--out", str(file)).exit_code == 0
    assert file.read_bytes().startswith("\ufeffUser ID".encode())


def test_what_is_not_there_is_said_and_no_file_is_left(url: str, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    gone = run(url, "runs", "--journey", "99", "--out", str(file))
    assert str(gone.exception) == "There is no such journey in this project."
    assert "is not an id" in str(run(url, "runs", "--journey", "cart").exception)
    for far in ("9" * 20, "1" + "0" * 4300):
        assert "is not an id" in str(run(url, "runs", "--journey", far).exception)
    assert "has a step" in str(run(url, "step-users", "--journey", "1", "--step", "x").exception)
    reversed_days = ("--from", "2024-03-02", "--until", "2024-03-01")
    assert run(url, "step-users", "--journey", "1", "--step", "hour", *reversed_days).exit_code == 2
    assert list(tmp_path.glob("a.csv*")) == []


def test_days_at_the_ends_of_the_calendar_are_days(url: str) -> None:
    always = ("--from", "0001-01-01", "--until", "9999-12-31")
    passed = run(url, "step-users", "--journey", "1", "--step", "hour", *always)
    assert passed.exit_code == 0
    assert passed.output == run(url, "step-users", "--journey", "1", "--step", "hour").output


def test_statistics_of_journeys_begin_with_the_known_columns(url: str) -> None:
    about = ("--status", "running", "--text", "장바", "--from", "2024-03-13", "--until", "2024-03-14")
    done = run(url, "campaigns", *about, "--language", "ko")
    assert done.exit_code == 0, done.output
    (row,) = csv.DictReader(StringIO(done.stdout))
    told = [row[name] for name in ("제목", "상태", "유형", "총 도달", "내부 사용자", "이탈", "평균 CTR")]
    assert told == ["장바구니", "활성", "TriggerBased", "2", "0", "2", ""]
    assert run(url, "campaigns", "--status", "draft").stderr == "0 row(s) written.\n"


def test_goals_channels_and_messages(url: str) -> None:
    one = ("--journey", "1")
    rows = csv.DictReader(StringIO(run(url, "goals", *one, "--goal", "bought", "--daily").stdout))
    assert [(row["From"], row["runs"]) for row in rows] == [("2024-03-13", "0")]
    (row,) = csv.DictReader(StringIO(run(url, "channel", *one, "--channel", "email").stdout))
    assert (row["Step key"], row["Queued"], row["Sent"], row["Delivered"]) == ("mail", "2", "0", "")
    lines = run(url, "message", *one, "--step", "mail", "--clock", "entered", "--format", "jsonl").stdout
    found = [json.loads(line) for line in lines.splitlines()]
    assert found[0]["name"] == "queued"
    assert {line["clock"] for line in found} == {"entered"}
    assert ("skipped", "no_connection") in {(line["name"], line["reason"]) for line in found}


def test_figures_of_what_is_not_there_are_refused(url: str) -> None:
    one = ("--journey", "1")
    assert "no message on the channel 'sms'" in str(run(url, "channel", *one, "--channel", "sms").exception)
    assert "no message 'cart'" in str(run(url, "message", *one, "--step", "cart").exception)
    assert run(url, "campaigns", "--status", "nothing").exit_code == 2


def test_a_cohort_report_goes_to_a_file_by_its_name_or_as_everybody_knows_it(
    url: str, tmp_path: Path
) -> None:
    done = run(url, "cohort", "--language", "ko", "--view", "value")
    assert done.exit_code == 0, done.output
    rows = list(csv.DictReader(StringIO(done.stdout)))
    assert len(rows) == 30
    assert list(rows[0])[:6] == ["기준일", "기기수", "방문수", "구매수", "구매액", "DAY 1"]
    file = tmp_path / "every.xlsx"
    every = run(url, "every-cohort", "--format", "xlsx", "--heat", "row", "--out", str(file))
    assert every.output == "480 row(s) written.\n"
    assert len(openpyxl.load_workbook(BytesIO(file.read_bytes())).sheetnames) == 17
    assert "no saved report" in str(run(url, "cohort", "--report", "x").exception)
