"""The providers behind the journey on every channel: fakes that speak the real wire formats, in this process.

The real adapters reach them over HTTP that never leaves the process, and they call back the same way. Text
messages and WhatsApp are packages of their own; where one is not installed, a fake channel stands in.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

import httpx

from channels.contract import Callback
from channels.host import Host
from channels.testing import FakeChannel
from channels.testing.providers import FakeProvider, Lives, apns, fcm, nhn, sendgrid, solapi, webhook
from channels.testing.providers.kakao import KAKAO_CODES
from server.clock import MINUTE, Clock, Instant

from . import alimtalk, order
from .api import Api
from .fates import MISFORTUNES, as_told, fates
from .people import Person

READERS_SECRET = "made to be seen, like all keys here"
"""Signs the tokens with which readers' apps fetch messages."""
PROFILE = "KA01PF0000000000000000000000000"
"""Under which SOLAPI knows the shop's channel."""
GATHERS_FOR = 20 * MINUTE
"""In the life of the sample; what happened has its own time in what is told of it."""


@dataclass(slots=True)
class Line:
    """A connection, and the provider behind it."""

    name: str
    adapter: str
    settings: dict[str, Any]
    provider: FakeProvider | None = None
    calls_back: bool = False
    one_at_a_time: bool = False
    """Whether it tells one thing a request."""
    module: str = ""
    """Where the adapter is, for one that is installed on its own and may not have been looked for."""
    stand_in: FakeChannel | None = None
    """Instead of an adapter that is not installed."""
    hook: str = ""
    """Where it calls back to; known once it is connected."""

    def callbacks(self, now: Instant) -> list[Callback]:
        """What it has to tell by now."""
        if self.provider is None or not self.calls_back:
            return []
        reports = self.provider.due(now)
        news = self.provider.desk.news() if isinstance(self.provider, nhn.FakeNhn) else []
        if self.one_at_a_time:
            return [self.provider.callback([one], now) for one in reports]
        return [*news, *([self.provider.callback(reports, now)] if reports else [])]

    def next_due_at(self) -> Instant | None:
        """When it calls next: those that can tell of several messages at once wait for more of them."""
        at = self.provider.next_due_at() if self.provider and self.calls_back else None
        return at if at is None or self.one_at_a_time else at + GATHERS_FOR


class Providers:
    """All of them. They live as long as the process, and forget with it what they had still to tell."""

    def __init__(self, seed: int, persons: Iterable[Person]) -> None:
        self._clock: Clock | None = None
        lives = fates(seed, persons)
        told = as_told(lives, failed=KAKAO_CODES, reads=False)
        self.kakao = nhn.FakeNhn(self._now, is_strict=True, lives=told)
        """A relay with a desk, whose reviewers take their time; no profile of the shop is there yet."""
        self.kakao.desk.reviewer = alimtalk.Reviewer()
        self.lines: Sequence[Line] = (
            *_built_in(self._now, lives),
            _kakao(self.kakao),
            _texts(self._now, lives),
            _whatsapp(self._now, lives),
        )

    def _now(self) -> Instant:
        """Nought until they have joined: until then nobody asks them anything."""
        return self._clock.now() if self._clock else 0

    @property
    def mounts(self) -> dict[str, httpx.AsyncBaseTransport]:
        """Where requests to the real ones are led."""
        found = [line.provider for line in self.lines if line.provider is not None]
        found += [one.accounts for one in found if isinstance(one, fcm.FakeFcm)]
        return {one.base_url: httpx.ASGITransport(one) for one in found}

    def join(self, host: Host, clock: Clock) -> None:
        """From now on they live by this clock, and what stands in for an adapter can be connected."""
        self._clock = clock
        for line in self.lines:
            if line.stand_in is not None:
                host.channels[line.adapter] = line.stand_in
            if line.module:
                for channel in import_module(line.module).register_channels():
                    host.channels.setdefault(channel.key, channel)

    async def connect(self, api: Api) -> None:
        """Makes the connections, or gives those of an earlier process the keys of this one."""
        there = await api.connections()
        for line in self.lines:
            if line.name in there:
                await api.reconnect(there[line.name]["id"], line.settings)
            else:
                await api.connect(line.name, line.adapter, line.settings)
        there = await api.connections()
        for line in self.lines:
            line.hook = there[line.name]["callbackUrl"]
            provider: Any = line.provider
            # Some sign the address as well, and have to be told of it as in life.
            if hasattr(provider, "hook_url"):
                provider.hook_url = line.hook

    def hook_of(self, name: str) -> str:
        """The callback address of a connection of this name."""
        return self.line_of(name).hook

    def line_of(self, name: str) -> Line:
        """The connection of this name."""
        return next(line for line in self.lines if line.name == name)

    def next_due_at(self) -> Instant | None:
        """When any of them has something to tell."""
        return min((at for line in self.lines if (at := line.next_due_at()) is not None), default=None)

    async def call_back(self, client: httpx.AsyncClient, now: Instant) -> int:
        """Has them tell what is due. Returns the number of requests; raises httpx.HTTPStatusError if we
        refuse one."""
        calls = [(line.hook, one) for line in self.lines for one in line.callbacks(now)]
        # One after the other, so that the same sample hears them in the same order.
        for hook, one in calls:
            await _call(client, hook, one)
        return len(calls)


