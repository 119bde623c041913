"""`sojourn alimtalk lint`: files, lines, languages."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from server.cli import cli
from server.errors import BadInput

YAML = """\
templates:
  - body: "[소전몰] #{고객명}님, 주문하신 상품이 출발했습니다."
    category: "004001"
  - template:
      body: "[소전몰] 주문하신 상품이 출발했습니다."
      category: "004001"
      buttons:
        - type: WL
          name: 보기
          link_mobile: shop.example
    values: {고객명: 홍길동}
"""


def lint(*args: str) -> tuple[int, str]:
    found = CliRunner().invoke(cli, ["alimtalk", "lint", *args], env={"LANG": "C", "LC_ALL": ""})
    if isinstance(found.exception, Exception):
        raise found.exception
    return found.exit_code, found.output


def test_every_finding_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "templates.yaml"
    file.write_text(YAML, encoding="utf-8")
    code, told = lint(str(file))
    assert code == 1
    assert f"{file}:10: error AT019 templates.1.template.buttons.0.link_mobile: `shop.example` is no" in told
    assert told.endswith("1 errors, 0 warnings, 1 hints\n")
    code, told = lint(str(file), "--language", "ko")
    assert f"{file}:10: 오류 AT019" in told
    assert told.endswith("오류 1개, 경고 0개, 참고 1개\n")
    code, told = lint(str(file), "--json")
    assert code == 1
    assert ("AT019", 10) in {(one["rule"], one["line"]) for one in json.loads(told)}


def test_a_relay_and_a_company_are_heeded(tmp_path: Path) -> None:
    file = tmp_path / "one.json"
    file.write_text(json.dumps({"body": "가" * 1100, "category": "004001"}), encoding="utf-8")
    assert lint(str(file))[0] == 0
    assert lint(str(file), "--relay", "sens")[0] == 1
    file.write_text(json.dumps({"body": "[다른몰] 적립금이 지급되었습니다."}), encoding="utf-8")
    assert "[소전몰]" in lint(str(file), "--company", "소전몰")[1]


def test_what_is_no_template_is_said(tmp_path: Path) -> None:
    file = tmp_path / "one.yaml"
    file.write_text("- 7\n", encoding="utf-8")
    assert lint(str(file))[0] == 1
    file.write_text("{", encoding="utf-8")
    with pytest.raises(BadInput, match="This is no YAML"):
        lint(str(file))
