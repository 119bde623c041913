"""The API of a small world, asked as clients ask: over HTTP, with a key."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.routing import Route

from channels.contract import ReceiptKind
from channels.host import Host, build_host
from server.context import Contexts
from server.delivery.receipts import HeardReceipt, encode
from server.routes.graphql import GraphQLEndpoint, Options
from server.schema.root import SCHEMA
from server.store import inbox, projects
from server.store.receipts import key_of
from tests.world import World, statements

HOST: Host = build_host(discover=False)


@dataclass
class Api:
    world: World
    client: httpx.AsyncClient
    wakes: list[int] = field(default_factory=list)
    key: str = ""

    async def post(self, query: str, *, key: str | None = None, **variables: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.key if key is None else key}"}
        body = {"query": query, "variables": variables}
        return await self.client.post("/graphql", json=body, headers=headers)

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of an answer without errors."""
        answer = (await self.post(query, **variables)).json()
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    async def error(self, query: str, **variables: Any) -> dict[str, Any]:
        (error,) = (await self.post(query, **variables)).json()["errors"]
        return dict(error)

    async def change(self, name: str, selection: str = "", /, **input: Any) -> dict[str, Any]:
        """The one field of a mutation's answer: its payload or its problem."""
        kind = SHARED.get(name, name[0].upper() + name[1:])
        text = f"""mutation($input: {kind}Input!) {{ {name}(input: $input) {{
            __typename
            ... on Problem {{
                message code path
                ... on SettingsProblems {{ problems {{ message code path }} }}
                ... on GraphProblems {{ problems {{ message code path }} }}
                ... on NotAllowedProblem {{ status allowedActions }}
                ... on RevisionConflictProblem {{ expectedRevision actualRevision }}
                ... on VersionConflictProblem {{ expectedVersion actualVersion }}
            }}
            {selection}
        }} }}"""
        return dict((await self.ask(text, input=input))[name])

    @contextmanager
    def statements(self) -> Iterator[list[str]]:
        """Every statement that the database sees meanwhile."""
        with statements(self.world.db) as seen:
            yield seen


ACTIONS = ("startJourney", "unscheduleJourney", "pauseJourney", "stopJourney", "archiveJourney")
OF_REGISTRATIONS = (
    *("cancelAlimtalkReview", "stopAlimtalkTemplate", "reuseAlimtalkTemplate", "cancelAlimtalkApproval"),
    *("releaseAlimtalkTemplate", "deleteAlimtalkRegistration"),
)
SHARED = {**dict.fromkeys(ACTIONS, "JourneyAction"), **dict.fromkeys(OF_REGISTRATIONS, "AlimtalkAction")}
"""Mutations whose input is called otherwise than they are."""


@asynccontextmanager
async def open_api(world: World, host: Host | None = HOST) -> AsyncIterator[Api]:
    wakes: list[int] = []

    # Looked up anew for every request, so that each takes the same number of statements.
    async def look_up(key: str) -> projects.Access | None:
        async with world.db.read() as session:
            return await projects.access(session, key)

    about = (look_up, world.db, world.clock, world.shards, host)
    contexts = Contexts(*about, wake=lambda: wakes.append(1))
    endpoint = GraphQLEndpoint(SCHEMA, contexts, Options(introspection=True))
    transport = httpx.ASGITransport(Starlette(routes=[Route("/graphql", endpoint)]))
    async with httpx.AsyncClient(transport=transport, base_url="http://sojourn.test") as client:
        yield Api(world, client, wakes, world.project.secret_key)


async def hear(world: World, message_id: int, *receipts: tuple[str, int, dict[str, Any]]) -> None:
    """Puts receipts of one message into its shard's inbox: kind, when, and more."""
    shard, _ = key_of(message_id)
    entries = [
        inbox.Entry(
            shard,
            world.project_id,
            inbox.RECEIPT,
            encode(HeardReceipt(message_id, f"{kind}-{at}", ReceiptKind(kind), at, **more)),
            at,
        )
        for kind, at, more in receipts
    ]
    async with world.db.write() as session:
        await inbox.append(session, entries)
    await world.settle()
