"""The fixture `rehearse` as a team uses it: pytest runs in a process of its own, and finds it by itself."""

import re
import tomllib
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[3]

JOURNEY = """
title: Welcome
graph:
  steps:
    - entryEvent: {key: in, event: sign_up}
    - delay: {key: day, duration: 1d}
    - email: {key: mail, subject: "Hello, {{ user.name }}", text: Welcome!}
    - exit: {key: out}
  edges:
    - {from: in, to: day}
    - {from: day, to: mail}
    - {from: mail, to: out}
"""
TESTS = """
import pytest

def test_everybody_is_welcomed_a_day_later(rehearse):
    told = rehearse(
        "welcome.yaml",
        people=[{"name": "kim", "attributes": {"name": "Kim"}}, {"count": 2}],
        until="2d",
    )
    assert told["kim"].path == ["in", "day", "mail", "out"]
    [message] = told["kim"].messages
    assert message.content["subject"] == "Hello, Kim"
    assert (told.entries, told.inside, told.sent("mail")) == (3, 0, 3)

@pytest.mark.anyio
async def test_it_works_in_a_loop_too(rehearse):
    assert rehearse("welcome.yaml", people=[{"count": 1}], until="1h").waiting("day") == 1

@pytest.fixture
def anyio_backend():
    return "asyncio"

def test_what_is_wrong_is_told(rehearse):
    with pytest.raises(Exception, match="people.0.cuont: There is no `cuont` here"):
        rehearse("welcome.yaml", people=[{"cuont": 1}], until="1h")

def test_what_is_wrong_with_the_file_is_told_with_its_line(rehearse):
    with pytest.raises(Exception, match="broken.yaml:3:7: Output 'next' of step 'in' leads nowhere"):
        rehearse("broken.yaml", people=[{"count": 1}])
"""
BROKEN = """
graph:
  steps:
    - entryEvent: {key: in, event: sign_up}
  edges: []
"""


PAGES = ["experiments.md", "times.md"]
"""Pages of the docs whose journeys are played."""


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As an installer leaves it: our packages, and the entry points that pyproject.toml tells of."""
    told = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = [f"{name} = {value}" for name, value in told["entry-points"]["pytest11"].items()]
    info = tmp_path / "sojourn_here-0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: sojourn-here\nVersion: 0\n")
    (info / "entry_points.txt").write_text("\n".join(["[pytest11]", *lines]) + "\n")
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{tmp_path}")


def test_a_team_rehearses_a_journey_in_ten_lines(pytester: pytest.Pytester) -> None:
    pytester.makefile(".yaml", welcome=JOURNEY, broken=BROKEN)
    pytester.makepyfile(TESTS)
    result = pytester.runpytest_subprocess("-W", "error", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=4)


def test_the_example_in_the_docs_passes(pytester: pytest.Pytester) -> None:
    page = (ROOT / "docs" / "rehearsals.md").read_text("utf-8")
    [journey], [tests] = (re.findall(rf"```{kind}\n(.*?)```", page, re.DOTALL) for kind in ("yaml", "python"))
    pytester.mkdir("journeys").joinpath("abandoned-cart.yaml").write_text(journey, "utf-8")
    pytester.makepyfile(tests)
    pytester.runpytest_subprocess("-W", "error", "-p", "no:cacheprovider").assert_outcomes(passed=2)


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_a_page_pass(pytester: pytest.Pytester, page: str) -> None:
    """A page of journeys, each a block that begins with the name of its file, and of tests of them."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    for name, journey in re.findall(r"```yaml\n# (journeys/\S+)\n(.*?)```", text, re.DOTALL):
        path = pytester.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(journey, "utf-8")
    tests = "\n\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
    pytester.makepyfile(tests)
    result = pytester.runpytest_subprocess("-W", "error", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=tests.count("def test_"))


def test_whoever_does_not_use_it_does_not_load_the_server(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("import sys\ndef test_it(): assert 'sqlalchemy' not in sys.modules\n")
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)
