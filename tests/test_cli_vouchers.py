"""`sojourn vouchers`, as operators type it."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from server.cli import cli


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'sojourn.db'}"
    for command in (["migrate"], ["project", "create", "Shop"]):
        assert CliRunner().invoke(cli, [*command, "--database", url]).exit_code == 0
    return url


def run(url: str, *words: str) -> Result:
    return CliRunner().invoke(cli, ["vouchers", *words, "--database", url])


def test_a_pool_is_made_filled_and_listed(url: str, tmp_path: Path) -> None:
    assert run(url, "create", "여름", "--low-water", "2").exit_code == 0
    file = tmp_path / "codes.csv"
    file.write_bytes("이름,code\n하나,A1\n둘,'=B2\n셋,A1\n".encode("cp949"))
    taken = run(url, "add", "여름", str(file))
    assert taken.exit_code == 1
    assert "2 code(s) taken, 0 there already, 1 refused." in taken.output
    assert "line 4: it is in line 2 already" in taken.output
    again = run(url, "add", "여름", str(file))
    assert "0 code(s) taken, 2 there already, 1 refused." in again.output
    assert run(url, "list").output == "여름: 2 of 2 left, 0 used, low-water mark 2\n"


def test_a_code_of_another_encoding_is_refused_and_the_others_are_taken(url: str, tmp_path: Path) -> None:
    assert run(url, "create", "x").exit_code == 0
    file = tmp_path / "codes.txt"
    file.write_bytes(b"A1\n\xff\xff\nA2\n")
    taken = run(url, "add", "x", str(file))
    assert "2 code(s) taken, 0 there already, 1 refused." in taken.output
    assert "line 2: it holds characters that cannot be seen" in taken.output


def test_a_pool_has_a_name_by_which_steps_can_ask_for_it(url: str) -> None:
    for no_name in (" ", "x" * 101, "a\tb"):
        assert "1 to 100 visible characters" in str(run(url, "create", no_name).exception)


def test_what_is_not_there_is_said(url: str, tmp_path: Path) -> None:
    file = tmp_path / "codes.txt"
    file.write_text("A1\n")
    assert "no pool 'x'" in str(run(url, "add", "x", str(file)).exception)
    assert run(url, "create", "x").exit_code == 0
    assert "a pool 'x' already" in str(run(url, "create", "x").exception)
