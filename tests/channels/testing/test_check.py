"""Every way of breaking the contract is found: a good channel is broken in one place at a time."""

import itertools
import logging
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, SecretStr

from channels import (
    CONTRACT_VERSION,
    Accepted,
    BaseChannel,
    Callback,
    Capabilities,
    ContentField,
    Deferred,
    Message,
    OnUnknown,
    Outcome,
    Problem,
    Reason,
    Receipt,
    ReceiptKind,
    Refused,
    Tools,
    Verified,
)
from channels.errors import ContractBroken
from channels.testing import check_channel
from channels.testing.check import NOW

pytestmark = pytest.mark.anyio


class PigeonSettings(BaseModel):
    loft_secret: SecretStr = SecretStr("coo coo")


class Pigeon:
    """Carries anything, at once."""

    send_as: Callable[[Message], Outcome] = staticmethod(lambda message: Accepted(f"p-{message.reference}"))

    async def send(self, message: Message) -> Outcome:
        return self.send_as(message)

    async def aclose(self) -> None:
        pass


class PigeonChannel(BaseChannel[PigeonSettings]):
    key = "pigeon"
    channel = "pigeon_post"
    title = "Carrier pigeon"
    contract_version = CONTRACT_VERSION
    settings: type[BaseModel] = PigeonSettings
    capabilities = Capabilities(
        content={"text": ContentField(max_length=40)},
        observes=frozenset({ReceiptKind.DELIVERED}),
        native_idempotency=True,
    )
    send_as: Any = staticmethod(lambda message: Accepted(f"p-{message.reference}"))

    def open(self, settings: PigeonSettings, tools: Tools) -> Pigeon:
        pigeon = Pigeon()
        pigeon.send_as = self.send_as
        return pigeon

    def verify(self, settings: PigeonSettings, callback: Callback, now: int) -> Verified | Refused:
        genuine = callback.headers.get("x-ring") == "coo coo" and callback.body == b"landed"
        return Verified(callback, now) if genuine else Refused("no ring")

    def parse(self, settings: PigeonSettings, verified: Verified) -> list[Receipt]:
        body = verified.callback.body.decode("utf-8", "replace")
        kind = ReceiptKind.DELIVERED if body == "landed" else ReceiptKind.UNMAPPED
        return [Receipt(body, kind, verified.received_at, reference="m-1", raw=body)]


LANDED = Callback("POST", "/", {"x-ring": "coo coo"}, {}, b"landed")


async def test_a_good_channel_passes() -> None:
    await check_channel(PigeonChannel(), PigeonSettings(), callbacks=[LANDED])


def capabilities(**changes: Any) -> Capabilities:
    return Capabilities(**{"content": {"text": ContentField()}, "native_idempotency": True, **changes})


class Leaky(BaseModel):
    password: str = "coo coo"


NUMBERS = itertools.count(1)


async def _fetched(self: object, *_: object) -> object:
    return [Receipt("same", ReceiptKind.DELIVERED, NOW, reference="m-1")], "1"


def _boom(*_: object) -> Any:
    raise RuntimeError("boom")


U = ReceiptKind.UNMAPPED


class Loose(BaseModel):
    speed: int = 1


