"""What a relay tells of templates is folded into what we know: from an answer, a list, or a callback.

The same thing told twice changes nothing, and what is told late and is older changes nothing.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from channels.alimtalk.desk import Comment, CommentKind, DeskCan, Inspection, Operation, Registered
from channels.alimtalk.reading import read_template
from channels.alimtalk.template import Template
from server.alimtalk.lifecycle import News, Standing, folded, news
from server.alimtalk.placing import Held, meant
from server.clock import SECOND, Instant
from server.store import alimtalk_registrations as registrations
from server.store import alimtalk_sendable, notices
from server.store.notices import Told
from server.store.sessions import WriteSession
from server.store.setup import touch_catalog
from server.store.tables import AlimtalkComment

from . import pictured, telling
from .telling import Whose

LONGEST_WORDS = 4000
"""Of a comment, and of an author's name."""


@dataclass(slots=True)
class Heard:
    """What came of it."""

    changed: int = 0
    unknown: list[Registered] = field(default_factory=list)
    """Of codes that no version has."""
    unclear: set[str] = field(default_factory=set)
    """Codes of which it cannot be said which version is meant, unless the relay tells its text."""


async def take_in(
    session: WriteSession,
    whose: Whose,
    can: DeskCan,
    told: Sequence[Registered],
    now: Instant,
    *,
    as_of: Instant | None = None,
) -> Heard:
    """`as_of` is when an answer was asked for; without one each has the time that its relay tells."""
    rows = await registrations.of_connection(session, whose.connection_id)
    by_code: defaultdict[str, list[Any]] = defaultdict(list)
    for row in rows:
        if row.code:
            by_code[row.code].append(row)
    held = await _templates(session, whose, by_code, {one.code for one in told})
    heard, placed = Heard(), []
    for one in told:
        if one.code not in by_code:
            heard.unknown.append(one)
            continue
        row = _row_of(one, by_code[one.code], held, can)
        if row is not None and _may_be_of_an_edit(one, row, can):
            heard.unclear.add(one.code)
        elif row is not None:
            placed.append((row, one))
        elif one.template is None:
            heard.unclear.add(one.code)
    heard.changed = await keep(session, whose, placed, now, as_of=as_of)
    return heard


async def keep(
    session: WriteSession,
    whose: Whose,
    placed: Sequence[tuple[Any, Registered]],
    now: Instant,
    *,
    as_of: Instant | None = None,
    is_answer: bool = False,
    is_more_asked: bool = False,
) -> int:
    """Folds what is told of these registrations, and tells operators what is new. Returns how many changed.

    An answer to what was asked ends the waiting for it, unless more `is_more_asked` that is not answered; so
    does a look at the relay some time later.
    """
    keys = sorted({row.key for row, _ in placed})
    before = await alimtalk_sendable.sendable(session, whose.project_id, keys)
    known, latest = dict[int, Any](), dict[int, Standing]()
    changes, spoken, what_is_new = list[dict[str, Any]](), list[AlimtalkComment](), list[Told]()
    changed = set[int]()
    # Whoever read them earlier may know less than we do by now.
    fresh = await registrations.held(session, whose.project_id, sorted({row.id for row, _ in placed}))
    for row, one in ((fresh[row.id], one) for row, one in placed if row.id in fresh):
        known[row.id] = row
        was = latest.get(row.id, standing_of(row))
        at = as_of or _as_of(one, now)
        # What is answered is later than all that was known when it was asked.
        at = max(at, was.as_of + 1) if is_answer else at
        is_now = latest[row.id] = folded(was, _standing(one, at))
        spoken += [_comment(whose, row.id, said) for said in one.comments]
        happened_at = min(now, one.changed_at or at)
        for found in news(was, is_now):
            why = _why(one.comments) if found is News.REJECTED else ""
            what_is_new.append(telling.of_template(whose, row, found, why, happened_at))
        values = _values(row, was, is_now, happened_at, is_answer=is_answer and not is_more_asked)
        if _is_new(row, values):
            changed.add(row.id)
        changes.append({**values, "changed_at": now if row.id in changed else row.changed_at})
    await registrations.stand(session, changes)
    await registrations.comment(session, spoken)
    for number, is_now in latest.items():
        row = known[number]
        if is_now.inspection is Inspection.APPROVED and row.inspection != Inspection.APPROVED:
            await registrations.replace_older(session, whose.connection_id, row.code, row.number, now)
    after = await alimtalk_sendable.sendable(session, whose.project_id, keys)
    lost = [key for key in keys if key in before and key not in after]
    names = {row.key: row.name or row.key for row in known.values()}
    what_is_new += await telling.unsendable(session, whose, lost, names, now)
    await notices.tell(session, what_is_new)
    if changed:
        await touch_catalog(session)
    return len(changed)


