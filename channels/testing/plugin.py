"""A plugin for pytest: one test for each group of checks, with a name that says what it proves.

    pytest_plugins = ["channels.testing.plugin"]

    @pytest.fixture
    def channel_evidence() -> Evidence:
        return Evidence(channel=ParrotChannel(), settings=ParrotSettings(...))

    def test_parrot(channel_check: ChannelCheck) -> None:
        channel_check()

It needs no plugin for asyncio. In an async test, await `channel_check.run()` instead.
"""

import pytest

from channels.testing.check import GROUPS, ChannelCheck
from channels.testing.evidence import Evidence


@pytest.fixture
def channel_evidence() -> Evidence:
    """What the channel is checked with; every project writes its own."""
    pytest.fail("Write a fixture `channel_evidence` that returns a channels.testing.Evidence.", pytrace=False)


@pytest.fixture
def channel_check(request: pytest.FixtureRequest, channel_evidence: Evidence) -> ChannelCheck:
    """One group of checks; a test that asks for this runs once for each group."""
    return ChannelCheck(channel_evidence, request.param)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "channel_check" in metafunc.fixturenames:
        metafunc.parametrize("channel_check", GROUPS, ids=list(GROUPS.values()), indirect=True)
