"""The in-app channel: what it judges, and that it keeps the contract."""

from collections.abc import Sequence

import httpx
import pytest
from pydantic import SecretStr

from channels.contract import Accepted, Deferred, Message, Rejected, Tools
from channels.in_app.inbox import InAppChannel, InAppSettings
from channels.reasons import Reason
from channels.testing import check_channel

SETTINGS = InAppSettings(signing_secret=SecretStr("s" * 32))
NOW = 1_767_225_600_000
DAY = 24 * 3600 * 1000


class Shown:
    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def __call__(self, messages: Sequence[Message]) -> None:
        self.messages += messages

    def tools(self) -> Tools:
        return Tools(clock=lambda: NOW, http=httpx.AsyncClient(), show=self)


def message(**changes: object) -> Message:
    return Message(
        **{"reference": "1-0-1", "to": "홍길동", "content": {"text": "안녕"}, "sent_at": NOW, **changes}
    )  # type: ignore[arg-type]  # fields by name


@pytest.mark.anyio
async def test_the_channel_keeps_the_contract() -> None:
    await check_channel(InAppChannel(), SETTINGS, tools=Shown().tools())


@pytest.mark.anyio
async def test_what_cannot_be_shown_is_refused_and_the_rest_is_put_up() -> None:
    shown = Shown()
    sender = InAppChannel().open(SETTINGS, shown.tools())
    outcomes = await sender.send_many(
        [
            message(),
            message(reference="1-0-2", to=""),
            message(reference="1-0-3", content={"text": "x" * 10_001}),
            message(reference="1-0-4", expires_at=NOW),
        ]
    )
    assert outcomes[0] == Accepted("1-0-1")
    reasons = [one.reason for one in outcomes if isinstance(one, Rejected)]
    assert reasons == [Reason.INVALID_RECIPIENT, Reason.CONTENT_INVALID, Reason.EXPIRED]
    assert [one.reference for one in shown.messages] == ["1-0-1"]


@pytest.mark.anyio
async def test_a_message_without_an_expiry_is_shown_for_as_long_as_the_connection_says() -> None:
    shown = Shown()
    sender = InAppChannel().open(SETTINGS.model_copy(update={"keep_days": 3}), shown.tools())
    await sender.send(message())
    await sender.send(message(reference="1-0-2", expires_at=NOW + 5))
    assert [one.expires_at for one in shown.messages] == [NOW + 3 * DAY, NOW + 5]


@pytest.mark.anyio
async def test_a_process_that_shows_nothing_takes_nothing_over() -> None:
    tools = Tools(clock=lambda: NOW, http=httpx.AsyncClient())
    assert isinstance(await InAppChannel().open(SETTINGS, tools).send(message()), Deferred)


def test_a_short_secret_is_a_problem() -> None:
    short = InAppSettings(signing_secret=SecretStr("short"), previous_signing_secret=SecretStr("old"))
    assert [one.path for one in InAppChannel().problems(short)] == [
        "signing_secret",
        "previous_signing_secret",
    ]
    assert InAppChannel().problems(SETTINGS) == []