def _as_of(told: Registered, now: Instant) -> Instant:
    """Whole seconds, as relays write them, mean any time within; and no clock that is ahead makes us deaf."""
    if told.changed_at is None:
        return now
    return min(now, told.changed_at + (SECOND - 1 if told.changed_at % SECOND == 0 else 0))


async def _templates(
    session: WriteSession, whose: Whose, by_code: Mapping[str, list[Any]], told: set[str]
) -> dict[int, Template]:
    """By registration: versions that share a code that is told of, with pictures as the relay has them."""
    several = [row for code in sorted(told) if len(by_code.get(code, ())) > 1 for row in by_code[code]]
    read = {row.id: found for row in several if (found := template_of(row.content)) is not None}
    return await pictured.at_relay(session, whose, read)


def _row_of(told: Registered, rows: Sequence[Any], held: Mapping[int, Template], can: DeskCan) -> Any | None:
    rows = [row for row in rows if not row.is_replaced] or rows
    there = [Held(row.number, Inspection(row.inspection), held.get(row.id)) for row in rows]
    number = meant(told, there, can.more.get("not_told", ()))
    return next((row for row in rows if row.number == number), None)


def _may_be_of_an_edit(told: Registered, row: Any, can: DeskCan) -> bool:
    """Some relays call back of an edit as if it were the approved one, which is live all the while."""
    is_news = told.template is None and not told.is_revision and told.inspection is not Inspection.APPROVED
    may_be = bool(can.more.get("news_may_be_of_an_edit"))
    return may_be and is_news and row.inspection == Inspection.APPROVED


def template_of(content: str) -> Template | None:
    """The template that a version holds."""
    return read_template(orjson.loads(content))[0]


def standing_of(row: Any) -> Standing:
    return Standing(
        Inspection(row.inspection),
        Operation(row.operation),
        bool(row.is_blocked),
        bool(row.is_dormant),
        row.told_at,
    )


def _standing(told: Registered, at: Instant) -> Standing:
    return Standing(told.inspection, told.operation, told.is_blocked, told.is_dormant, at)


def _values(
    row: Any, was: Standing, now_is: Standing, happened_at: Instant, *, is_answer: bool
) -> dict[str, Any]:
    """The row's values. A relay that does not tell of first messages does not make an active one ready."""
    operation = now_is.operation
    if operation is Operation.READY and row.first_sent_at is not None:
        operation = Operation.ACTIVE
    asked, decided = now_is.is_under_review, now_is.inspection in (Inspection.APPROVED, Inspection.REJECTED)
    turned = was.inspection is not now_is.inspection
    settled = is_answer or (row.intent_at or 0) <= now_is.as_of - registrations.INTENT_LASTS
    return {
        "id": row.id,
        "code": row.code,
        "inspection": now_is.inspection.value,
        "operation": operation.value,
        "is_blocked": now_is.is_blocked,
        "is_dormant": now_is.is_dormant,
        "told_at": now_is.as_of,
        "requested_at": happened_at if turned and asked else row.requested_at,
        "decided_at": happened_at if turned and decided else row.decided_at,
        "released_at": happened_at if was.is_dormant and not now_is.is_dormant else row.released_at,
        "intent": "" if settled else row.intent,
    }


def _is_new(row: Any, values: dict[str, Any]) -> bool:
    return any(getattr(row, name) != value for name, value in values.items() if name != "told_at")


def _comment(whose: Whose, registration_id: int, said: Comment) -> AlimtalkComment:
    return AlimtalkComment(
        registration_id=registration_id,
        key=said.key,
        project_id=whose.project_id,
        at=said.at,
        kind=said.kind.value,
        author=_without_nul(said.author),
        text=_without_nul(said.text),
        attachments=orjson.dumps(said.attachments).decode(),
    )


def _without_nul(text: str) -> str:
    return text.replace("\0", "")[:LONGEST_WORDS]


def _why(comments: Sequence[Comment]) -> str:
    said = [one for one in comments if one.kind is CommentKind.REJECTION] or list(comments)
    return max(said, key=lambda one: one.at).text.strip()[:500] if said else ""
