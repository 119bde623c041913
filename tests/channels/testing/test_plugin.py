"""The plugin as a third party uses it: pytest runs in a process of its own."""

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _our_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


AUTHOR = """
import pytest
from channels.testing import ChannelCheck, Evidence, FakeChannel, FakeSettings

pytest_plugins = ["channels.testing.plugin"]

@pytest.fixture
def channel_evidence() -> Evidence:
    return Evidence(channel=FakeChannel(key={key!r}), settings=FakeSettings())

def test_fake(channel_check: ChannelCheck) -> None:
    channel_check()
"""

INSIDE_A_LOOP = """

@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.mark.anyio
async def test_inside(channel_check: ChannelCheck) -> None:
    await channel_check.run()
"""


def test_ten_lines_give_one_test_for_each_group_of_checks(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(AUTHOR.format(key="fake") + INSIDE_A_LOOP)
    result = pytester.runpytest_subprocess("-v", "-W", "error", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=24)
    result.stdout.fnmatch_lines(["*test_fake*a server that is down loses no message* PASSED*"])


def test_a_broken_channel_fails_in_the_group_that_it_breaks(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(AUTHOR.format(key="Not A Key"))
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=11, failed=1)
    result.stdout.fnmatch_lines(["*key must be lower-case letters*", "FAILED*names and capabilities fit*"])


def test_without_evidence_it_says_what_to_write(pytester: pytest.Pytester) -> None:
    source = 'pytest_plugins = ["channels.testing.plugin"]\ndef test_it(channel_check): channel_check()\n'
    pytester.makepyfile(source)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(errors=12)
    result.stdout.fnmatch_lines(["*Write a fixture `channel_evidence`*"])