async def _call(client: httpx.AsyncClient, hook: str, callback: Callback) -> None:
    url = urlsplit(callback.url or hook)
    address = url.path + (f"?{url.query}" if url.query else "")
    headers = dict(callback.headers)
    answer = await client.request(callback.method, address, content=callback.body, headers=headers)
    answer.raise_for_status()


def _built_in(now: Any, lives: Lives) -> Iterable[Line]:
    mail = sendgrid.FakeSendGrid(now, lives=as_told(lives, failed=sendgrid.FakeSendGrid.failures))
    about: dict[str, Any] = {
        "api_key": sendgrid.API_KEY,
        "from_address": "order@shop.example",
        "verification_key": sendgrid.verification_key(),
        "provider_tracking": True,
    }
    yield Line(order.MAIL, "sendgrid", about, mail, calls_back=True)
    android = fcm.FakeFcm(now, lives=as_told(lives, refused=fcm.EXPRESSES, reads=False))
    yield Line(order.ANDROID, "fcm", {"service_account": android.service_account}, android)
    iphone = apns.FakeApns(now, lives=as_told(lives, refused=apns.EXPRESSES, reads=False))
    yield Line(order.IPHONE, "apns", _of_apple(iphone), iphone)
    told = as_told(lives, failed=solapi.FAILED, reads=False)
    talk = solapi.FakeSolapi(now, pf_id=PROFILE, lives=told)
    ((key, secret),) = talk.keys.items()
    # Without a secret for webhooks: this one is asked.
    about = {"api_key": key, "api_secret": secret, "pf_id": PROFILE}
    yield Line(order.ALIMTALK, "solapi_alimtalk", about, talk)
    courier = webhook.FakeEndpoint(now, lives=as_told(lives, failed=webhook.EXPRESSES))
    about = {"url": courier.url, "signing_secret": courier.signing_secret}
    yield Line(order.WEBHOOK, "webhook", about, courier, calls_back=True)
    yield Line(order.APP, "in_app", {"signing_secret": READERS_SECRET})


def _kakao(talk: nhn.FakeNhn) -> Line:
    about = {"app_key": talk.app_key, "secret_key": talk.secret_key, "signing_secret": talk.signing_secret}
    return Line(alimtalk.CONNECTION, "nhn_alimtalk", about, talk, calls_back=True)


def _of_apple(provider: apns.FakeApns) -> dict[str, Any]:
    return {
        "private_key": provider.private_key,
        "key_id": provider.key_id,
        "team_id": provider.team_id,
        "topic": provider.topic,
    }


def _texts(now: Any, lives: Lives) -> Line:
    if (package := _installed("sojourn_sms.testing.twilio")) is None:
        return _stand_in(order.TEXTS, "sms", as_told(lives, failed=MISFORTUNES, reads=False))
    provider = package.FakeTwilio(now, lives=as_told(lives, failed=package.FAILED, reads=False))
    about = {
        "account_sid": provider.account_sid,
        "auth_token": provider.auth_token,
        "messaging_service_sid": "MG" + "0" * 32,
    }
    return Line(
        order.TEXTS,
        "twilio_sms",
        about,
        provider,
        calls_back=True,
        one_at_a_time=True,
        module="sojourn_sms.twilio",
    )


def _whatsapp(now: Any, lives: Lives) -> Line:
    if (package := _installed("sojourn_whatsapp.testing")) is None:
        return _stand_in(order.WHATSAPP, "whatsapp", as_told(lives, failed=MISFORTUNES))
    approved = {(order.TEMPLATE, order.LANGUAGE): package.FakeTemplate(("1", "2"))}
    told = as_told(lives, failed=package.FAILED)
    provider = package.FakeWhatsAppCloud(now, lives=told, templates=approved)
    about = {
        "access_token": provider.access_token,
        "phone_number_id": provider.phone_number_id,
        "app_secret": provider.app_secret,
        "verify_token": provider.verify_token,
    }
    return Line(order.WHATSAPP, "whatsapp_cloud", about, provider, calls_back=True, module="sojourn_whatsapp")


def _installed(name: str) -> Any:
    """The module, or None where its package is not installed."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name and name.startswith(error.name):
            return None
        raise


def _stand_in(name: str, channel: str, lives: Lives) -> Line:
    fake = FakeChannel(key=f"fake_{channel}", channel=channel, lives=lives)
    return Line(name, fake.key, {}, stand_in=fake)
