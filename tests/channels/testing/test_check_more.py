"""Evidence that an author gives besides, and channels that break what it shows: each is found."""

import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import httpx
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
    Inbound,
    Message,
    Outcome,
    Reason,
    Receipt,
    ReceiptKind,
    Refused,
    Rejected,
    Tools,
    Unknown,
    Verified,
)
from channels.errors import ContractBroken
from channels.http import exchange, outcome_of_status
from channels.testing import NOW, Evidence, Proof, check

pytestmark = pytest.mark.anyio


class OwlSettings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    api_key: SecretStr = SecretStr("hoot hoot")
    secret: SecretStr = SecretStr("tu-whit")
    previous_secret: SecretStr = SecretStr("")


class Owl:
    """Speaks HTTP as it should: asks for a login first, then sends."""

    def __init__(self, settings: OwlSettings, tools: Tools) -> None:
        self.settings, self.tools = settings, tools

    async def send(self, message: Message) -> Outcome:
        login = await exchange(self.tools, "POST", "https://owl.example/login/token")
        if not isinstance(login, httpx.Response):
            return Deferred(self.tools.clock(), Reason.PROVIDER_ERROR)
        if not login.is_success:
            return outcome_of_status(login, self.tools.clock())
        return await self.deliver(message)

    async def deliver(self, message: Message) -> Outcome:
        key = {"authorization": self.settings.api_key.get_secret_value()}
        letter = {"to": message.to, "ref": message.reference}
        answer = await exchange(self.tools, "POST", "https://owl.example/v1/send", headers=key, json=letter)
        if not isinstance(answer, httpx.Response):
            return answer
        if not answer.is_success:
            return outcome_of_status(answer, self.tools.clock())
        try:
            return Accepted(str(answer.json()["id"]))
        except (ValueError, TypeError, KeyError):
            return Unknown()

    async def send_many(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        return [await self.send(message) for message in messages]

    async def aclose(self) -> None:
        pass


class OwlChannel(BaseChannel[OwlSettings]):
    key = "owl"
    channel = "owl_post"
    title = "Owl"
    contract_version = CONTRACT_VERSION
    settings = OwlSettings
    capabilities = Capabilities(
        content={"text": ContentField()},
        observes=frozenset({ReceiptKind.DELIVERED}),
        batch_size=3,
        inbound=True,
    )
    sender: type[Owl] = Owl

    def open(self, settings: OwlSettings, tools: Tools) -> Owl:
        return self.sender(settings, tools)

    def verify(self, settings: OwlSettings, callback: Callback, now: int) -> Verified | Refused:
        stamp, given = callback.headers.get("x-time", ""), callback.headers.get("x-sign", "")
        ours = {
            sign(one.get_secret_value(), stamp, callback.body)
            for one in (settings.secret, settings.previous_secret)
            if one.get_secret_value()
        }
        if given not in ours or abs(now - int(stamp)) > 300_000:
            return Refused("not an owl")
        return Verified(callback, now)

    def parse(self, settings: OwlSettings, verified: Verified) -> list[Receipt]:
        return [one for one in self.read(verified) if isinstance(one, Receipt)]

    def parse_inbound(self, settings: OwlSettings, verified: Verified) -> list[Inbound]:
        return [one for one in self.read(verified) if isinstance(one, Inbound)]

    def read(self, verified: Verified) -> list[Receipt | Inbound]:
        try:
            told = json.loads(verified.callback.body)
        except ValueError:
            told = None
        return [self.one(item, verified) for item in (told if isinstance(told, list) else [told])]

    def one(self, item: Any, verified: Verified) -> Receipt | Inbound:
        kind = item.get("kind") if isinstance(item, dict) else None
        texts = isinstance(item, dict) and isinstance(item.get("id"), str) and isinstance(item.get("on"), str)
        if texts and kind == "landed":
            return Receipt(item["id"], ReceiptKind.DELIVERED, NOW, item["on"])
        if texts and kind == "wrote":
            return Inbound(item["id"], item["on"], "hoo", NOW)
        raw = json.dumps(item) if item is not None else repr(verified.callback.body)
        return Receipt(hashlib.sha256(raw.encode()).hexdigest(), ReceiptKind.UNMAPPED, NOW, raw=raw)


def sign(secret: str, stamp: str, body: bytes) -> str:
    return hmac.new(secret.encode(), stamp.encode("utf-8", "replace") + body, hashlib.sha256).hexdigest()


def told(*items: dict[str, str], secret: str = "tu-whit") -> Callback:
    body = json.dumps(items).encode()
    return Callback("POST", "/", {"x-time": str(NOW), "x-sign": sign(secret, str(NOW), body)}, {}, body)


LANDED = {"kind": "landed", "id": "e-1", "on": "m-1"}
AGAIN = {"kind": "landed", "id": "e-2", "on": "m-2"}
WROTE = {"kind": "wrote", "id": "e-3", "on": "mina"}
SAID = [
    Receipt("e-1", ReceiptKind.DELIVERED, NOW, "m-1"),
    Receipt("e-2", ReceiptKind.DELIVERED, NOW, "m-2"),
    Inbound("e-3", "mina", "hoo", NOW),
]


def provider(request: httpx.Request) -> httpx.Response:
    if request.url.path == "/login/token":
        return httpx.Response(200, json={"token": "1"})
    if not request.content:
        return httpx.Response(200, json={"id": "1"})
    letter = json.loads(request.content)
    return httpx.Response(200 if letter["to"].strip() else 400, json={"id": letter["ref"]})


def evidence(**changes: Any) -> Evidence:
    http = httpx.AsyncClient(transport=httpx.MockTransport(provider))
    usual: dict[str, Any] = {
        "channel": OwlChannel(),
        "settings": OwlSettings(),
        "tools": Tools(clock=lambda: NOW, http=http),
        "callbacks": [(told(LANDED, AGAIN, WROTE), SAID)],
        "signs_time": True,
        "rotated": OwlSettings(secret=SecretStr("new"), previous_secret=SecretStr("tu-whit")),
        "foreign": OwlSettings(secret=SecretStr("new")),
    }
    return Evidence(**{**usual, **changes})


async def broken(**changes: Any) -> str:
    with pytest.raises(ContractBroken) as caught:
        await check(evidence(**changes))
    return "\n".join(caught.value.findings)


def channel(**parts: Any) -> OwlChannel:
    made: OwlChannel = type("Broken", (OwlChannel,), parts)()
    return made


def sender(**parts: Any) -> OwlChannel:
    return channel(sender=type("BrokenOwl", (Owl,), parts))


async def test_a_good_channel_with_all_its_evidence_passes() -> None:
    await check(evidence())


async def _always(self: Owl, message: Message) -> Outcome:
    await self.tools.http.post("https://owl.example/v1/send")
    return Accepted("1")


async def _raises(self: Owl, message: Message) -> Outcome:
    answer = await self.tools.http.post("https://owl.example/v1/send", json={"to": "1", "ref": "1"})
    return Accepted(answer.json()["id"])


def ending(choose: Callable[[httpx.Response], Outcome | None]) -> OwlChannel:
    """A channel that is good until an answer comes for which `choose` has another outcome."""

    async def deliver(self: Owl, message: Message) -> Outcome:
        letter = {"to": message.to, "ref": message.reference}
        answer = await exchange(self.tools, "POST", "https://owl.example/v1/send", json=letter)
        if isinstance(answer, httpx.Response) and (chosen := choose(answer)) is not None:
            return chosen
        return await Owl.deliver(self, message)

    return sender(deliver=deliver)


async def _key_in_address(self: Owl, message: Message) -> Outcome:
    key = self.settings.api_key.get_secret_value()
    await exchange(self.tools, "GET", "https://owl.example/v1/check", params={"key": key})
    return await Owl.deliver(self, message)


SOON = Deferred(NOW, Reason.RATE_LIMITED)


async def _all_is_unknown(self: Owl, message: Message) -> Outcome:
    outcome = await Owl.deliver(self, message)
    return Unknown() if isinstance(outcome, Deferred) else outcome


async def _all_is_deferred(self: Owl, message: Message) -> Outcome:
    outcome = await Owl.deliver(self, message)
    return Deferred(NOW, Reason.PROVIDER_ERROR) if isinstance(outcome, Unknown) else outcome


@pytest.mark.parametrize(
    ("wrong", "finding"),
    [
        (sender(deliver=_always), "it must not be Accepted"),
        (sender(deliver=_raises), "send() raised"),
        (sender(deliver=_key_in_address), "a secret is in the address"),
        (sender(deliver=_all_is_unknown), "nothing has left, so it must be Deferred"),
        (sender(deliver=_all_is_deferred), "may have left, so it must be Unknown"),
        (sender(deliver=_all_is_deferred), "may have taken it over, so it must be Unknown"),
        (
            ending(lambda a: Rejected(Reason.REQUEST_INVALID) if a.status_code == 401 else None),
            "must be of the class sender",
        ),
        (
            ending(lambda a: Deferred(NOW, Reason.RATE_LIMITED) if a.status_code == 429 else None),
            "17 seconds",
        ),
        (ending(lambda a: Rejected(Reason.UNKNOWN) if a.status_code == 500 else None), "Deferred or Unknown"),
    ],
)
async def test_an_unsound_outcome_of_an_answer_is_found(wrong: OwlChannel, finding: str) -> None:
    assert finding in await broken(channel=wrong)


async def _too_few(self: Owl, messages: Sequence[Message]) -> Sequence[Outcome]:
    return [await self.send(message) for message in messages[:2]]


async def _backwards(self: Owl, messages: Sequence[Message]) -> Sequence[Outcome]:
    return [await self.send(message) for message in reversed(messages)][::1]


async def _one_id(self: Owl, messages: Sequence[Message]) -> Sequence[Outcome]:
    return [Accepted("1") for _ in messages]


async def _never_empty(self: Owl, messages: Sequence[Message]) -> Sequence[Outcome]:
    return [await self.send(message) for message in [*messages, messages[0]]][:-1]


@pytest.mark.parametrize(
    ("send_many", "finding"),
    [
        (_too_few, "gave 2 outcomes for 3 messages"),
        (_backwards, "must end as each alone does"),
        (_one_id, "two messages one provider_id"),
        (_never_empty, "send_many() raised IndexError"),
    ],
)
async def test_a_batch_that_is_mixed_up_is_found(send_many: Any, finding: str) -> None:
    capabilities = replace(OwlChannel.capabilities, batch_size=4 if send_many is _backwards else 3)
    wrong = sender(send_many=send_many)
    wrong.capabilities = capabilities
    assert finding in await broken(channel=wrong)


LANDED_X = Receipt("x", ReceiptKind.DELIVERED, NOW, "m")
OPENED_X = Receipt("x", ReceiptKind.OPENED, NOW, "m")
OPENS_TOO = frozenset({ReceiptKind.DELIVERED, ReceiptKind.OPENED})


def _without_time(self: OwlChannel, s: OwlSettings, callback: Callback, now: int) -> Verified | Refused:
    return OwlChannel.verify(self, s, callback, int(callback.headers.get("x-time") or 0))


def _without_previous(self: OwlChannel, s: OwlSettings, callback: Callback, now: int) -> Verified | Refused:
    return OwlChannel.verify(self, s.model_copy(update={"previous_secret": SecretStr("")}), callback, now)


def _any_secret(self: OwlChannel, s: OwlSettings, callback: Callback, now: int) -> Verified | Refused:
    return OwlChannel.verify(self, OwlSettings(), callback, now)


def _odd(known: Callable[[Any], Any]) -> Callable[..., Receipt | Inbound]:
    def one(self: OwlChannel, item: Any, verified: Verified) -> Receipt | Inbound:
        return known(item) or OwlChannel.one(self, item, verified)

    return one


@pytest.mark.parametrize(
    ("parts", "finding"),
    [
        ({"verify": _without_time}, "stale, seen an hour later"),
        ({"verify": _without_previous}, "the previous secret signed is refused"),
        ({"verify": _any_secret}, "another secret signed"),
        (
            {"one": _odd(lambda item: item and item.get("id", 1).strip() and None)},
            "it must never raise",
        ),
        (
            {"one": _odd(lambda item: LANDED_X if "zzUnknown" in str(item) else None)},
            "hears something else (for a payload with unknown fields added",
        ),
        (
            {"one": _odd(lambda item: OPENED_X if "never" in str(item) else None)},
            "brings opened",
        ),
        ({"parse_inbound": lambda *_: []}, "says 3 things, found 2"),
        ({"parse": lambda *_: []}, "must make an unmapped receipt"),
        (
            {"capabilities": replace(OwlChannel.capabilities, observes=OPENS_TOO)},
            "claims opened, which no golden callback",
        ),
    ],
)
async def test_a_callback_that_is_read_wrongly_is_found(parts: dict[str, Any], finding: str) -> None:
    assert finding in await broken(channel=channel(**parts))


async def test_a_golden_callback_that_says_something_else_is_found() -> None:
    wrong = [replace(SAID[0], occurred_at=NOW + 1), *SAID[1:]]
    assert "a golden callback says" in await broken(callbacks=[(told(LANDED, AGAIN, WROTE), wrong)])


async def test_a_shared_secret_does_not_cover_the_body_and_need_not() -> None:
    def by_secret(self: object, s: OwlSettings, callback: Callback, now: int) -> Verified | Refused:
        given = callback.headers.get("x-sign") == told(LANDED).headers["x-sign"]
        return Verified(callback, now) if given else Refused("no")

    wrong = channel(verify=by_secret)
    usual: dict[str, Any] = {"signs_time": False, "rotated": None, "foreign": None}
    golden = [(told(LANDED), SAID[:1])]
    await check(evidence(channel=wrong, callbacks=golden, proof=Proof.SECRET, **usual))
    assert "with another body" in await broken(channel=wrong, callbacks=golden, **usual)


async def test_a_slow_reader_of_long_payloads_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels.testing.checks.callbacks._MANY_SECONDS", 0.0)
    assert "for 3000 receipts" in await broken()


@pytest.mark.parametrize(
    ("source", "finding"),
    [
        ("import socket\nsocket.create_connection(('127.0.0.1', 9))", "without a network fails"),
        ("import httpx", "imports httpx"),
        ("x = sum(range(10**6))", ""),
    ],
)
async def test_what_an_import_does_is_seen(
    source: str, finding: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"owl_{abs(hash(source))}"
    (tmp_path / f"{name}.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    if finding:
        assert finding in await broken(module=name)
    else:
        await check(evidence(module=name))
