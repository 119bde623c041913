"""The committed schema is the one that is served, so that a change shows in review."""

from pathlib import Path

from server.schema.root import print_schema_text


def test_the_schema_file_is_true() -> None:
    committed = Path(__file__).parents[2] / "schema.graphql"
    assert committed.read_text(encoding="utf-8") == print_schema_text(), "run scripts/print-schema"