class Tight(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _log_the_secret(message: Message) -> Outcome:
    logging.getLogger("channels").debug("flying with %s", "coo coo")
    return Accepted(f"p-{message.reference}")


def _by_ring_alone(self: object, s: object, callback: Callback, now: int) -> Verified | Refused:
    return Verified(callback, now) if callback.headers.get("x-ring") == "coo coo" else Refused("no ring")


def _by_body_alone(self: object, s: object, callback: Callback, now: int) -> Verified | Refused:
    return Verified(callback, now) if callback.body == b"landed" else Refused("no")


@pytest.mark.parametrize(
    ("broken", "finding"),
    [
        ({"key": "Pigeon Post"}, "key must be lower-case"),
        ({"title": " "}, "title is empty"),
        ({"contract_version": 9}, "contract_version is 9"),
        ({"settings": Leaky}, "sounds like a secret"),
        ({"capabilities": capabilities(content={})}, "names no field"),
        ({"capabilities": capabilities(observes=frozenset({ReceiptKind.SKIPPED}))}, "no provider tells"),
        ({"capabilities": capabilities(batch_size=0)}, "at least 1"),
        ({"capabilities": capabilities(batch_size=5)}, "send_many"),
        ({"capabilities": capabilities(rate_per_second=0)}, "above 0"),
        ({"capabilities": capabilities(on_unknown=OnUnknown.ASK)}, "needs ask"),
        (
            {"capabilities": capabilities(native_idempotency=False, on_unknown=OnUnknown.RESEND_SAME_KEY)},
            "needs native_idempotency",
        ),
        ({"capabilities": capabilities()}, "capabilities.observes does not name"),
        ({"problems": lambda *_: None}, "list of Problem"),
        ({"problems": lambda *_: [Problem("", "coo coo is weak")]}, "repeats a secret"),
        ({"open": _fetched}, "open() returned a coroutine"),
        ({"send_as": _boom}, "send() raised RuntimeError"),
        ({"send_as": lambda message: True}, "returned a bool"),
        ({"send_as": lambda message: Accepted("")}, "needs a provider_id"),
        ({"send_as": lambda message: Accepted(str(next(NUMBERS)))}, "one reference sent twice"),
        ({"send_as": lambda message: Deferred(5, Reason.RATE_LIMITED)}, "lies in the past"),
        ({"send_as": lambda message: Accepted("1", text="with coo coo")}, "repeats a secret"),
        ({"verify": lambda self, s, callback, now: Verified(callback, now)}, "false callback pass"),
        ({"verify": _boom}, "verify() raised"),
        ({"verify": lambda *_: Refused("never")}, "refused a genuine callback: never"),
        ({"parse": lambda *_: []}, "must make an unmapped receipt"),
        ({"parse": lambda self, s, v: [Receipt("", ReceiptKind.UNMAPPED, NOW)]}, "has no key"),
        ({"parse": lambda self, s, v: [Receipt("1", ReceiptKind.DELIVERED, NOW)]}, "names no message"),
        ({"parse": lambda self, s, v: [Receipt("1", ReceiptKind.UNMAPPED, NOW)] * 2}, "the same key"),
        ({"poll": _fetched}, "tells the same receipts again"),
        ({"poll": _boom}, "poll() raised RuntimeError"),
        ({"probe": _boom}, "probe() raised RuntimeError"),
        ({"capabilities": capabilities(address_scheme="Fcm")}, "must look like `fcm:`"),
        ({"capabilities": capabilities(needs_template=True)}, "needs a field `template`"),
        (
            {"capabilities": capabilities(content={"template": ContentField(required=True)})},
            "so claim needs_template",
        ),
        ({"capabilities": capabilities(inbound=True)}, "never brings anything"),
        ({"parse_inbound": lambda *_: []}, "capabilities.inbound does not claim it"),
        ({"options": dict}, "must be a pydantic model"),
        ({"options": Loose}, "takes an unknown field"),
        ({"options": Loose}, "must be frozen"),
        ({"options": Tight}, "an option that the options model does not know"),
        ({"__repr__": lambda self: "coo coo"}, "the channel's repr"),
        ({"send_as": _log_the_secret}, "a secret is in the log"),
        ({"send_as": lambda message: Accepted("1", text="x" * 50_000)}, "a text without end"),
        (
            {"send_as": lambda message: Accepted(message.content["text"].encode("ascii").decode())},
            "send() raised",
        ),
        ({"parse": lambda self, s, v: [Receipt(str(v.received_at), U, v.received_at)]}, "would count twice"),
        (
            {"parse": lambda self, s, v: [Receipt("1", U, NOW)] if len(v.callback.body) > 5 else _boom()},
            "cut off",
        ),
        ({"verify": lambda self, s, callback, now: True}, "returned a bool; it must be Verified or Refused"),
        ({"verify": lambda *_: Refused("not coo coo")}, "verify() repeats a secret"),
        ({"verify": _by_ring_alone}, "with another body"),
        ({"verify": _by_body_alone}, "without headers and query"),
    ],
)
@pytest.mark.filterwarnings("ignore:coroutine '_fetched' was never awaited:RuntimeWarning")
async def test_a_broken_promise_is_found(broken: dict[str, Any], finding: str) -> None:
    staticly = {"send_as": staticmethod(broken["send_as"])} if "send_as" in broken else {}
    channel = type("Broken", (PigeonChannel,), {**broken, **staticly})()
    with pytest.raises(ContractBroken) as caught:
        await check_channel(channel, channel.settings(), callbacks=[LANDED])
    assert any(finding in found for found in caught.value.findings), caught.value.findings


async def test_a_channel_that_takes_messages_for_a_dead_server_is_found() -> None:
    with pytest.raises(ContractBroken) as caught:
        await check_channel(PigeonChannel(), PigeonSettings(), unreachable=PigeonSettings())
    assert len(caught.value.findings) == 2
