"""The guide is true: its example is taken from the page and run."""

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from channels import Accepted, Deferred, Outcome, Reason, Rejected, Tools, Unknown, build_host
from channels.testing.check import NOW
from tests.channels.builders import a_message

pytestmark = pytest.mark.anyio

GUIDE = Path(__file__).parents[2] / "docs" / "writing-a-channel.md"


def block(kind: str) -> str:
    [found] = re.findall(rf"^```{kind}\n(.*?)^```", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    package = tmp_path / "parrot"
    package.mkdir()
    (package / "__init__.py").write_text(block("python channel"))
    (package / "parrot_codes.csv").write_text(block("csv codes"))
    return tmp_path


def test_the_example_passes_its_own_test(folder: Path) -> None:
    (folder / "test_parrot.py").write_text(block("python test"))
    path = os.pathsep.join([str(GUIDE.parents[1]), str(folder)])
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "test_parrot.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "12 passed" in run.stdout, run.stdout


def test_the_example_is_as_clean_as_our_own_code(folder: Path) -> None:
    (folder / "test_parrot.py").write_text(block("python test"))
    (folder / "ruff.toml").write_text('extend = "' + str(GUIDE.parents[1] / "pyproject.toml") + '"')
    run = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--no-cache", "--ignore", "I001", "."],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (httpx.Response(200, json={"sms_id": "s-1"}), Accepted("s-1")),
        (
            httpx.Response(400, json={"error": "spam_link"}),
            Rejected(Reason.CONTENT_REJECTED, "spam_link", '{"error":"spam_link"}'),
        ),
        (httpx.Response(401, text="who"), Rejected(Reason.AUTH_FAILED, "401", "who")),
        (httpx.Response(503, text="down"), Deferred(NOW, Reason.PROVIDER_ERROR, "503", "down")),
        (httpx.Response(502, text="broken"), Unknown(code="502", text="broken")),
        (httpx.Response(200, text="<html>"), Unknown(text="<html>")),
        (httpx.ReadTimeout("slow"), Unknown(text="slow")),
        (httpx.ConnectError("dead"), Deferred(NOW, Reason.PROVIDER_ERROR, "", "dead")),
    ],
)
async def test_the_example_is_found_in_a_folder_and_sends(
    folder: Path, answer: httpx.Response | Exception, outcome: Outcome
) -> None:
    def parrot(request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    channel = build_host(discover=False, plugins_dir=folder).channels["parrot"]
    settings = channel.settings(api_key="squawk", from_number="+82 10")
    async with httpx.AsyncClient(transport=httpx.MockTransport(parrot)) as http:
        sender = channel.open(settings, Tools(clock=lambda: NOW, http=http))
        assert await sender.send(a_message(to="+82 10 9")) == outcome
