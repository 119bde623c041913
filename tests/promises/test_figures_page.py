"""What the page of metrics says of the figures that the API derives is what the schema says.

`python -m tests.promises.test_figures_page` writes it down anew.
"""

import re
from pathlib import Path

from server.schema.root import SCHEMA

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
TYPES = (
    *("JourneyStats", "HealthStats", "HealthPoint", "AudienceStats", "DropOffs", "LeftEarly"),
    *("GoalStats", "GoalCredit", "GoalPoint", "ChannelStats", "MessageStepStats", "MetricStats"),
    *("CreditStats", "DeliveryIssue", "IssueCode", "StepStats", "TimeSpent", "EdgeStats", "Conclusion"),
)
"""In the order of the page."""
DERIVED = re.compile(r"<!-- derived -->\n(.*)<!-- end -->", re.DOTALL)


def rows(type_name: str) -> list[str]:
    fields = SCHEMA._schema.get_type(type_name).fields
    return [f"| `{name}` | {field.description} |" for name, field in fields.items()]


def sections() -> str:
    """The part of the page, as the schema has it."""
    found = []
    for name in TYPES:
        about = SCHEMA._schema.get_type(name).description
        found += [f"### {name}", "", about, "", "| field | is |", "|---|---|", *rows(name), ""]
    return "\n".join(found)


def test_every_derived_figure_is_on_the_page_in_the_words_of_the_schema() -> None:
    on_page = DERIVED.search(PAGE.read_text(encoding="utf-8"))
    assert on_page is not None
    missing = sorted({*sections().splitlines()} - {*on_page[1].splitlines()})
    assert missing == [], "docs/metrics.md lacks these lines"
    assert on_page[1] == sections() + "\n"


def test_every_share_names_its_base_and_is_null_on_an_empty_one() -> None:
    fields = SCHEMA._schema.get_type("Share").fields
    assert str(fields["base"].type) == "Base!"
    assert str(fields["rate"].type) == "Float"


if __name__ == "__main__":
    written = f"<!-- derived -->\n{sections()}\n<!-- end -->"
    PAGE.write_text(DERIVED.sub(lambda _: written, PAGE.read_text(encoding="utf-8")), encoding="utf-8")
