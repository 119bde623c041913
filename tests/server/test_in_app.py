"""In-app messages as an app meets them: over HTTP and over a GraphQL subscription, with a user token."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import jwt
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from channels.contract import Message
from server.app import create_app
from server.delivery.hearing import write_reference
from server.store.tables import Message as MessageRow
from server.store.tables import Receipt
from tests.app import App, open_app
from tests.tools import require_node_packages, run, serving
from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.anyio
SECRET = "a secret that the shop and its connection share"
NOW = 1_767_225_600_000
HOUR = 3_600_000
PROTOCOL = Subprotocol("graphql-transport-ws")

CREATE = """mutation ($settings: JSON!) {
  createConnection(input: {name: "app", adapter: "in_app", settings: $settings}) {
    ... on CreateConnectionPayload { connection { id } } ... on Problem { message }
  }
}"""


@dataclass
class Inbox:
    app: App
    connection: int
    connection_id: str

    def token(
        self, user: str = "u1", *, expires_at: int = NOW + HOUR, secret: str = SECRET, **header: Any
    ) -> str:
        claims = {"sub": user, "exp": expires_at // 1000}
        return jwt.encode(claims, secret, headers={"kid": str(self.connection), **header})

    async def ask(self, token: str, path: str = "messages", **query: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return await self.app.client.get(f"/in-app/{path}", params=query, headers=headers)

    async def tell(self, token: str, *receipts: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {token}"}
        answer = await self.app.client.post("/in-app/receipts", json={"receipts": receipts}, headers=headers)
        return dict(answer.json())

    async def put(self, number: int, user: str = "u1", **more: Any) -> None:
        """A message that the engine has decided and the adapter hands over."""
        runtime, project = self.app.runtime, self.app.project.project_id
        row = MessageRow(
            shard=0,
            id=number,
            project_id=project,
            journey_id=1,
            version=1,
            run_id=1,
            step_key="show",
            user_number=1,
            entered_at=NOW,
            channel="in_app",
            connection_id=self.connection,
            address=user,
            status="accepted",
            created_at=NOW,
            attempt=1,
            attempted_at=NOW,
            event="{}",
        )
        async with runtime.db.write() as session:
            session.add(row)
        content = {"title": "쿠폰", "text": f"{number}번", "url": "https://shop.example/쿠폰"}
        reference = write_reference(project, 0, number)
        sent = Message(reference, user, content, NOW + number, **more)
        await runtime.shelf.show_for(self.connection)([sent])

    async def receipts(self) -> list[tuple[int, str, str]]:
        await self.app.worked_in()
        async with self.app.runtime.db.read() as session:
            rows = await session.exec(_all(Receipt))
            return sorted((row.message_id, row.kind, row.actor) for row in rows)


def _all(model: Any) -> Any:
    from sqlmodel import select

    return select(model)


@asynccontextmanager
async def an_inbox(url: str) -> AsyncIterator[Inbox]:
    async with open_app(url, shards=1) as app:
        app.runtime.clock.reach(NOW)
        settings = {"signing_secret": SECRET}
        answer = await app.client.post(
            "/graphql", json={"query": CREATE, "variables": {"settings": settings}}
        )
        made = answer.json()["data"]["createConnection"]["connection"]["id"]
        from server.schema.ids import key_in

        yield Inbox(app, key_in(made, "Connection")[0], made)


async def test_a_reader_sees_the_own_messages_and_fetching_is_delivery(database_url: str) -> None:
    async with an_inbox(database_url) as inbox:
        await inbox.put(1)
        await inbox.put(2, options={"data": {"쿠폰": 7}})
        await inbox.put(3, user="somebody else")
        answer = (await inbox.ask(inbox.token())).json()
        assert [one["text"] for one in answer["messages"]] == ["2번", "1번"]
        assert answer["messages"][0]["data"] == {"쿠폰": 7}
        assert answer["after"] is None
        assert await inbox.receipts() == [(1, "delivered", ""), (2, "delivered", "")]
        await inbox.ask(inbox.token())
        assert len(await inbox.receipts()) == 2


async def test_pages_go_on_where_they_ended(database_url: str) -> None:
    async with an_inbox(database_url) as inbox:
        for number in range(1, 6):
            await inbox.put(number)
        first = (await inbox.ask(inbox.token(), first=2)).json()
        second = (await inbox.ask(inbox.token(), first=3, after=first["after"])).json()
        texts = [one["text"] for page in (first, second) for one in page["messages"]]
        assert texts == ["5번", "4번", "3번", "2번", "1번"]
        assert second["after"] is None
        assert (await inbox.ask(inbox.token(), first="많이")).status_code == 400
        assert (await inbox.ask(inbox.token(), after="nonsense")).status_code == 400


async def test_what_the_app_tells_is_kept_and_a_bad_item_is_named(database_url: str) -> None:
    async with an_inbox(database_url) as inbox:
        await inbox.put(1)
        await inbox.put(2, user="somebody else")
        token = inbox.token()
        [mine] = (await inbox.ask(token)).json()["messages"]
        [other] = (await inbox.ask(inbox.token("somebody else"))).json()["messages"]
        told = await inbox.tell(
            token,
            {"message": mine["id"], "kind": "shown"},
            {"message": mine["id"], "kind": "interacted", "url": "https://shop.example/쿠폰", "id": "tap-1"},
            {"message": other["id"], "kind": "dismissed"},
            {"message": mine["id"], "kind": "eaten"},
            {"message": mine["id"], "kind": "dismissed", "at": "yesterday"},
            "nonsense",
        )
        assert told["taken"] == 2
        assert [one["index"] for one in told["problems"]] == [2, 3, 4, 5]
        kinds = [(kind, actor) for number, kind, actor in await inbox.receipts() if number == 1]
        assert kinds == [("delivered", ""), ("interacted", "human"), ("shown", "human")]


async def test_what_was_put_away_is_shown_no_more(database_url: str) -> None:
    async with an_inbox(database_url) as inbox:
        await inbox.put(1)
        [mine] = (await inbox.ask(inbox.token())).json()["messages"]
        for _ in range(2):
            assert (await inbox.tell(inbox.token(), {"message": mine["id"], "kind": "dismissed"}))[
                "taken"
            ] == 1
        assert (await inbox.ask(inbox.token())).json()["messages"] == []


async def test_what_expires_unseen_is_said_to_have_expired(database_url: str) -> None:
    async with an_inbox(database_url) as inbox:
        await inbox.put(1, expires_at=NOW + HOUR)
        await inbox.put(2, expires_at=NOW + HOUR)
        await inbox.put(3)
        inbox.app.runtime.clock.reach(NOW + HOUR)
        assert [
            one["text"]
            for one in (await inbox.ask(inbox.token(expires_at=NOW + 9 * HOUR))).json()["messages"]
        ] == ["3번"]
        while await inbox.app.runtime.shelf.clear():
            pass
        kinds = {(number, kind) for number, kind, _ in await inbox.receipts()}
        assert kinds >= {(1, "expired"), (2, "expired"), (3, "delivered")}
        assert (3, "expired") not in kinds


async def test_a_token_that_proves_nothing_opens_nothing(database_url: str) -> None:
    async with an_inbox(database_url) as inbox:
        await inbox.put(1)
        unsigned = jwt.encode({"sub": "u1", "exp": NOW}, None, "none", headers={"kid": str(inbox.connection)})
        for token in (
            "",
            "nonsense",
            inbox.token(secret="another secret, as long as it has to be"),
            inbox.token(expires_at=NOW),
            inbox.token(kid="99"),
            inbox.token(kid="999999999999"),
            inbox.token(user=""),
            unsigned,
            "x" * 5000,
            inbox.app.project.secret_key,
        ):
            answer = await inbox.ask(token)
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
            assert SECRET not in answer.text


@pytest.mark.parametrize(
    "claims",
    [
        '{"sub": "u1", "exp": NaN}',
        '{"sub": "u1", "exp": 1e999}',
        '{"sub": "u1", "exp": 1767229200, "nbf": 1767225601}',
        '{"sub": "u1", "exp": 1767229200, "nbf": NaN}',
        '{"sub": "\\ud800", "exp": 1767229200}',
        '{"sub": "u1\\u0000", "exp": 1767229200}',
    ],
)
async def test_a_token_with_odd_claims_opens_nothing_though_it_is_signed(
    database_url: str, claims: str
) -> None:
    async with an_inbox(database_url) as inbox:
        await inbox.put(1)
        signed = jwt.api_jws.encode(
            claims.encode(), SECRET, "HS256", headers={"kid": str(inbox.connection), "typ": "JWT"}
        )
        assert (await inbox.ask(signed)).status_code == 401


async def test_a_new_secret_leaves_the_tokens_of_the_old_one_good(database_url: str) -> None:
    async with an_inbox(database_url) as inbox:
        await inbox.put(1)
        old = inbox.token()
        update = """mutation ($id: ID!, $settings: JSON!) {
          updateConnection(input: {id: $id, settings: $settings}) { __typename }
        }"""
        settings = {"signing_secret": "n" * 40, "previous_signing_secret": SECRET}
        variables = {"id": inbox.connection_id, "settings": settings}
        await inbox.app.client.post("/graphql", json={"query": update, "variables": variables})
        for token in (old, inbox.token(secret="n" * 40)):
            assert (await inbox.ask(token)).status_code == 200


async def test_a_token_can_be_made_over_graphql(database_url: str) -> None:
    async with an_inbox(database_url) as inbox:
        await inbox.put(1, user="홍길동")
        query = """mutation ($id: ID!, $lasts: Int!) {
          createUserToken(input: {connectionId: $id, userId: "홍길동", expiresInSeconds: $lasts}) {
            __typename ... on CreateUserTokenPayload { userToken } ... on Problem { message }
          }
        }"""
        made = await _data(inbox, query, id=inbox.connection_id, lasts=600)
        token = made["createUserToken"]["userToken"]
        assert len((await inbox.ask(token)).json()["messages"]) == 1
        too_long = await _data(inbox, query, id=inbox.connection_id, lasts=90_000)
        assert too_long["createUserToken"]["__typename"] == "InputProblem"


async def _data(inbox: Inbox, query: str, **variables: Any) -> dict[str, Any]:
    answer = await inbox.app.client.post("/graphql", json={"query": query, "variables": variables})
    return dict(answer.json()["data"])


@pytest.mark.node
async def test_graphql_ws_subscribes_to_the_inbox(database_url: str) -> None:
    node = await require_node_packages()
    async with an_inbox(database_url) as inbox, serving(create_app(inbox.app.runtime)) as address:
        await inbox.put(1)
        url = address.replace("http", "ws") + "/graphql"
        listening = asyncio.create_task(run(node, "inbox.mjs", url, inbox.token(), "2"))

        async def is_delivered() -> bool:
            return (1, "delivered", "") in await inbox.receipts()

        await until(is_delivered)
        await inbox.put(2)
        heard = [one["data"]["inbox"]["text"] for one in json.loads(await listening)]
        assert heard == ["1번", "2번"]


@pytest.mark.node
async def test_a_subscription_without_a_good_token_is_refused_in_its_own_words(database_url: str) -> None:
    node = await require_node_packages()
    async with an_inbox(database_url) as inbox, serving(create_app(inbox.app.runtime)) as address:
        url = address.replace("http", "ws") + "/graphql"
        [told] = json.loads(await run(node, "inbox.mjs", url, "nonsense", "1"))
        assert told["errors"][0]["extensions"]["code"] == "REFUSED"


async def test_the_inbox_comes_as_events_too_and_needs_no_key(database_url: str) -> None:
    query = "subscription ($token: String!) { inbox(userToken: $token) { text } }"
    async with (
        an_inbox(database_url) as inbox,
        serving(create_app(inbox.app.runtime)) as address,
        httpx.AsyncClient(timeout=PATIENCE, headers={"Accept": "text/event-stream"}) as client,
    ):
        await inbox.put(1)
        body = {"query": query, "variables": {"token": inbox.token()}}
        async with client.stream("POST", f"{address}/graphql", json=body) as answer:
            lines = answer.aiter_lines()
            assert [await anext(lines), json.loads((await anext(lines)).removeprefix("data: "))] == [
                "event: next",
                {"data": {"inbox": {"text": "1번"}}},
            ]


# Over a WebSocket, without npm


@asynccontextmanager
async def listening(inbox: Inbox) -> AsyncIterator[ClientConnection]:
    async with (
        serving(create_app(inbox.app.runtime)) as address,
        connect(
            address.replace("http", "ws") + "/graphql", subprotocols=[PROTOCOL], open_timeout=PATIENCE
        ) as socket,
    ):
        await socket.send('{"type": "connection_init"}')
        assert json.loads(await socket.recv()) == {"type": "connection_ack"}
        yield socket


def subscribe(token: object) -> str:
    query = "subscription ($token: String!) { inbox(userToken: $token) { text } }"
    payload = {"query": query, "variables": {"token": token}}
    return json.dumps({"type": "subscribe", "id": "1", "payload": payload})


async def test_a_subscription_ends_when_its_token_has_expired(database_url: str) -> None:
    async with an_inbox(database_url) as inbox, listening(inbox) as socket:
        await inbox.put(1)
        await socket.send(subscribe(inbox.token(expires_at=NOW + HOUR)))
        assert json.loads(await socket.recv())["payload"]["data"]["inbox"]["text"] == "1번"
        inbox.app.runtime.clock.reach(NOW + HOUR)
        await inbox.put(2)
        assert json.loads(await socket.recv()) == {"id": "1", "type": "complete"}
        assert {number for number, *_ in await inbox.receipts()} == {1}


@pytest.mark.parametrize(
    "message",
    [
        "[]",
        "5",
        "[" * 60_000,
        '{"type": {}}',
        '{"type": "subscribe", "id": {}, "payload": {"query": "{ a }"}}',
        '{"type": "subscribe", "id": "1", "payload": []}',
        '{"type": "subscribe", "id": "1", "payload": {"query": 5}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "variables": []}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "operationName": {}}}',
    ],
)
async def test_what_is_no_message_of_the_protocol_closes_the_connection_and_is_no_defect(
    database_url: str, message: str, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    async with an_inbox(database_url) as inbox, listening(inbox) as socket:
        await socket.send(message)
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4400
    assert "Traceback" not in caplog.text + "".join(capsys.readouterr())


async def test_a_wrong_token_over_a_websocket_leaves_one_line_in_the_log(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with an_inbox(database_url) as inbox, listening(inbox) as socket:
        await socket.send(subscribe("nonsense"))
        told = json.loads(await socket.recv())
    assert told["payload"]["errors"][0]["extensions"]["code"] == "REFUSED"
    assert "Traceback" not in caplog.text
