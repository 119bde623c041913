"""What becomes of messages moves the runs whose step waits to know it."""

from typing import Any

import orjson

from server.clock import Instant
from server.delivery.bursts import seen
from server.journey.steps.outcome import MESSAGES
from server.store import inbox

from . import entering, runs
from .batch import Batch
from .state import MessageState, RunState, to_json

NEWS = "news"
"""The command that tells another shard, to which the run of a message has moved, what became of it."""

ENGAGEMENTS = ("delivered", "opened", "clicked", "replied", "shown", "interacted", "dismissed")
BY_PEOPLE = ("human", "unsure")
"""Whose opens and clicks count: a machine's tell nothing of the reader."""


def is_followed(batch: Batch, message: MessageState) -> bool:
    """Whether the step that sent the message may be waiting to know what becomes of it."""
    graph = batch.catalog.graphs.get((message.journey_id, message.version))
    step = graph.steps.get(message.step_key) if graph else None
    return step is not None and step.follows_messages()


def tell(batch: Batch, message: MessageState, at: Instant) -> None:
    """Tells the run of a message what has become of it, wherever the run is now."""
    if not is_followed(batch, message):
        return
    run = batch.runs.get(message.run_id)
    if run is not None:
        hear(batch, run, message.id, told(message), at)
        return
    user = batch.users.get((message.project_id, message.user_number))
    if user is not None and user.merged_into is not None:
        news = {"run_id": message.run_id, "message_id": message.id, "told": told(message), "at": at}
        forward(batch, message.project_id, user.merged_into, news)


def forward(batch: Batch, project_id: int, merged_into: str, news: dict[str, Any]) -> None:
    """To the shard of the user into whom the message's was merged."""
    home, number = merged_into.split(":")
    payload = orjson.dumps({**news, "number": int(number)})
    batch.outgoing.append(inbox.Entry(int(home), project_id, NEWS, payload, batch.now))


def take_in(batch: Batch, project_id: int, news: dict[str, Any]) -> None:
    """News from another shard, of a run that has come here, or has gone on since."""
    run, user = batch.runs.get(news["run_id"]), batch.users.get((project_id, news["number"]))
    if run is not None:
        hear(batch, run, news["message_id"], news["told"], news["at"])
    elif user is not None and user.merged_into is not None:
        forward(batch, project_id, user.merged_into, news)


def told(message: MessageState) -> dict[str, Any]:
    """What a step may know of a message: its status, the reason of it, and what its reader did."""
    known = seen(message.heard)
    heard = [
        kind
        for kind in ENGAGEMENTS
        if (kind in known and kind not in ("opened", "clicked"))
        or any(f"{kind}/{actor}" in known for actor in BY_PEOPLE)
    ]
    return {"status": message.status, "reason": message.reason, "heard": heard}


def hear(batch: Batch, run: RunState, message_id: int, told: dict[str, Any], at: Instant) -> None:
    user = batch.user((run.project_id, run.user_number))
    runs.wake_until(batch, user, run.project_id, at)
    memory = orjson.loads(run.memory)
    messages = memory.get(MESSAGES, {})
    if not run.is_open or messages.get(str(message_id), told) == told:
        return
    messages[str(message_id)] = told
    run.memory, run.is_changed = to_json(memory), True
    runs.hear_messages(batch, run, user, at)
    entering.lead_on(batch)
