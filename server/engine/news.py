"""What becomes of messages moves the runs whose step waits to know it."""

from typing import Any

import orjson

from server.clock import Instant
from server.delivery.bursts import seen
from server.delivery.status import BY_PEOPLE
from server.journey.credit import Letter
from server.journey.steps.outcome import MESSAGES
from server.store import inbox

from . import credits, entering, runs
from .batch import Batch
from .state import MessageState, RunState, to_json

NEWS = "news"
"""The command that tells another shard, to which the run of a message has moved, what became of it."""

ENGAGEMENTS = ("delivered", "opened", "clicked", "replied", "shown", "interacted", "dismissed")


def is_followed(batch: Batch, message: MessageState) -> bool:
    """Whether the step that sent the message may be waiting to know what becomes of it."""
    graph = batch.catalog.graphs.get((message.journey_id, message.version))
    step = graph.steps.get(message.step_key) if graph else None
    return step is not None and step.follows_messages()


def tell(batch: Batch, message: MessageState, at: Instant) -> None:
    """Tells of a message that something was heard of: its run, wherever that is now, and its conversions."""
    letter, followed = credits.letter_of(message), is_followed(batch, message)
    if has_goals(batch, message):
        credits.hear(batch, message.run_id, letter)
    elif not followed:
        return
    run = batch.runs.get(message.run_id)
    elsewhere = _elsewhere(batch, message.project_id, message.user_number, is_sought=followed and run is None)
    if run is not None and followed:
        hear(batch, run, message.id, told(message), at)
    elif elsewhere:
        news = {"run_id": message.run_id, "told": told(message), "at": at, "letter": list(letter)}
        forward(batch, message.project_id, elsewhere, news)


def has_goals(batch: Batch, message: MessageState) -> bool:
    graph = batch.catalog.graphs.get((message.journey_id, message.version))
    return graph is not None and bool(graph.goals)


def _elsewhere(batch: Batch, project_id: int, number: int, *, is_sought: bool) -> str:
    """The user, as `shard:number`, into whom this one was merged; empty if there is none.

    One in this shard only if the run is sought: it is on its way there, and news behind it finds it.
    """
    user = batch.users.get((project_id, number))
    merged_into = (user.merged_into if user else None) or ""
    is_here = merged_into.startswith(f"{batch.shard}:")
    return "" if is_here and not is_sought else merged_into


def forward(batch: Batch, project_id: int, merged_into: str, news: dict[str, Any]) -> None:
    """To the shard of the user into whom the message's was merged."""
    home, number = merged_into.split(":")
    payload = orjson.dumps({**news, "number": int(number)})
    batch.outgoing.append(inbox.Entry(int(home), project_id, NEWS, payload, batch.now))


def take_in(batch: Batch, project_id: int, news: dict[str, Any]) -> None:
    """News from another shard, of a run that has come here, or has gone on since."""
    letter = Letter(*news["letter"])
    credits.welcome(batch, project_id, news["run_id"], letter)
    run = batch.runs.get(news["run_id"])
    elsewhere = _elsewhere(batch, project_id, news["number"], is_sought=run is None)
    if run is not None:
        hear(batch, run, letter.id, news["told"], news["at"])
    elif elsewhere:
        forward(batch, project_id, elsewhere, news)


def told(message: MessageState) -> dict[str, Any]:
    """What a step may know of a message: its status, the reason of it, and what its reader did."""
    known = seen(message.heard)
    heard = [
        kind
        for kind in ENGAGEMENTS
        if (kind in known and kind not in ("opened", "clicked"))
        or any(f"{kind}/{actor}" in known for actor in BY_PEOPLE)
    ]
    told = {"status": message.status, "reason": message.reason, "heard": heard}
    return told if message.fallback is None else {**told, "fallback": message.fallback}


def _keep(messages: dict[str, Any], message_id: int, told: dict[str, Any]) -> None:
    """What goes in the place of a message is known with that message's end, so that nobody decides before."""
    known = dict(told)
    fallback = known.pop("fallback", None)
    messages[str(message_id)] = known
    if fallback is not None:
        messages.setdefault(str(fallback["id"]), {**fallback["told"]})


def hear(batch: Batch, run: RunState, message_id: int, told: dict[str, Any], at: Instant) -> None:
    user = batch.user((run.project_id, run.user_number))
    entering.wake_until(batch, user, run.project_id, at)
    memory = orjson.loads(run.memory)
    messages = memory.get(MESSAGES, {})
    if not run.is_open or messages.get(str(message_id), told) == told:
        return
    _keep(messages, message_id, told)
    run.memory, run.is_changed = to_json(memory), True
    runs.hear_messages(batch, run, user, at)
    entering.lead_on(batch)
