import base64
import json
import re
import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError
from standardwebhooks import Webhook

from channels import (
    Accepted,
    Callback,
    Deferred,
    Inbound,
    Message,
    Outcome,
    Receipt,
    ReceiptKind,
    Rejected,
    Tools,
    Unknown,
    Verified,
)
from channels.contract import Actor, Price, Purpose, Refused
from channels.host import build_host
from channels.reasons import Reason
from channels.testing import NOW, Evidence, check
from channels.testing.providers import Fault, Life, client_of, everybody
from channels.testing.providers.webhook import A_SECRET, EXPRESSES, FakeEndpoint
from channels.webhook.endpoint import WebhookChannel, WebhookSettings
from channels.webhook.reports import OBSERVES
from server.egress import make_public_client

pytestmark = pytest.mark.anyio
SETTINGS = WebhookSettings(url=FakeEndpoint.url, signing_secret=SecretStr(A_SECRET))
ANOTHER = "whsec_" + base64.b64encode(b"another secret of the two").decode()
MINUTE = 60_000


def with_settings(**changes: Any) -> WebhookSettings:
    return SETTINGS.model_copy(update=changes)


def a_message(reference: str = "1-0-7", **changes: Any) -> Message:
    message = Message(reference, "user-1", {"text": "Your order is on its way 🚚"}, NOW)
    return replace(message, **changes)


async def send(
    endpoint: FakeEndpoint, *messages: Message, settings: WebhookSettings = SETTINGS
) -> list[Outcome]:
    async with client_of(endpoint) as http:
        sender = WebhookChannel().open(settings, Tools(endpoint.clock, http))
        return [await sender.send(message) for message in messages]


def heard(callback: Callback, settings: WebhookSettings = SETTINGS) -> list[Receipt | Inbound]:
    verdict = WebhookChannel().verify(settings, callback, NOW)
    assert isinstance(verdict, Verified)
    receipts = WebhookChannel().parse(settings, verdict)
    return [*receipts, *WebhookChannel().parse_inbound(settings, verdict)]


# Out


async def test_keeps_the_contract() -> None:
    endpoint = FakeEndpoint(lambda: NOW)
    every = [{"key": f"k-{kind}", "message": "1-0-7", "kind": kind.value} for kind in sorted(OBSERVES)]
    delivered = {"key": "k", "message": "1-0-7", "kind": "delivered", "at": "2025-12-31T23:59:59Z"}
    inbound = {"key": "k", "kind": "inbound", "from": "user-1", "text": "STOP"}
    settings = with_settings(header_value=SecretStr("Bearer hunter2hunter2"))
    async with client_of(endpoint) as http:
        await check(
            Evidence(
                channel=WebhookChannel(),
                settings=settings,
                tools=Tools(lambda: NOW, http),
                message=a_message(),
                callbacks=[
                    endpoint.post(every, NOW),
                    (
                        endpoint.post(delivered, NOW),
                        [Receipt("k", ReceiptKind.DELIVERED, NOW - 1000, reference="1-0-7")],
                    ),
                    (endpoint.post(inbound, NOW), [Inbound("k", "user-1", "STOP", NOW)]),
                ],
                signs_time=True,
                rotated=with_settings(
                    signing_secret=SecretStr(ANOTHER), previous_signing_secret=SecretStr(A_SECRET)
                ),
                foreign=with_settings(signing_secret=SecretStr(ANOTHER)),
                unreachable=with_settings(url="https://down.example/x"),
            )
        )


async def test_is_found_by_its_dotted_name() -> None:
    host = build_host(discover=False, modules=["channels.webhook.endpoint"])
    assert host.channels["webhook"].channel == "webhook"


