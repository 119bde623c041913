"""Ready Alimtalks and drawings, as a shop's developer types it."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from server.cli import cli
from server.errors import BadInput

FILE = """\
template:
  body: "[소전몰] #{이름}님, #{상품}이 출발했습니다."
"""


@pytest.fixture
def runner(tmp_path: Path) -> CliRunner:
    runner = CliRunner(env={"SOJOURN_DATABASE_URL": f"sqlite:///{tmp_path}/shop.db"})
    assert runner.invoke(cli, ["project", "create", "소전몰"]).exit_code == 0
    return runner


def test_ready_alimtalks_are_looked_through_and_taken_over(runner: CliRunner) -> None:
    assert "order-shipped: 배송 시작 안내 (Order Shipped)" in runner.invoke(cli, ["alimtalk", "ready"]).output
    taken = runner.invoke(cli, ["alimtalk", "take", "order-paid"])
    assert taken.output == "order-paid  is to be reviewed  결제 완료 안내 (draft)\n"
    again = runner.invoke(cli, ["alimtalk", "take"])
    assert again.output.count("\n") == 5
    assert "order-paid  cannot be sent" in runner.invoke(cli, ["alimtalk", "templates"]).output


def test_a_template_of_a_file_is_drawn(runner: CliRunner, tmp_path: Path) -> None:
    (file := tmp_path / "shipped.yaml").write_text(FILE, encoding="utf-8")
    drawn = runner.invoke(cli, ["alimtalk", "preview", str(file), "--value", "이름=김하나"])
    assert drawn.output == f"{tmp_path}/shipped.html\nWithout a value: 상품\n"
    assert "김하나님" in (tmp_path / "shipped.html").read_text(encoding="utf-8")
    svg = tmp_path / "drawn.svg"
    assert runner.invoke(cli, ["alimtalk", "preview", str(file), "--output", str(svg)]).exit_code == 0
    assert svg.read_text(encoding="utf-8").startswith("<svg")
    wrong = runner.invoke(cli, ["alimtalk", "preview", str(file), "--output", "drawn.png"])
    assert isinstance(wrong.exception, BadInput)
    assert "NAME=TEXT" in runner.invoke(cli, ["alimtalk", "preview", str(file), "--value", "이름"]).output
