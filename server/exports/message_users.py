"""What became of the messages of one step, and what their readers did: a row for each user and action.

Sent, delivered, failed and so on stand there once for each message, as the figures count it; every open and
every click has a row of its own, with the link, and with who did it by all that was done to the message.
"""

from collections.abc import AsyncIterator, Iterator
from typing import Any, NamedTuple

import orjson

from server.aggregates.metrics import Metric
from server.clock import Instant
from server.delivery.bursts import HIT_KINDS, is_unjudged, judge, seen, to_hit
from server.delivery.status import WITH_ACTOR, counted
from server.global_ids import global_id
from server.store import run_facts
from server.store.erasing import ERASED_LINK

from . import people
from .drawn import journey, step_title
from .kept import check_is_kept, check_was_kept
from .people import NOBODY, Person
from .sheets import Arguments, Asked, Cell, Column, Days, Kind, Language, Page, Row, Sheet
from .words import ACTORS, CHANNELS, MESSAGES, REASONS

PAGE = 500

COLUMNS = (
    *people.COLUMNS,
    Column("action", "행동", "Action", words=MESSAGES),
    Column("at", "시각", "At", Cell.TIME),
    Column("actor", "행위자", "Actor", words=ACTORS),
    Column("link", "링크", "Link"),
    Column("reason", "사유", "Reason", words=REASONS),
    Column("channel", "채널", "Channel", words=CHANNELS),
    Column("address", "수신 주소", "Address"),
    Column("version", "버전", "Version", Cell.COUNT),
    Column("message_id", "메시지 ID", "Message ID"),
    Column("run_id", "진입 ID", "Run ID"),
)
_SUFFIX = {Language.KO: "메시지 사용자", Language.EN: "message users"}
_BY_HITS = {first for _, first in WITH_ACTOR.values()}


class MessageUsersArguments(Arguments):
    journey_id: int
    step_key: str
    days: Days = Days()
    """In which the actions were done."""


class Action(NamedTuple):
    at: Instant
    action: str
    actor: str | None = None
    link: str | None = None
    reason: str | None = None


async def open_message_users(asked: Asked, arguments: MessageUsersArguments) -> Sheet:
    async with asked.db.read() as session:
        await check_is_kept(session, asked, arguments.days.since(asked.zone))
        found = await journey(session, asked, arguments.journey_id)
        step = await step_title(session, asked, arguments.journey_id, arguments.step_key)
    return Sheet(f"{found.title} {step} {_SUFFIX[asked.language]}", COLUMNS, _pages(asked, arguments))


async def _pages(asked: Asked, arguments: MessageUsersArguments) -> AsyncIterator[Page]:
    since, before = arguments.days.since(asked.zone) or 0, asked.before(arguments.days)
    place = asked.run_place(before)
    while True:
        async with asked.db.read() as session:
            about = (asked.project_id, arguments.journey_id, place, PAGE)
            found = await run_facts.runs_before(session, *about, until=None)
            where = (asked.project_id, asked.shards, arguments.step_key, [run.id for run in found.rows])
            messages = await run_facts.messages_at(session, *where)
            keys = [(one.shard, one.id) for these in messages.values() for one in these]
            hits = await run_facts.receipts_of(session, asked.project_id, keys, sorted(HIT_KINDS))
            runs = [run for run in found.rows if run.id in messages]
            who = await people.people(session, asked, [(run.shard, run.user_number) for run in runs])
        rows = [
            _row(message, action, who.get((run.shard, run.user_number), NOBODY))
            for run in runs
            for message in messages[run.id]
            for action in sorted(actions(message, hits.get(message.id, ())), key=_order)
            if since <= action.at < before
        ]
        if found.rows:
            last = found.rows[-1]
            place = (last.entered_at, last.shard, last.id)
            yield Page(rows, list(place))
        if not found.has_next:
            await check_was_kept(asked, arguments.days.since(asked.zone))
            return


def actions(message: Any, receipts: Any) -> Iterator[Action]:
    """All that became of a message, and all that was done with it."""
    heard = orjson.loads(message.heard)
    for (metric, reason), at in counted(seen(heard), message.reason, message.attempted_at).items():
        if metric not in _BY_HITS:
            yield Action(at, metric.value, reason=reason or None)
    hits = sorted((to_hit(one.kind, one.occurred_at, one.actor, one.url), one.url) for one in receipts)
    shown = [url for hit, url in hits if hit.kind in WITH_ACTOR]
    judged = judge((hit for hit, _ in hits), together=not is_unjudged(heard))
    for hit, url in zip(judged, shown, strict=True):
        link = None if not url or url.startswith(ERASED_LINK) else url
        yield Action(hit.at, _FIRST[hit.kind], hit.actor, link)


_FIRST = {kind.value: first.value for kind, (_, first) in WITH_ACTOR.items()}
_STEPS = {metric.value: number for number, metric in enumerate((Metric.SENT, Metric.DELIVERED))}


def _order(action: Action) -> tuple[Instant, int]:
    """By time; what happened in one instant as it must have happened."""
    return action.at, _STEPS.get(action.action, len(_STEPS))


def _row(message: Any, action: Action, person: Person) -> Row:
    return (
        *person,
        action.action,
        action.at,
        action.actor,
        action.link,
        action.reason,
        message.channel,
        message.address or None,
        message.version,
        global_id("Message", message.shard, message.id),
        global_id("Run", message.run_id),
    )


MESSAGE_USERS = Kind("message_users", MessageUsersArguments, open_message_users)