async def test_an_event_arrives_signed_and_whole() -> None:
    endpoint = FakeEndpoint(lambda: NOW)
    message = a_message(
        content={"text": "Hi 민아", "title": "News"},
        variables={"name": "민아"},
        options={"type": "order.shipped", "data": {"order": {"id": 1}}},
        purpose=Purpose.ADVERTISEMENT,
        expires_at=NOW + MINUTE,
    )
    settings = with_settings(header_name="X-Api-Key", header_value=SecretStr("hunter2"))
    assert await send(endpoint, message, settings=settings) == [Accepted("relay-1")]
    [(method, path, headers, body)] = endpoint.requests
    assert (method, path) == ("POST", "/sojourn")
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("1-0-7", str(NOW // 1000))
    assert (headers["content-type"], headers["x-api-key"]) == ("application/json", "hunter2")
    assert json.loads(body) == endpoint.events[0]
    assert endpoint.events == [
        {
            "type": "order.shipped",
            "timestamp": "2026-01-01T00:00:00.000Z",
            "data": {
                "message": "1-0-7",
                "user": "user-1",
                "text": "Hi 민아",
                "title": "News",
                "variables": {"name": "민아"},
                "data": {"order": {"id": 1}},
                "purpose": "advertisement",
                "expires_at": "2026-01-01T00:01:00.000Z",
            },
        }
    ]


async def test_the_reference_implementation_believes_what_arrives_with_either_secret() -> None:
    now = int(time.time() * 1000)
    endpoint = FakeEndpoint(lambda: now)
    settings = with_settings(signing_secret=SecretStr(ANOTHER), previous_signing_secret=SecretStr(A_SECRET))
    [outcome] = await send(endpoint, a_message(sent_at=now), settings=settings)
    assert isinstance(outcome, Accepted)
    [(_, _, headers, body)] = endpoint.requests
    for secret in (A_SECRET, ANOTHER):
        assert Webhook(secret).verify(body, dict(headers))["data"]["message"] == "1-0-7"


async def test_a_message_that_was_sent_twice_is_taken_over_once() -> None:
    endpoint = FakeEndpoint(lambda: NOW, faults=[Fault(reset_after=True)])
    first, again = await send(endpoint, a_message(), a_message(sent_at=NOW + 5))
    assert isinstance(first, Unknown)
    assert again == Accepted("relay-1")
    assert list(endpoint.taken) == ["relay-1"]


@pytest.mark.parametrize(
    "body",
    [b"", b"thanks", b"[]", b'{"id": ""}', b'{"id": 5}', b'{"id": "a\\nb"}', b'{"id": "%s"}' % (b"x" * 501)],
)
async def test_an_endpoint_that_names_nothing_has_our_name_for_it(body: bytes) -> None:
    for status in (200, 202, 204):
        assert await send(FakeEndpoint(lambda: NOW, faults=[Fault(status, body=body)]), a_message()) == [
            Accepted("1-0-7")
        ]


@pytest.mark.parametrize("reason", sorted(EXPRESSES))
async def test_every_reason_that_an_endpoint_can_give_comes_back_as_the_same(reason: Reason) -> None:
    endpoint = FakeEndpoint(lambda: NOW, lives=everybody(Life(refused=reason)))
    [outcome] = await send(endpoint, a_message())
    assert isinstance(outcome, Rejected | Deferred)
    assert outcome.reason is reason
    assert not endpoint.taken
    later = (Reason.RATE_LIMITED, Reason.PROVIDER_ERROR, Reason.QUOTA_EXCEEDED, Reason.WINDOW_CLOSED)
    assert isinstance(outcome, Deferred) == (reason in later)
    if reason in (Reason.RATE_LIMITED, Reason.PROVIDER_ERROR):
        assert isinstance(outcome, Deferred)
        assert outcome.retry_at == NOW + 30_000


@pytest.mark.parametrize(
    ("fault", "kind", "reason", "code"),
    [
        (Fault(no_connection=True), Deferred, Reason.PROVIDER_ERROR, ""),
        (Fault(reset_after=True), Unknown, Reason.OUTCOME_UNKNOWN, ""),
        (Fault(504), Unknown, Reason.OUTCOME_UNKNOWN, "504"),
        (Fault(500), Deferred, Reason.PROVIDER_ERROR, "500"),
        (Fault(410), Rejected, Reason.SENDER_INVALID, "410"),
        (Fault(404), Rejected, Reason.REQUEST_INVALID, "404"),
        (Fault(302, {"location": "https://elsewhere.example"}), Rejected, Reason.REQUEST_INVALID, "302"),
        (Fault(422, body=b'{"reason": "never_seen"}'), Rejected, Reason.REQUEST_INVALID, "422"),
        (Fault(422, body=b'{"reason": "outcome_unknown"}'), Rejected, Reason.REQUEST_INVALID, "422"),
        (Fault(422, body=b'{"reason": ["opted_out"]}'), Rejected, Reason.REQUEST_INVALID, "422"),
        (Fault(422, body=b'{"reason": "opted_out", "code": 7}'), Rejected, Reason.OPTED_OUT, "7"),
    ],
)
async def test_an_answer_is_read_by_what_can_have_happened(
    fault: Fault, kind: type[Outcome], reason: Reason, code: str
) -> None:
    [outcome] = await send(FakeEndpoint(lambda: NOW, faults=[fault]), a_message())
    assert isinstance(outcome, kind)
    assert not isinstance(outcome, Accepted)
    assert (outcome.reason, outcome.code) == (reason, code)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"expires_at": NOW}, Reason.EXPIRED),
        ({"options": {"type": "a b"}}, Reason.REQUEST_INVALID),
        ({"options": {"nothing": 1}}, Reason.REQUEST_INVALID),
        ({"reference": "한글"}, Reason.REQUEST_INVALID),
        ({"reference": "a\r\nb"}, Reason.REQUEST_INVALID),
        ({"content": {"text": "x" * 300_000}}, Reason.CONTENT_INVALID),
    ],
)
async def test_what_cannot_be_sent_is_not_sent(changes: Any, reason: Reason) -> None:
    endpoint = FakeEndpoint(lambda: NOW)
    [outcome] = await send(endpoint, a_message(**changes))
    assert isinstance(outcome, Rejected)
    assert outcome.reason is reason
    assert not endpoint.requests


