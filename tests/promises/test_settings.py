"""Every setting is documented where operators look, and says there what it says in the code."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from server.config import DEVELOPMENT_SECRET, PREFIX, Secret, Settings
from server.errors import CannotOpen
from server.observe import Figures

PAGE = Path(__file__).parents[2] / "docs" / "operating.md"
ROW = re.compile(rf"^\| `({PREFIX}\w+)` \| (.+?) \| (.+?) \|$", re.MULTILINE)


def shown(value: object) -> str:
    """A default as the page shows it."""
    if isinstance(value, Secret):
        return "a development secret"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`" if value != "" else "none"


def test_the_page_lists_every_setting_with_its_default_and_its_sentence() -> None:
    written = {
        name: (default, sentence) for name, default, sentence in ROW.findall(PAGE.read_text(encoding="utf-8"))
    }
    wanted = {
        PREFIX + one.name.upper(): (shown(one.default), str(one.metadata["sentence"]))
        for one in fields(Settings)
    }
    assert written == wanted


def test_nothing_set_gives_the_defaults_and_what_is_set_is_read() -> None:
    assert Settings.from_environ({}) == Settings()
    found = Settings.from_environ(
        {"SOJOURN_SHARDS": "4", "SOJOURN_PRODUCTION": "off", "SOJOURN_SECRET": "s" * 16, "OTHER": "x"}
    )
    assert found == Settings(shards=4, production=False, secret=Secret("s" * 16))


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"SOJOURN_SHARDS": "four"}, "SOJOURN_SHARDS"),
        ({"SOJOURN_PRODUCTION": "perhaps"}, "SOJOURN_PRODUCTION"),
        ({"SOJOURN_SECRET": "short"}, "SOJOURN_SECRET"),
        ({"SOJOURN_PRODUCTION": "yes"}, "SOJOURN_SECRET"),
        ({"SOJOURN_LOG_FORMAT": "xml"}, "SOJOURN_LOG_FORMAT"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(environ: dict[str, str], named: str) -> None:
    with pytest.raises(CannotOpen, match=named):
        Settings.from_environ(environ)


def test_the_secret_does_not_show_itself() -> None:
    settings = Settings(secret=Secret("a very secret secret"))
    assert "very secret" not in repr(settings)
    assert DEVELOPMENT_SECRET not in repr(Settings())
    with pytest.raises(CannotOpen) as refused:
        Settings.from_environ({"SOJOURN_SECRET": "tiny"})
    assert "tiny" not in str(refused.value)


def test_several_secrets_are_in_order() -> None:
    settings = Settings(secret=Secret(f"{'new' * 8} {'old' * 8}"))
    assert settings.secrets == [b"new" * 8, b"old" * 8]


def test_every_figure_for_prometheus_is_on_the_page() -> None:
    written = set(re.findall(r"^\| `(sojourn_\w+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    assert written == {metric.name for metric in Figures().registry.collect()}
