import pytest
from channels import Actor, Callback, Inbound, Purpose, Receipt, ReceiptKind, Tools
from channels.reasons import Reason
from channels.testing import NOW, ChannelCheck, Evidence
from channels.testing.providers import client_of
from pydantic import SecretStr
from whatsapp_world import CHANNEL, SETTINGS, TEMPLATES, a_message

from sojourn_whatsapp.testing import FakeWhatsAppCloud

pytest_plugins = ["channels.testing.plugin"]

META = FakeWhatsAppCloud(lambda: NOW, templates=TEMPLATES)
AT = NOW // 1000
PERSON = "+821012345678"


def status(word: str, **more: object) -> dict[str, object]:
    told = {"id": "wamid.1", "status": word, "timestamp": str(AT), "recipient_id": PERSON[1:]}
    return {**told, "biz_opaque_callback_data": "m-1", **more}


def receipt(word: str, kind: ReceiptKind, **more: object) -> Receipt:
    named = {"reference": "m-1", "provider_id": "wamid.1", "recipient": PERSON}
    return Receipt(f"wamid.1:{word}:{AT}", kind, NOW, **{**named, **more})  # type: ignore[arg-type]  # fields by name


PRICE = {"billable": False, "pricing_model": "PMP", "type": "free_customer_service", "category": "utility"}
FAILURE = {"code": 131026, "title": "Message undeliverable", "error_data": {"details": "Not there."}}
STATUSES = META.tell(
    [
        META.change(statuses=[status("sent", pricing=PRICE), status("read")]),
        META.change(statuses=[status("failed", errors=[FAILURE])]),
        META.change(phone_number_id="1", statuses=[status("deleted")]),
    ]
)
TOLD = [
    receipt("sent", ReceiptKind.ACCEPTED, text="utility, free_customer_service, not billable, PMP"),
    receipt("delivered", ReceiptKind.DELIVERED),
    receipt("read", ReceiptKind.OPENED, actor=Actor.HUMAN, actor_why="WhatsApp showed it in an open chat"),
    receipt(
        "failed",
        ReceiptKind.FAILED,
        reason=Reason.NOT_ON_CHANNEL,
        code="131026",
        text="Message undeliverable — Not there.",
    ),
]
STOPPED = Receipt(
    f"{PERSON}:marketing_messages:stop:{AT}",
    ReceiptKind.UNSUBSCRIBED,
    NOW,
    code="stop",
    text="User requested to stop marketing messages",
    actor=Actor.HUMAN,
    actor_why="stopped marketing messages in WhatsApp",
    recipient=PERSON,
    purpose=Purpose.ADVERTISEMENT,
)
WROTE = META.wrote(PERSON, "STOP", answering="wamid.1")
SAID = Inbound(
    f"wamid.in.{PERSON[1:]}.{NOW}", PERSON, "STOP", NOW, recipient="+15550783881", provider_id="wamid.1"
)
CALLBACKS: list[Callback | tuple[Callback, list[Receipt | Inbound]]] = [
    (STATUSES, [*TOLD]),
    (META.prefers(PERSON), [STOPPED]),
    (WROTE, [SAID]),
    META.challenge(),
]


@pytest.fixture
def channel_evidence() -> Evidence:
    keys = {"app_secret": SecretStr("a new secret"), "previous_app_secret": SETTINGS.app_secret}
    foreign = {"app_secret": SecretStr("another"), "verify_token": SecretStr("another")}
    return Evidence(
        channel=CHANNEL,
        settings=SETTINGS,
        tools=Tools(clock=lambda: NOW, http=client_of(META)),
        message=a_message(options={}),
        callbacks=CALLBACKS,
        rotated=SETTINGS.model_copy(update=keys),
        foreign=SETTINGS.model_copy(update=foreign),
        unreachable=SETTINGS.model_copy(update={"base_url": "https://down.example"}),
        module="sojourn_whatsapp",
    )


def test_it_keeps_the_contract(channel_check: ChannelCheck) -> None:
    channel_check()