async def test_a_name_that_leads_inside_is_not_called() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return ["10.0.0.1"]

    endpoint = FakeEndpoint(lambda: NOW)
    async with client_of(endpoint) as http, make_public_client(resolve=resolve) as outside:
        tools = Tools(lambda: NOW, http, public_http=outside)
        outcome = await WebhookChannel().open(SETTINGS, tools).send(a_message())
        [problem] = await WebhookChannel().probe(SETTINGS, tools)
    assert isinstance(outcome, Deferred)
    assert problem.path == "url"
    assert not endpoint.requests


# Back


async def test_the_course_of_a_message_comes_back() -> None:
    life = Life(delivered_after=1000, opened_after=2000, clicked_after=3000)
    endpoint = FakeEndpoint(lambda: NOW, lives=everybody(life))
    await send(endpoint, a_message())
    callback = endpoint.callback(endpoint.due(NOW + 5000), NOW)
    found = [one for one in heard(callback) if isinstance(one, Receipt)]
    assert [(one.kind, one.reference, one.provider_id, one.occurred_at) for one in found] == [
        (ReceiptKind.DELIVERED, "1-0-7", "relay-1", NOW + 1000),
        (ReceiptKind.OPENED, "1-0-7", "relay-1", NOW + 2000),
        (ReceiptKind.CLICKED, "1-0-7", "relay-1", NOW + 3000),
    ]


@pytest.mark.parametrize("reason", sorted(Reason))
async def test_a_failure_comes_back_with_its_reason(reason: Reason) -> None:
    endpoint = FakeEndpoint(lambda: NOW, lives=everybody(Life(failed=reason)))
    await send(endpoint, a_message())
    [receipt] = heard(endpoint.callback(endpoint.due(NOW + MINUTE), NOW))
    assert isinstance(receipt, Receipt)
    assert (receipt.kind, receipt.reason) == (ReceiptKind.FAILED, reason)


def test_the_reports_in_the_documentation_are_understood() -> None:
    page = (Path(__file__).parents[3] / "docs/providers/webhook.md").read_text("utf-8")
    [told] = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    delivered, clicked, failed, written = heard(FakeEndpoint(lambda: NOW).post(json.loads(told), NOW))
    assert isinstance(failed, Receipt)
    assert isinstance(clicked, Receipt)
    assert (delivered.occurred_at, clicked.actor) == (NOW + 3000, Actor.HUMAN)
    assert (failed.reason, failed.code, failed.occurred_at) == (Reason.UNREACHABLE, "E17", NOW)
    assert isinstance(written, Inbound)
    assert (written.sender, written.text) == ("user-1", "STOP")


