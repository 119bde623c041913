"""What no file of the project says."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Put together here, so that this file does not say them either.
UNWANTED = re.compile(
    "|".join(["/" + "work/", "pypi" + r"\.org", "python" + "hosted", "npm" + "js", r"registry\." + "yarn"])
)


def files() -> list[Path]:
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, capture_output=True, check=True,
        ).stdout  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs a git checkout, to know which files are the project's")
    return [ROOT / name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()]


def test_no_file_names_a_place_of_one_machine_or_a_package_registry() -> None:
    found = []
    for path in files():
        for number, text in enumerate(path.read_bytes().decode("utf-8", "replace").splitlines(), 1):
            if unwanted := UNWANTED.search(text):
                found.append(f"{path.relative_to(ROOT)}:{number} says {unwanted[0]!r}")
    assert found == []
