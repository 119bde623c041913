"""The walk of a shop at NHN Cloud: prerequisites, template, review, approval; through the whole app."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from channels.testing.providers.nhn import FakeNhn
from channels.testing.providers.pictures import a_png
from server.app import create_app
from server.clock import WallClock
from server.config import API, Settings
from server.runtime import Runtime, open_runtime
from server.store import projects

pytestmark = pytest.mark.anyio

WHO = {"searchId": "@소전몰", "phone": "01012345678", "category": "00100010001"}
STANDINGS = "registrations { id code inspection isSendable isReplaced version comments { kind text } }"
WELCOME = {
    "name": "가입 환영",
    "body": "#{이름}님, 소전몰에 가입해 주셔서 감사합니다.",
    "category": "001001",
    "buttons": [{"type": "WL", "name": "둘러보기", "linkMobile": "https://shop.example"}],
}


@dataclass
class Shop:
    runtime: Runtime
    client: httpx.AsyncClient
    relay: Any
    connection: str = ""

    @property
    def nhn(self) -> FakeNhn:
        assert isinstance(self.relay, FakeNhn)
        return self.relay

    async def ask(self, text: str, **variables: Any) -> dict[str, Any]:
        answer = await self.client.post("/graphql", json={"query": text, "variables": variables})
        told = answer.json()
        assert "errors" not in told, told["errors"]
        return dict(told["data"])

    async def change(self, mutation: str, kind: str, selection: str, /, **input: Any) -> dict[str, Any]:
        text = f"mutation($input: {kind}!) {{ answer: {mutation}(input: $input) {{ __typename "
        text += f"... on Problem {{ message code path }} {selection} }} }}"
        return dict((await self.ask(text, input=input))["answer"])

    async def save(self, **template: Any) -> str:
        selection = "... on SaveAlimtalkTemplatePayload { template { id } }"
        wish = {"key": "welcome", "template": {**WELCOME, **template}}
        made = await self.change("saveAlimtalkTemplate", "SaveAlimtalkTemplateInput", selection, **wish)
        return str(made["template"]["id"])

    async def request(self, id: str, **more: Any) -> list[dict[str, Any]]:
        selection = f"... on RequestAlimtalkReviewPayload {{ template {{ {STANDINGS} }} }}"
        kind = "RequestAlimtalkReviewInput"
        answer = await self.change("requestAlimtalkReview", kind, selection, id=id, **more)
        assert answer["__typename"] == "RequestAlimtalkReviewPayload", answer
        return list(answer["template"]["registrations"])

    async def standings(self) -> list[dict[str, Any]]:
        text = f'{{ alimtalkTemplate(key: "welcome") {{ {STANDINGS} }} }}'
        return list((await self.ask(text))["alimtalkTemplate"]["registrations"])

    async def hear(self) -> None:
        """What NHN calls back with."""
        callbacks = self.nhn.desk.news()
        assert callbacks
        for one in callbacks:
            number = (await self.ask("{ connections { callbackUrl } }"))["connections"][0]["callbackUrl"]
            path = httpx.URL(number).path
            answer = await self.client.post(path, content=one.body, headers=dict(one.headers))
            assert answer.status_code == 200, answer.text

    async def sync(self) -> dict[str, Any]:
        selection = "... on SyncAlimtalkPayload { adopted isComplete profile { searchId state dailyCap } }"
        about = {"connectionId": self.connection}
        return await self.change("syncAlimtalk", "SyncAlimtalkInput", selection, **about)


@asynccontextmanager
async def open_shop(url: str, relay: Any, adapter: str, settings: dict[str, str]) -> AsyncIterator[Shop]:
    mounts = {relay.base_url: httpx.ASGITransport(relay)}
    of_server = Settings(database_url=url, discover_plugins=False)
    async with open_runtime(of_server, parts=(API,), mounts=mounts) as runtime:
        async with runtime.db.write() as session:
            project = await projects.create(session, "Shop", "Asia/Seoul", 0)
        headers = {"Authorization": f"Bearer {project.secret_key}"}
        transport = httpx.ASGITransport(create_app(runtime, (API,)))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://shop.test", headers=headers
        ) as client:
            shop = Shop(runtime, client, relay)
            selection = "... on CreateConnectionPayload { connection { id } }"
            wish = {"name": "카카오", "adapter": adapter, "settings": settings}
            made = await shop.change("createConnection", "CreateConnectionInput", selection, **wish)
            shop.connection = made["connection"]["id"]
            yield shop


@asynccontextmanager
async def open_nhn(url: str) -> AsyncIterator[Shop]:
    nhn = FakeNhn(WallClock().now, is_strict=True)
    given = {"app_key": nhn.app_key, "secret_key": nhn.secret_key, "signing_secret": nhn.signing_secret}
    async with open_shop(url, nhn, "nhn_alimtalk", given) as shop:
        yield shop


async def test_the_walk_of_a_shop_at_nhn_cloud(sqlite_url: str) -> None:
    async with open_nhn(sqlite_url) as shop:
        # 1. The channel proves itself by the token that its administrator was sent.
        about = {"connectionId": shop.connection, **WHO}
        asked = await shop.change("requestProfileToken", "RequestProfileTokenInput", "", **about)
        assert asked["__typename"] == "RequestProfileTokenPayload", asked
        token = str(shop.nhn.desk.tokens["@소전몰"][0])
        kind, selection = (
            "RegisterSenderProfileInput",
            "... on RegisterSenderProfilePayload { profile { state } }",
        )
        registered = await shop.change("registerSenderProfile", kind, selection, token=token, **about)
        assert registered["profile"]["state"] == "ACTIVE"
        # 2. and 3. A template is handed in, rejected, explained and approved.
        id = await shop.save()
        early = {"id": id, "comment": "가입 직후에 보냅니다."}
        told = await shop.change("requestAlimtalkReview", "RequestAlimtalkReviewInput", "", **early)
        assert "commentOnAlimtalk" in told["message"]
        [standing] = await shop.request(id)
        assert (standing["code"], standing["inspection"]) == ("welcome_1", "REQUESTED")
        shop.nhn.desk.reject("welcome_1", "버튼의 목적을 알려 주세요.")
        await shop.hear()
        [standing] = await shop.standings()
        assert standing["inspection"] == "REJECTED"
        assert standing["comments"][-1]["text"] == "버튼의 목적을 알려 주세요."
        files = [{"name": "화면.png", "mediaType": "image/png", "content": "aGVsbG8="}]
        [standing] = await shop.request(id, comment="누리집으로 갑니다.", attachments=files)
        assert standing["inspection"] in ("REQUESTED", "IN_REVIEW")
        shop.nhn.desk.approve("welcome_1")
        await shop.hear()
        [standing] = await shop.standings()
        assert (standing["inspection"], standing["isSendable"]) == ("APPROVED", True)
        # An edit is reviewed while the approved one is sent on.
        await shop.save(body="#{이름}님, 소전몰입니다.")
        waiting, live = await shop.request(id)
        assert (waiting["code"], waiting["isSendable"], live["isSendable"]) == ("welcome_1", False, True)
        assert (await shop.sync())["isComplete"]
        assert [one["isSendable"] for one in await shop.standings()] == [False, True]
        shop.nhn.desk.approve("welcome_1")
        await shop.hear()
        synced = await shop.sync()
        assert synced["profile"]["searchId"] == "@소전몰"
        assert [(one["isSendable"], one["isReplaced"]) for one in await shop.standings()] == [
            (True, False),
            (False, True),
        ]
        kinds = await shop.ask("{ notices(first: 20) { edges { node { kind } } } }")
        told = [one["node"]["kind"] for one in kinds["notices"]["edges"]]
        assert sorted(told) == ["ALIMTALK_APPROVED", "ALIMTALK_APPROVED", "ALIMTALK_REJECTED"]


async def test_what_nhn_refuses_says_why_and_a_picture_gets_there(sqlite_url: str) -> None:
    async with open_nhn(sqlite_url) as shop:
        wish = {"id": shop.connection, "settings": {"app_key": "nhnAppKey1", "sender_key": "0" * 40}}
        await shop.change("updateConnection", "UpdateConnectionInput", "", **wish)
        selection = "... on UploadAlimtalkImagePayload { image { name url width height size mediaType } }"
        picture = {"kind": "IMAGE", "content": base64.b64encode(a_png(800, 400)).decode()}
        kept = await shop.change("uploadAlimtalkImage", "UploadAlimtalkImageInput", selection, **picture)
        shown = await shop.client.get(httpx.URL(kept["image"]["url"]).path)
        assert (shown.status_code, shown.content) == (200, a_png(800, 400))
        assert (await shop.client.get("/alimtalk/images/x.png")).status_code == 404
        await shop.request(await shop.save(emphasis="IMAGE", image=kept["image"]))
        assert len(shop.nhn.desk.pictures) == 1
        await shop.save(category="000000", body="다른 글")
        id = await shop.save(body="다른 글")
        shop.nhn.secret_key = "another one"
        kind, selection = "RequestAlimtalkReviewInput", "... on DeskProblem { reason relayCode isOpen }"
        refused = await shop.change("requestAlimtalkReview", kind, selection, id=id)
        assert (refused["reason"], refused["relayCode"], refused["isOpen"]) == ("AUTH_FAILED", "-1001", False)