async def test_a_report_says_all_that_it_can() -> None:
    told = {
        "key": "e-1",
        "kind": "clicked",
        "message": "1-0-7",
        "id": "relay-1",
        "user": "user-1",
        "at": "2026-01-01T09:00:00+09:00",
        "code": 7,
        "text": "first button",
        "url": "https://shop.example",
        "actor": "human",
        "reason": "opted_out",
        "price": {"amount": "8.4", "currency": "KRW"},
    }
    [receipt] = heard(FakeEndpoint(lambda: NOW).post(told, NOW))
    assert receipt == Receipt(
        key="e-1",
        kind=ReceiptKind.CLICKED,
        occurred_at=NOW,
        reference="1-0-7",
        provider_id="relay-1",
        code="7",
        text="first button",
        actor=Actor.HUMAN,
        actor_why="the endpoint says so",
        url="https://shop.example",
        recipient="user-1",
        raw=json.dumps(told, sort_keys=True),
        price=Price(Decimal("8.4"), "KRW"),
    )


@pytest.mark.parametrize("price", [8.4, "8.4", {"amount": "much", "currency": "KRW"}, {"amount": 8}, None])
async def test_a_price_that_is_none_costs_the_rest_nothing(price: Any) -> None:
    told = {"kind": "priced", "message": "1-0-7", "price": price}
    [receipt] = heard(FakeEndpoint(lambda: NOW).post(told, NOW))
    assert isinstance(receipt, Receipt)
    assert (receipt.kind, receipt.reference, receipt.price) == (ReceiptKind.PRICED, "1-0-7", None)
    body = json.dumps({"id": "relay-9", "price": price}).encode()
    endpoint = FakeEndpoint(lambda: NOW, faults=[Fault(200, body=body)])
    assert await send(endpoint, a_message()) == [Accepted("relay-9")]


async def test_an_endpoint_says_at_once_what_it_charges() -> None:
    body = b'{"id": "relay-9", "price": {"amount": "0.0079", "currency": "usd"}}'
    endpoint = FakeEndpoint(lambda: NOW, faults=[Fault(200, body=body)])
    price = Price(Decimal("0.0079"), "USD")
    assert await send(endpoint, a_message()) == [Accepted("relay-9", price=price)]


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"kind": "failed"}, Reason.UNKNOWN),
        ({"kind": "bounced", "reason": "never_seen"}, Reason.UNKNOWN),
        ({"kind": "expired"}, Reason.EXPIRED),
        ({"kind": "unsubscribed"}, Reason.OPTED_OUT),
        ({"kind": "delivered", "reason": "expired"}, None),
    ],
)
def test_a_reason_is_taken_where_one_belongs(told: dict[str, str], reason: Reason | None) -> None:
    [receipt] = heard(FakeEndpoint(lambda: NOW).post({**told, "message": "1-0-7"}, NOW))
    assert isinstance(receipt, Receipt)
    assert receipt.reason is reason


@pytest.mark.parametrize(
    "told",
    [
        None,
        "delivered",
        5,
        {},
        {"kind": "delivered"},
        {"kind": "teleported", "message": "1-0-7"},
        {"kind": "attempted", "message": "1-0-7"},
        {"kind": ["delivered"], "message": "1-0-7"},
        {"kind": "inbound", "text": "hi"},
    ],
)
def test_what_is_not_understood_is_kept(told: Any) -> None:
    [receipt] = heard(FakeEndpoint(lambda: NOW).post([told], NOW))
    assert isinstance(receipt, Receipt)
    assert receipt.kind is ReceiptKind.UNMAPPED
    assert json.loads(receipt.raw) == told


def test_one_bad_item_does_not_hide_the_others() -> None:
    items = [{"kind": "delivered", "message": "1-0-7"}, 5, {"kind": "opened", "message": "1-0-7"}]
    found = heard(FakeEndpoint(lambda: NOW).post(items, NOW))
    assert [getattr(one, "kind", None) for one in found] == ["delivered", "unmapped", "opened"]


