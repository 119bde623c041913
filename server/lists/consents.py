"""Consents from and to CSV files."""

from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

import orjson

from channels.contract import Purpose
from server.clock import Instant
from server.engine.consents import CONSENT_CHANGED
from server.errors import BadInput
from server.ingest import messages
from server.resolvers import consents as people
from server.resolvers.refusals import Refusal
from server.store import consents, inbox, users
from server.store.consents import Decision, Wanted
from server.store.database import Database
from server.store.ids import shard_of
from server.store.paging import Page
from server.store.sessions import ReadSession
from server.store.tables import Identity
from server.store.users import UserKey

from . import sheets
from .taking import Taken, in_chunks, instant, written

COLUMNS = (
    *("user_id", "anonymous_id", "channel", "purpose", "granted"),
    *("decided_at", "source", "evidence", "basis", "until"),
)
NEEDED = ("channel", "granted", "decided_at")
PAGE = 1000
_YES, _NO = ("true", "1", "yes", "y", "동의"), ("false", "0", "no", "n", "거부", "철회")


async def take_in(
    db: Database, path: Path, project_id: int, shards: int, now: Instant, *, dry_run: bool = False
) -> Taken:
    """Takes the file's decisions as events of the past: the latest of each user holds, wherever it is from.

    A bad row is told of, and the others are taken. The same row again is the same event, which counts once.
    Raises BadInput for a file without the columns.
    """
    taken = Taken()
    for chunk in in_chunks(_entries(path, project_id, shards, now, taken)):
        if not dry_run:
            async with db.write() as session:
                await inbox.append(session, chunk)
        taken.changed += len(chunk)
    return taken


def _entries(path: Path, project_id: int, shards: int, now: Instant, taken: Taken) -> Iterator[inbox.Entry]:
    for line in sheets.read(path, NEEDED, COLUMNS):
        try:
            if line.wrong:
                raise BadInput(line.wrong)
            yield _entry(line.cells, project_id, shards, now)
        except (BadInput, Refusal) as error:
            taken.refuse(line.number, error.message)


def _entry(cells: dict[str, str], project_id: int, shards: int, now: Instant) -> inbox.Entry:
    at = instant(cells["decided_at"], lambda: None)
    if at is None:
        raise BadInput("a decision needs its time, in decided_at")
    about = (cells["channel"], cells["purpose"] or Purpose.ADVERTISEMENT.value, _granted(cells["granted"]))
    until = instant(cells["until"], lambda: None)
    decision = Decision(
        *about, at, cells["source"] or "import", cells["evidence"], cells["basis"].strip().lower(), until
    )
    decision = people.checked(decision, now)
    event = messages.normalise(_message(cells, decision), received_at=now)
    if isinstance(event, list):
        raise BadInput("; ".join(problem.message for problem in event))
    shard = shard_of(project_id, event.user_id or event.anonymous_id or "", shards)
    return inbox.Entry(shard, project_id, inbox.HISTORY, messages.encode(event), now)


def _message(cells: dict[str, str], decision: Decision) -> dict[str, object]:
    who = {"userId": cells["user_id"] or None, "anonymousId": cells["anonymous_id"] or None}
    # As it was before there was more to say, so that a row of an old file is still the same event.
    more = [part for part in (decision.basis, decision.until) if part]
    said = orjson.dumps([cells["user_id"], cells["anonymous_id"], *decision[:6], *more])
    return {
        "type": "track",
        "event": CONSENT_CHANGED,
        # Made of what it says: the same row of any file is the same event.
        "messageId": f"consent-{blake2b(said, digest_size=16).hexdigest()}",
        "timestamp": written(decision.decided_at),
        "properties": {
            "channel": decision.channel,
            "purpose": decision.purpose,
            "granted": decision.granted,
            "source": decision.source,
            "evidence": decision.evidence,
            **({"basis": decision.basis} if decision.basis else {}),
            **({"until": written(decision.until)} if decision.until is not None else {}),
        },
        **who,
    }


def _granted(cell: str) -> bool:
    word = cell.casefold()
    if word not in (*_YES, *_NO):
        raise BadInput(f"true or false was wanted in granted, found {cell[:40]!r}")
    return word in _YES


async def _identities(
    session: ReadSession, project_id: int, keys: set[UserKey]
) -> dict[UserKey, list[Identity]]:
    return await users.identities_by_users(session, project_id, sorted(keys)) if keys else {}


async def write_out(db: Database, path: Path, project_id: int, shards: int) -> int:
    """Writes every user's decisions. Returns how many rows."""
    with sheets.writing(path, COLUMNS) as sheet:
        place = None
        while True:
            async with db.read() as session:
                page = Page(PAGE, place=place)
                found = await consents.page(session, project_id, shards, Wanted(), page)
                nameless = {(row.shard, row.user_number) for row in found.rows if row.user_id is None}
                known = await _identities(session, project_id, nameless)
            for row in found.rows:
                values = [one.value for one in known.get((row.shard, row.user_number), ())]
                who = [row.user_id or "", "" if row.user_id else next(iter(values), "")]
                said = ["true" if row.granted else "false", written(row.decided_at), row.source, row.evidence]
                said += [row.basis, "" if row.until is None else written(row.until)]
                sheet.add([*who, row.channel, row.purpose, *said])
            if not found.has_next:
                return sheet.rows
            last = found.rows[-1]
            place = (last.shard, last.user_number, last.channel, last.purpose)
