"""The lock files: exact versions, with hashes, for whatever mirror people use."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ["requirements.lock", "requirements-dev.lock"]
REQUIREMENT = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^ ;\\]+)", re.MULTILINE)


def blocks(lock: str) -> list[str]:
    """Each requirement with the lines that belong to it."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    return [
        block
        for block in re.split(r"^(?=\S)", text, flags=re.MULTILINE)
        if block.strip() and not block.startswith("#")
    ]


def locked(lock: str) -> dict[str, str]:
    return dict(REQUIREMENT.findall((ROOT / lock).read_text(encoding="utf-8")))


def named(requirement: str) -> str:
    return re.split(r"[\[<>=!~; ]", requirement)[0].lower().replace("_", "-").replace(".", "-")


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_has_an_exact_version_and_a_hash(lock: str) -> None:
    assert len(blocks(lock)) > 20
    for block in blocks(lock):
        assert REQUIREMENT.match(block), f"{lock} does not pin {block[:60]!r}"
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), f"{lock} has no hash for {block[:60]!r}"


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_says_where_to_download_from(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert re.findall(r"https?://|--(?:extra-)?index-url|--find-links|--trusted-host| @ ", text) == []


def test_everything_that_the_project_asks_for_is_locked_once_for_all() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    running, testing = locked("requirements.lock"), locked("requirements-dev.lock")
    wanted = [*project["dependencies"], *project["optional-dependencies"]["build"]]
    assert {named(one) for one in wanted} - set(running) == set()
    assert {named(one) for one in project["optional-dependencies"]["dev"]} - set(testing) == set()
    assert {name: testing.get(name) for name in running} == running


def test_every_dependency_has_a_line_that_says_why() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    asked = {named(one) for group in (project["dependencies"], *extras) for one in group}
    page = (ROOT / "docs" / "decisions" / "dependencies.md").read_text(encoding="utf-8")
    said = set(re.findall(r"^\| `([a-z0-9-]+)` \|", page, re.MULTILINE))
    assert said == asked
