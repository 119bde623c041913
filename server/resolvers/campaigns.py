"""Campaigns: one sending, made as a journey of one step, so that whatever holds of journeys holds of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from channels.alimtalk.filling import bare, variables_of
from channels.alimtalk.reading import read_template
from server.context import Context
from server.journey.status import JourneyStatus
from server.store import alimtalk_sendable, journeys, setup, user_lists
from server.store.alimtalk_sendable import Known
from server.store.sessions import ReadSession, WriteSession
from server.store.tables import Version

from .drafts import checked, faults
from .once import Answer, once
from .refusals import Invalid, Missing

CAMPAIGN = "campaign"
"""The kind of a journey that was made as one sending."""
ENTRY, MESSAGE, EXIT = "audience", "message", "exit"
Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Campaign:
    """What is sent, to whom and when: the two steps of its journey as they are stored."""

    title: str
    entry: Data
    message: Data

    @property
    def template(self) -> str:
        return str(self.message["template"])


async def send(context: Context, campaign: Campaign, key: str | None) -> Answer:
    """Makes the journey, publishes and starts it in one transaction. Raises Missing, Invalid."""
    about = checked(campaign.title, "")

    async def work(session: WriteSession) -> Answer:
        graph = await drawn(session, context, campaign)
        if found := await faults(session, context, graph):
            told = " ".join(dict.fromkeys(one.message for one in found))
            raise Invalid(f"Nothing was sent. {told}", ("input",))
        now = context.clock.now()
        made = await journeys.create(session, context.project_id, *about, None, now)
        assert made.id is not None
        text = orjson.dumps(graph).decode()
        session.add(Version(journey_id=made.id, number=1, graph=text, published_at=now))
        made.kind, made.version = CAMPAIGN, 1
        made.status, made.started_at = JourneyStatus.RUNNING.value, now
        await session.flush()
        await setup.touch_catalog(session)
        return {"journey_id": made.id}

    wish = ("sendAlimtalk", [campaign.title, dict(campaign.entry), dict(campaign.message)])
    answer = await once(context, key, wish, work)
    context.wake()
    return answer


async def drawn(session: ReadSession, context: Context, campaign: Campaign) -> dict[str, Any]:
    """The graph of the journey. Raises Missing for a template that the project does not have."""
    known = await wanted(session, context, campaign.template)
    listed = campaign.entry.get("list") or ""
    columns = (await user_lists.columns(session, context.project_id)).get(listed, frozenset())
    variables = {**from_columns(known, columns), **(campaign.message.get("variables") or {})}
    entry = {**campaign.entry, "kind": "entry_audience", "key": ENTRY}
    message = {**campaign.message, "kind": "alimtalk", "key": MESSAGE, "variables": variables}
    return {
        "steps": [entry, message, {"kind": "exit", "key": EXIT}],
        "edges": [_edge(ENTRY, MESSAGE), _edge(MESSAGE, EXIT)],
    }


def _edge(source: str, target: str) -> dict[str, str]:
    return {"from": source, "output": "next", "to": target}


async def wanted(session: ReadSession, context: Context, key: str) -> Known:
    known = (await alimtalk_sendable.known(session, context.project_id, [key])).get(key)
    if known is None:
        raise Missing(f"There is no template {key!r} in this project.", ("input", "template"))
    return known


def from_columns(known: Known, columns: frozenset[str]) -> dict[str, str]:
    """Variables to which nothing else gives a value, and of whose name the uploaded list has a column."""
    template, _ = read_template(orjson.loads(known.content))
    bound = {bare(name) for name, text in orjson.loads(known.bindings).items() if text.strip()}
    names = variables_of(template) if template else ()
    return {
        name: f"{{{{ row[{orjson.dumps(name).decode()}] }}}}" for name in names if name in columns - bound
    }
