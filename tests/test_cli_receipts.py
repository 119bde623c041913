"""`sojourn receipts`, as an operator types it."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from server.cli import cli


@pytest.mark.parametrize("options", [(), ("--changed",), ("--dry-run",)])
def test_where_nothing_was_heard_nothing_is_read_again(tmp_path: Path, options: tuple[str, ...]) -> None:
    runner = CliRunner(env={"SOJOURN_DATABASE_URL": f"sqlite:///{tmp_path}/shop.db"})
    runner.invoke(cli, ["project", "create", "Shop"])
    done = runner.invoke(cli, ["receipts", "remap", *options])
    assert done.exit_code == 0
    assert done.output.startswith("0 looked at, 0 ")
