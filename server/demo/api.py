"""The sample's operator: does everything over GraphQL, as a user would, only without a network."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from server.app import create_app
from server.runtime import Runtime
from server.store.projects import NewProject

CHANGE = """
mutation ($input: %s!) {
  answer: %s(input: $input) {
    __typename
    ... on Problem { message }
  }
}"""
CONNECTIONS = "{ connections { id name callbackUrl } }"
CREATE = """
mutation ($input: CreateJourneyInput!) {
  answer: createJourney(input: $input) {
    __typename
    ... on CreateJourneyPayload { journey { id } }
    ... on Problem { message }
  }
}"""
FROM_TEMPLATE = """
mutation ($input: CreateJourneyFromTemplateInput!) {
  answer: createJourneyFromTemplate(input: $input) {
    __typename
    ... on CreateJourneyFromTemplatePayload { journey { id } }
    ... on Problem { message }
  }
}"""
SAVE = """
mutation ($input: SaveDraftInput!) {
  answer: saveDraft(input: $input) {
    __typename
    ... on SaveDraftPayload { revision }
    ... on Problem { message }
  }
}"""
PUBLISH = """
mutation ($input: PublishJourneyInput!) {
  answer: publishJourney(input: $input) {
    __typename
    ... on PublishJourneyPayload { version { number } }
    ... on GraphProblems { problems { path message } }
    ... on Problem { message }
  }
}"""
MOVE_ON = """
mutation ($input: JourneyActionInput!) {
  answer: %sJourney(input: $input) {
    __typename
    ... on Problem { message }
  }
}"""
MAKE_POOL = """
mutation ($input: CreateVoucherPoolInput!) {
  answer: createVoucherPool(input: $input) {
    __typename
    ... on CreateVoucherPoolPayload { pool { id } }
    ... on Problem { message }
  }
}"""
REVISION = "query ($id: ID!) { journey(id: $id) { revision } }"


@dataclass(frozen=True, slots=True)
class Api:
    """A client with the project's keys."""

    client: httpx.AsyncClient
    keys: NewProject

    async def send(self, messages: Sequence[dict[str, Any]]) -> None:
        """Through the door for events."""
        answer = await self.client.post("/v1/batch", json={"batch": messages}, auth=(self.keys.write_key, ""))
        told = answer.json()
        if not told["success"]:
            raise RuntimeError(f"The door for events refused a part of the sample: {told}")

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        answer = await self.client.post(
            "/graphql",
            json={"query": query, "variables": variables},
            headers={"Authorization": f"Bearer {self.keys.secret_key}"},
        )
        told = answer.json()
        if "errors" in told or answer.status_code != 200:
            raise RuntimeError(f"GraphQL answered {answer.status_code}: {told}")
        data: dict[str, Any] = told["data"]
        return data

    async def connect(self, name: str, adapter: str, settings: dict[str, Any]) -> None:
        await self.change("createConnection", {"name": name, "adapter": adapter, "settings": settings})

    async def reconnect(self, connection_id: str, settings: dict[str, Any]) -> None:
        """Gives a connection other settings."""
        await self.change("updateConnection", {"id": connection_id, "settings": settings})

    async def connections(self) -> dict[str, dict[str, str]]:
        """`id` and `callbackUrl` of each, by name."""
        return {one["name"]: one for one in (await self.ask(CONNECTIONS))["connections"]}

    async def create(self, journey: dict[str, Any]) -> str:
        """Draws a journey and returns its id."""
        made = await self.answer(CREATE, journey)
        return str(made["journey"]["id"])

    async def create_from_template(self, template: str, title: str) -> str:
        """Takes a ready journey, in Korean, as a draft. Returns its id."""
        about = {"template": template, "language": "KO", "title": title}
        made = await self.answer(FROM_TEMPLATE, about)
        return str(made["journey"]["id"])

    async def fill_pool(self, name: str, low_water: int, codes: Sequence[str]) -> None:
        """Makes a pool of vouchers."""
        made = await self.answer(MAKE_POOL, {"name": name, "lowWater": low_water})
        await self.change("addVoucherCodes", {"id": made["pool"]["id"], "codes": list(codes)})

    async def publish(self, journey_id: str) -> None:
        await self.answer(PUBLISH, {"id": journey_id})

    async def redraw(self, journey_id: str, journey: dict[str, Any]) -> None:
        """Saves another drawing and publishes it."""
        revision = (await self.ask(REVISION, id=journey_id))["journey"]["revision"]
        drawing = {"id": journey_id, "graph": journey["graph"], "expectedRevision": revision}
        await self.answer(SAVE, drawing)
        await self.publish(journey_id)

    async def move_on(self, action: str, journey_id: str) -> None:
        """`action` is start, pause, resume, stop or archive."""
        await self.answer(MOVE_ON % action, {"id": journey_id})

    async def change(self, mutation: str, input: dict[str, Any]) -> None:
        """Any mutation of which nothing is to be known but that it was done."""
        await self.answer(CHANGE % (f"{mutation[0].upper()}{mutation[1:]}Input", mutation), input)

    async def answer(self, mutation: str, input: dict[str, Any]) -> dict[str, Any]:
        """What a mutation, written out with its field as `answer`, came to."""
        answer: dict[str, Any] = (await self.ask(mutation, input=input))["answer"]
        if answer["__typename"].endswith(("Problem", "Problems")):
            raise RuntimeError(f"The sample could not be made: {answer}")
        return answer


@asynccontextmanager
async def api_of(runtime: Runtime, keys: NewProject) -> AsyncIterator[Api]:
    transport = httpx.ASGITransport(create_app(runtime))
    async with httpx.AsyncClient(transport=transport, base_url="http://sample", timeout=60) as client:
        yield Api(client, keys)
