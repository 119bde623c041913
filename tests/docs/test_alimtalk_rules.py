"""docs/alimtalk-rules.md says what the linter does: one table, made of the rules."""

from pathlib import Path

from channels.alimtalk import RULES
from channels.alimtalk.lint import brand

PAGE = Path(__file__).parents[2] / "docs" / "alimtalk-rules.md"
START, END = "<!-- rules -->", "<!-- end -->"


def table() -> str:
    rules = sorted([*RULES.values(), brand.rule()], key=lambda one: one.id)
    rows = [
        f"| {one.id} | {one.severity} | {one.what_en} | {one.what_ko} | {one.source} |".replace("\\", "\\\\")
        for one in rules
    ]
    head = ["| rule | severity | what holds | 규칙 | source |", "|---|---|---|---|---|"]
    return "\n".join([*head, *rows])


def test_the_page_has_every_rule_as_it_is() -> None:
    text = PAGE.read_text("utf-8")
    assert text.partition(START)[2].partition(END)[0].strip() == table()
