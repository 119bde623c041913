"""The package as anyone would install it, and the server's host with and without it."""

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent
PROJECT = PACKAGE.parent.parent

ASK = """
import json, sys
from channels import build_host
host = build_host()
codes = None
if "twilio_sms" in host.channels:
    from sojourn_sms.twilio_callbacks import codes as table
    codes = str(table().reason(21610))
print(json.dumps({"sources": host.sources, "codes": codes, "httpx": "httpx" in sys.modules}))
"""


def ask(*paths: Path) -> dict[str, object]:
    """What a fresh process finds, in which only these folders and the installed packages can be imported."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment["PYTHONPATH"] = os.pathsep.join(map(str, (*paths, PROJECT)))
    run = subprocess.run(
        [sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, check=True, cwd=PROJECT
    )
    found: dict[str, object] = json.loads(run.stdout)
    return found


@pytest.mark.slow
def test_installed_it_is_found_by_its_entry_points_and_without_it_the_host_is_whole(tmp_path: Path) -> None:
    # A copy, because building leaves its shavings beside the source.
    source = shutil.copytree(PACKAGE, tmp_path / "source", ignore=shutil.ignore_patterns("tests", "build"))
    target = tmp_path / "installed"
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--no-build-isolation",
    ]
    subprocess.run([*pip, "--target", str(target), str(source)], check=True, capture_output=True)
    assert (target / "sojourn_sms" / "py.typed").is_file()

    within = ask(target)
    sources = within["sources"]
    assert isinstance(sources, dict)
    assert sources["twilio_sms"] == "entry point twilio_sms of sojourn-sms 0.1.0"
    assert sources["solapi_sms"] == "entry point solapi_sms of sojourn-sms 0.1.0"
    assert (within["codes"], within["httpx"]) == ("opted_out", False)

    without = ask()["sources"]
    assert isinstance(without, dict)
    expected = {key: source for key, source in sources.items() if "sojourn-sms" not in source}
    assert {key: source for key, source in without.items() if "sojourn-sms" not in source} == expected
    assert "smtp" in without


def test_it_imports_nothing_that_a_third_party_could_not() -> None:
    allowed = {"channels", "pydantic", "sojourn_sms", "httpx", "starlette", *sys.stdlib_module_names}
    for path in (PACKAGE / "sojourn_sms").rglob("*.py"):
        for name in imported(path):
            assert name.partition(".")[0] in allowed, f"{path.name} imports {name}"


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level
            yield node.module or ""
