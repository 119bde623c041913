"""A world whose Alimtalk goes through two relays: SOLAPI, which fills templates itself, and SENS, which wants
the whole text."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import orjson

from channels.kakao.sens import SensAlimtalkChannel
from channels.kakao.solapi import SolapiAlimtalkChannel
from channels.testing.providers.sens import FakeSens
from channels.testing.providers.solapi import FakeSolapi
from server.store import connections, setup
from server.store.tables import AlimtalkRegistration, AlimtalkTemplate, AlimtalkVersion, SenderProfile
from tests.server.delivery.office import BOX, Office, open_office
from tests.world import NOON, World

AT: dict[str, Any] = {"created_at": NOON, "changed_at": NOON}
PAID: dict[str, Any] = {
    "name": "결제 완료",
    "body": "#{이름}님, 주문하신 #{상품}의 결제가 완료되었습니다.",
    "buttons": [{"type": "WL", "name": "주문 보기", "link_mobile": "https://shop.example/o/#{주문번호}"}],
}
BINDINGS = {
    "이름": "{{ user.name }}",
    "상품": "{{ event.product }}",
    "주문번호": "{{ event.order_id }}",
}
COUPON: dict[str, Any] = {
    "name": "쿠폰",
    "body": "[소전몰] 쿠폰 발급 안내\n#{이름}님께 회원가입 쿠폰이 발급되었습니다.\n쿠폰: #{쿠폰}",
}
COUPON_BINDINGS = {"이름": "{{ user.name }}", "쿠폰": "{{ coupon.code }}"}
BY_TERMS = {
    "kind": "coupon",
    "ground": "terms",
    "issue_condition": "회원가입",
    "terms_version": "2026-01",
    "terms_at": "2026-01-01",
    "company": "소전몰",
}


@dataclass
class Relays:
    office: Office
    solapi: FakeSolapi
    sens: FakeSens
    by_solapi: int
    by_sens: int

    async def settle(self) -> None:
        await self.office.settle()

    def at_solapi(self) -> list[dict[str, Any]]:
        """Every message that SOLAPI was handed, in its words."""
        return [one for body in _bodies(self.solapi) for one in body["messages"]]

    def at_sens(self) -> list[dict[str, Any]]:
        return [
            {"templateCode": body["templateCode"], **one}
            for body in _bodies(self.sens)
            for one in body["messages"]
        ]


def _bodies(fake: Any) -> list[dict[str, Any]]:
    return [json.loads(body) for method, _, _, body in fake.requests if method == "POST"]


@asynccontextmanager
async def open_relays(world: World) -> AsyncIterator[Relays]:
    """SOLAPI is the preferred one."""
    solapi, sens = FakeSolapi(world.clock.now), FakeSens(world.clock.now)
    async with open_office(world) as office:
        office.host.channels["solapi_alimtalk"] = SolapiAlimtalkChannel()
        office.host.channels["sens_alimtalk"] = SensAlimtalkChannel()
        office.dispatcher.lender.mounts = {one.base_url: httpx.ASGITransport(one) for one in (solapi, sens)}
        by_solapi = await _connect(
            office,
            "solapi_alimtalk",
            api_key="NCSAYU7YDBXYORXC",
            api_secret="solapi-api-secret",
            pf_id="KA01PF0001",
        )
        by_sens = await _connect(
            office,
            "sens_alimtalk",
            access_key="ncp-access-key",
            secret_key="ncp-secret-key",
            service_id="ncp:kkobizmsg:kr:2700000000006:sens",
            channel_id="@소전",
        )
        yield Relays(office, solapi, sens, by_solapi, by_sens)


async def _connect(office: Office, adapter: str, **settings: Any) -> int:
    world = office.world
    async with world.db.write() as session:
        made = await connections.create(
            session,
            office.host,
            BOX,
            world.project_id,
            name=adapter,
            adapter=adapter,
            settings=settings,
            now=NOON,
        )
        session.add(
            SenderProfile(
                project_id=world.project_id,
                connection_id=made.id,
                search_id="@소전",
                state="active",
                company="소전몰",
                **AT,
            )
        )
    return made.id


async def put_template(
    world: World,
    key: str,
    content: Mapping[str, Any],
    bindings: Mapping[str, str],
    *connections: int,
    number: int = 1,
    declaration: Mapping[str, Any] | None = None,
    **registration: Any,
) -> int:
    """A version of a template, approved at these connections if nothing else is said."""
    standing = {"inspection": "approved", "operation": "ready", **registration}
    async with world.db.write() as session:
        template = next((one for one in await world.rows(AlimtalkTemplate) if one.key == key), None)
        if template is None:
            made = AlimtalkTemplate(project_id=world.project_id, key=key, name=key, latest=number, **AT)
            session.add(made)
            await session.flush()
            assert made.id is not None
            template_id = made.id
        else:
            template_id = template.id
            (await session.get_one(AlimtalkTemplate, template_id)).latest = number
        session.add(
            AlimtalkVersion(
                template_id=template_id,
                number=number,
                project_id=world.project_id,
                content=orjson.dumps(content).decode(),
                bindings=orjson.dumps(bindings).decode(),
                declaration=orjson.dumps(declaration or {}).decode(),
                submitted_at=NOON,
                **AT,
            )
        )
        for connection_id in connections:
            session.add(
                AlimtalkRegistration(
                    project_id=world.project_id,
                    template_id=template_id,
                    number=number,
                    connection_id=connection_id,
                    **{"code": f"{key}-{number}-{connection_id}", **standing},
                    **AT,
                )
            )
        await setup.touch_catalog(session)
    return template_id


async def change(world: World, model: type[Any], key: Any, **values: Any) -> None:
    async with world.db.write() as session:
        row = await session.get_one(model, key)
        for name, value in values.items():
            setattr(row, name, value)
        await setup.touch_catalog(session)


async def sign_up(world: World, *names: str, at: int = NOON, **properties: Any) -> None:
    for number, name in enumerate(names):
        phone = f"010-1234-{5678 + number}"
        await world.send(
            world.event("", at, user=name, type="identify", name=name.title(), phone=phone),
            world.event("sign_up", at, user=name, **properties),
        )