def test_a_callback_that_comes_twice_counts_once_and_another_that_says_the_same_counts_again() -> None:
    endpoint = FakeEndpoint(lambda: NOW)
    told = {"kind": "opened", "message": "1-0-7"}
    [first], [again], [other] = (
        heard(endpoint.post(told, NOW + later, name))
        for later, name in ((0, "report-1"), (MINUTE, "report-1"), (MINUTE, "report-2"))
    )
    assert first.key == again.key != other.key


@pytest.mark.parametrize(
    ("at", "wanted"),
    [
        (NOW - 1, NOW - 1),
        ("2026-01-01T00:00:00", NOW),
        ("yesterday", NOW + 5),
        (True, NOW + 5),
        (-1, NOW + 5),
        (10**30, NOW + 5),
        ("0001-01-01T00:00:00+23:59", NOW + 5),
        (None, NOW + 5),
    ],
)
def test_a_moment_is_read_or_is_when_we_heard(at: Any, wanted: int) -> None:
    callback = FakeEndpoint(lambda: NOW).post({"kind": "opened", "message": "1-0-7", "at": at}, NOW)
    [receipt] = WebhookChannel().parse(SETTINGS, Verified(callback, NOW + 5))
    assert receipt.occurred_at == wanted


def test_what_somebody_wrote_comes_in_and_is_no_receipt() -> None:
    told = {"kind": "inbound", "key": "in-1", "from": "user-1", "to": "desk", "text": "STOP", "id": "relay-1"}
    assert heard(FakeEndpoint(lambda: NOW).post(told, NOW)) == [
        Inbound("in-1", "user-1", "STOP", NOW, "desk", "relay-1", json.dumps(told, sort_keys=True))
    ]


def test_the_previous_secret_still_speaks_and_a_foreign_one_does_not() -> None:
    callback = FakeEndpoint(lambda: NOW).post({"kind": "opened", "message": "1-0-7"}, NOW)
    new = SecretStr(ANOTHER)
    rotated = with_settings(signing_secret=new, previous_signing_secret=SecretStr(A_SECRET))
    assert len(heard(callback, rotated)) == 1
    for foreign in (with_settings(signing_secret=new), with_settings(signing_secret=SecretStr("hunter2"))):
        assert isinstance(WebhookChannel().verify(foreign, callback, NOW), Refused)


# Settings


@pytest.mark.parametrize(
    "url",
    [
        "",
        "relay.example/x",
        "ftp://relay.example/",
        "https://user:password@relay.example/",
        "https://relay.example/#here",
        "https://relay.example/ x",
        "https:///x",
        "file:///etc/passwd",
    ],
)
def test_an_address_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValidationError):
        WebhookSettings(url=url, signing_secret=SecretStr(A_SECRET))


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        ({}, []),
        ({"url": "http://relay.example/x"}, ["url"]),
        ({"url": "http://relay.example/x", "plain_http": True}, []),
        ({"signing_secret": SecretStr("")}, ["signing_secret"]),
        ({"signing_secret": SecretStr("hunter2")}, ["signing_secret"]),
        ({"previous_signing_secret": SecretStr("hunter2")}, ["previous_signing_secret"]),
        ({"header_value": SecretStr("a\nb")}, ["header_value"]),
        ({"header_name": "Webhook-Signature"}, ["header_name"]),
    ],
)
async def test_what_is_wrong_is_seen_before_and_stops_sending(
    changes: dict[str, Any], paths: list[str]
) -> None:
    found = WebhookChannel().problems(with_settings(**changes))
    assert [problem.path for problem in found] == paths
    assert not any("hunter2" in problem.message for problem in found)
    if paths:
        endpoint = FakeEndpoint(lambda: NOW)
        [outcome] = await send(endpoint, a_message(), settings=with_settings(**changes))
        assert isinstance(outcome, Rejected)
        assert not endpoint.requests


async def test_a_probe_takes_any_answer_and_says_when_there_is_none() -> None:
    endpoint = FakeEndpoint(lambda: NOW)
    async with client_of(endpoint) as http:
        tools = Tools(lambda: NOW, http)
        assert await WebhookChannel().probe(SETTINGS, tools) == []
        [problem] = await WebhookChannel().probe(with_settings(url="https://down.example/"), tools)
    assert "nobody answers" in problem.message
    assert [request[0] for request in endpoint.requests] == ["HEAD"]
