"""The command line, as a user types it."""

import gzip
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from server.cli import cli
from server.errors import BadInput, CannotOpen

Sojourn = Callable[..., Result]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "shop.db"


@pytest.fixture
def sojourn(file: Path) -> Sojourn:
    runner = CliRunner(env={"SOJOURN_DATABASE_URL": f"sqlite:///{file}"})

    def run(*arguments: str) -> Result:
        return runner.invoke(cli, list(arguments))

    return run


def inbox_rows(file: Path) -> int:
    with sqlite3.connect(file) as connection:
        [(count,)] = connection.execute("SELECT count(*) FROM inbox").fetchall()
    connection.close()
    return int(count)


def test_a_project_is_made_with_its_keys_for_programs(sojourn: Sojourn) -> None:
    made = json.loads(sojourn("project", "create", "Shop", "--json").stdout)
    assert set(made) == {"projectId", "writeKey", "secretKey"}
    assert made["projectId"] == "1"


def test_keys_are_not_in_the_file(sojourn: Sojourn, file: Path) -> None:
    made = json.loads(sojourn("project", "create", "Shop", "--json").stdout)
    content = b"".join(part.read_bytes() for part in file.parent.iterdir())
    assert made["writeKey"].encode() not in content
    assert made["secretKey"].encode() not in content


def test_a_zone_that_does_not_exist_is_refused(sojourn: Sojourn) -> None:
    refused = sojourn("project", "create", "Shop", "--time-zone", "Asia/Atlantis")
    assert isinstance(refused.exception, BadInput)
    assert "Asia/Atlantis" in str(refused.exception)


def test_an_import_can_be_repeated(sojourn: Sojourn, file: Path, tmp_path: Path) -> None:
    sojourn("project", "create", "Shop")
    history = tmp_path / "history.csv"
    history.write_text("user_id,event,timestamp,colour\nkim,seen,2024-01-04 11:45:38,빨강\nlee,seen,,\n")
    first, second = sojourn("import", str(history)), sojourn("import", str(history))
    assert "2 event(s) taken, 0 row(s) seen earlier, 0 refused." in first.output
    assert "0 event(s) taken, 2 row(s) seen earlier" in second.output
    assert inbox_rows(file) == 2


def test_an_import_names_the_rows_that_it_refuses_and_takes_the_others(
    sojourn: Sojourn, file: Path, tmp_path: Path
) -> None:
    sojourn("project", "create", "Shop")
    history = tmp_path / "history.jsonl.gz"
    lines = ['{"event": "seen", "userId": "kim"}', "{nonsense", '{"event": "seen"}']
    history.write_bytes(gzip.compress("\n".join(lines).encode()))
    done = sojourn("import", str(history))
    assert "1 event(s) taken, 0 row(s) seen earlier, 2 refused." in done.output
    assert "row 2: The line is not valid JSON (line 1, column 2)." in done.output
    assert "row 3:" in done.output
    assert done.exit_code == 1
    assert inbox_rows(file) == 1


def test_an_import_without_the_column_says_which_there_are(sojourn: Sojourn, tmp_path: Path) -> None:
    sojourn("project", "create", "Shop")
    history = tmp_path / "history.csv"
    history.write_text("who,what,when\nkim,seen,2024-01-04\n")
    refused = sojourn("import", str(history))
    assert "its columns: who, what, when" in str(refused.exception)
    done = sojourn("import", str(history), "--user-id", "who", "--event", "what", "--timestamp", "when")
    assert "1 event(s) taken" in done.output


def test_a_new_database_is_well_and_its_figures_agree(sojourn: Sojourn) -> None:
    assert "revision" in sojourn("migrate").output
    assert sojourn("doctor").exit_code == 0
    assert "Every figure agrees with the facts." in sojourn("recount", "--check").output


def test_migrating_counts_what_an_upgrade_left_to_be_counted(sojourn: Sojourn, file: Path) -> None:
    sojourn("project", "create", "Shop")
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE catalog SET deeds_due = true")
        connection.execute(
            """INSERT INTO user (shard, project_id, number, attributes, created_at, user_id)
            VALUES (0, 1, 0, '{"points":1e20}', 0, 'kim')"""
        )
    connection.close()
    assert "revision" in sojourn("migrate").output
    with sqlite3.connect(file) as connection:
        assert connection.execute("SELECT deeds_due FROM catalog").fetchall() == [(0,)]
        values = connection.execute("SELECT value FROM attribute_set WHERE name = 'points'").fetchall()
        assert [float(value) for (value,) in values] == [1e20]
    connection.close()
    assert "Every figure agrees with the facts." in sojourn("recount", "--check").output


def test_a_figure_that_was_tampered_with_is_found_and_rebuilt(sojourn: Sojourn, file: Path) -> None:
    sojourn("project", "create", "Shop")
    with sqlite3.connect(file) as connection:
        connection.execute(
            "INSERT INTO counter VALUES (0, 1, 1, 0, 0, 1, 'in', '', '', '', 'entries', '', 5, 0)"
        )
    connection.close()
    checked = sojourn("recount", "--check")
    assert (checked.exit_code, "differ from the facts" in checked.output) == (1, True)
    assert sojourn("doctor").exit_code == 1
    assert sojourn("recount").exit_code == 0
    assert sojourn("recount", "--check").exit_code == 0


@pytest.mark.parametrize("command", [("doctor",), ("recount", "--check")])
def test_a_database_that_is_not_there_is_told_in_a_sentence_and_not_made(
    sojourn: Sojourn, file: Path, command: tuple[str, ...]
) -> None:
    refused = sojourn(*command)
    assert isinstance(refused.exception, CannotOpen)
    assert "There is no database at" in str(refused.exception)
    assert not file.exists()


def test_the_channels_are_listed_with_where_they_come_from(sojourn: Sojourn) -> None:
    assert "module channels.email.smtp" in sojourn("channel", "list").output
    assert sojourn("channels").output == sojourn("channel", "list").output


def test_a_part_that_does_not_exist_is_refused(sojourn: Sojourn) -> None:
    refused = sojourn("serve", "--only", "api,kitchen")
    assert (refused.exit_code, "kitchen" in refused.output) == (2, True)


def test_a_person_who_is_to_be_erased_has_to_be_known_and_named_once(sojourn: Sojourn, file: Path) -> None:
    sojourn("project", "create", "Shop")
    unknown = sojourn("user", "erase", "--user-id", "kim", "--yes")
    assert "Nobody in this project" in str(unknown.exception)
    twice = sojourn("user", "erase", "--user-id", "kim", "--email", "kim@example.com", "--yes")
    assert (twice.exit_code, "one of --user-id" in twice.output) == (2, True)
    with sqlite3.connect(file) as connection:
        connection.execute("INSERT INTO user (shard, project_id, number, attributes, created_at, user_id) "
            "VALUES (0, 1, 0, '{}', 0, 'kim')")  # fmt: skip
        connection.execute("INSERT INTO identity VALUES (0, 1, 'user_id', 'kim', 0, 0, 0)")
    connection.close()
    done = sojourn("user", "erase", "--user-id", "kim", "--yes")
    assert "1 user(s) erased, 0 open run(s) end, 0 message(s) are cancelled." in done.output
    assert inbox_rows(file) == 1
