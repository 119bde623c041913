"""Whether a person belongs to an audience that a journey lets in."""

from collections.abc import Iterator
from typing import NamedTuple

from server.context import Context
from server.journey.audience import EVERYBODY, AllOf, InList, Question
from server.journey.graph import Graph
from server.journey.steps import EntryAudience
from server.segments import asking, reading
from server.segments.reading import Askable
from server.store import user_lists
from server.store.sessions import ReadSession
from server.store.tables import User

from .facts import Fact, FactCode


class _Row(NamedTuple):
    number: int
    attributes: str


async def belonging(session: ReadSession, context: Context, graph: Graph, user: User) -> dict[str, bool]:
    """By entry: whether the person belongs to its audience now. Where nothing is asked all do."""
    entries = [one for one in graph.all_entries if isinstance(one, EntryAudience)]
    named = [one for one in entries if one.segment or one.list or one.coupon]
    if not named:
        return {one.key: True for one in entries}
    about = (session, context.project_id)
    lists, zone = await user_lists.names(*about), await reading.zone_of(*about)
    found = {one.key: one not in named for one in entries}
    for one in named:
        first: Question = InList(one.list) if one.list else EVERYBODY
        asks: Askable | None = Askable(first, lists, zone)
        if one.segment:
            asks = await reading.stored(*about, one.segment)
        if asks is not None:
            if one.coupon is not None:
                asks = asks._replace(question=AllOf((asks.question, one.coupon)))
            place = (context.project_id, user.shard, [_Row(user.number, user.attributes)])
            found[one.key] = bool(await asking.meeting(session, *place, asks, context.clock.now()))
    return found


def told(entry: EntryAudience, belongs: bool) -> Iterator[Fact]:
    if entry.coupon is not None:
        text = f"The entry {entry.key!r} lets in who has a coupon of those that it asks for."
        yield Fact(FactCode.ENTRY, text, step_key=entry.key, values={"belongs": belongs})
    if not (entry.segment or entry.list):
        text = f"The entry {entry.key!r} lets in everybody, at its times."
        yield Fact(FactCode.ENTRY, text, step_key=entry.key)
        return
    whom = f"the segment {entry.segment!r}" if entry.segment else f"the list {entry.list!r}"
    text = f"The entry {entry.key!r} lets in who belongs to {whom}, at its times."
    yield Fact(FactCode.ENTRY, text, step_key=entry.key, values={"audience": entry.segment or entry.list})
    code = FactCode.CONDITION_HELD if belongs else FactCode.CONDITION_FAILED
    text = f"This person {'belongs' if belongs else 'does not belong'} to {whom} now."
    yield Fact(code, text, step_key=entry.key, values={"belongs": belongs})
