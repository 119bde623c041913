"""The guide is true: its example is taken from the page and run."""

import re
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
    [found] = re.findall(rf"^```python {kind}\n(.*?)^```", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "parrot.py").write_text(block("channel"))
    return tmp_path


async def test_the_example_passes_its_own_test(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(folder))
    names: dict[str, object] = {}
    try:
        exec(compile(block("test"), "writing-a-channel.md", "exec"), names)
        test = names["test_parrot"]
        assert callable(test)
        await test()
    finally:
        sys.modules.pop("parrot", None)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (httpx.Response(200, json={"sms_id": "s-1"}), Accepted("s-1", "200")),
        (
            httpx.Response(400, text="no_such_number"),
            Rejected(Reason.INVALID_RECIPIENT, "400", "no_such_number"),
        ),
        (httpx.Response(401, text="who"), Deferred(NOW + 60_000, Reason.AUTH_FAILED, "401", "who")),
        (httpx.Response(503, text="down"), Deferred(NOW + 60_000, Reason.PROVIDER_ERROR, "503", "down")),
        (httpx.Response(502, text="broken"), Unknown(code="502", text="broken")),
        (httpx.Response(200, text="<html>"), Unknown(code="200", text="<html>")),
        (httpx.ReadTimeout("slow"), Unknown(text="slow")),
        (httpx.ConnectError("dead"), Deferred(NOW + 60_000, Reason.PROVIDER_ERROR, "", "dead")),
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
