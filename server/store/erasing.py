"""Forgets a person in one shard: what is theirs is deleted or blanked, and what was counted stays.

`WHAT_BECOMES` says it for every table; a test holds that none is missing.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import orjson
from sqlalchemy import ColumnElement, and_, bindparam, delete, or_, select, update

from server.clock import Instant
from server.journey.holdout import HOLDOUT, TREATED

from . import exports, kept, users
from .among import among
from .bulk import deleting, table_of, updating
from .ids import digest
from .kept import Place
from .sessions import WriteSession
from .tables import (
    Consent,
    Coupon,
    Endpoint,
    EntryAnswer,
    EntryRequest,
    Event,
    FormerMessage,
    FormerRun,
    Idempotency,
    Identity,
    InApp,
    Inbound,
    Life,
    ListMember,
    Message,
    Purchase,
    Quarantine,
    Receipt,
    Run,
    ShardState,
    Spending,
    Unclaimed,
    User,
    Visit,
)
from .users import UserKey

NOTHING = "holds nothing of a person"
NUMBERS = "holds numbers of users, which lead to nobody any more"
WHAT_BECOMES: dict[str, str] = {
    "user": "attributes, user id",
    "identity": "deleted",
    "endpoint": "deleted",
    "consent": "deleted; what was withdrawn is kept under a digest of the address",
    "suppression": "kept under a digest, unless somebody else has the address",
    "kept_refusal": "holds digests of addresses",
    "event": "properties, context; values of declared properties become `(other)`",
    "run": "properties, the value and the address of the entry, what the step has kept",
    "visit": "what the decisions saw, and why, but for goals, draws and edits",
    "message": "address, event, voucher, evidence; what is queued is skipped",
    "receipt": "what was said word for word, links",
    "former_run": "the value of the entry",
    "former_message": "address",
    "in_app": "deleted",
    "inbound": "address, text",
    "inbox": "is worked in before, or leads to a new user",
    "quarantine": "rows that name the person are deleted",
    "unclaimed": "receipts that name an address are deleted",
    "idempotency": "answers that name the person are deleted",
    "entry_answer": "the id becomes a digest",
    "entry_request": "the properties, of a request for this person alone",
    "list_member": "deleted",
    "purchase": "the order's id, what was bought and by which coupons; ids of refunds become digests",
    "life": "deleted",
    "spending": "deleted",
    "coupon": "deleted",
    "arrival": "holds digests of message ids",
    "conversion": NUMBERS,
    "refusal": NUMBERS,
    "counter": NUMBERS,
    "user_set": NUMBERS,
    "settled_counter": NUMBERS,
    "settled_set": NUMBERS,
    "deed_set": f"{NUMBERS}, under values that are the project's words",
    "attribute_set": "the person leaves every set; values that nobody has are forgotten",
    "adopted_deeds": "values of declared properties become `(other)`",
    "device": "holds digests of device ids",
    "visit_session": "the keyword and the landing page become `(other)`",
    "foreign_letter": NUMBERS,
    "export": "files that may hold the person are deleted; those in the making begin anew",
    "export_chunk": "deleted with their file",
    "voucher": "holds codes, and to which message each went",
    **dict.fromkeys(
        (
            "api_key", "catalog", "cohort_report", "connection", "connection_health", "declared_property",
            "deed_value", "frequency_cap", "guard",
            "guard_setting", "import", "journey", "launch", "lease", "movement", "notice", "poll_cursor",
            "alimtalk_comment", "alimtalk_image", "alimtalk_image_at", "alimtalk_registration",
            "alimtalk_template", "alimtalk_version", "price_entry",
            "project", "segment", "sender_profile", "shard_state",
            "user_list", "verdict", "version", "voucher_pool",
        ),
        NOTHING,
    ),
}  # fmt: skip
NAMED_REFUND = "refund "
"""Begins the key of a refund that has an id of its own; the others are digests and words of ours."""
ERASED_REFUND = "erased "
"""Begins what is kept of a refund's key, by which refunds of one order are told apart."""
ERASED_LINK = "#"
"""Begins what is kept of a link: which of a message's it was, so that hits can be judged together."""

_users, _identities, _endpoints = table_of(User), table_of(Identity), table_of(Endpoint)
_events, _runs, _visits, _consents = table_of(Event), table_of(Run), table_of(Visit), table_of(Consent)
_messages, _receipts, _in_app = table_of(Message), table_of(Receipt), table_of(InApp)
_inbound, _members, _states = table_of(Inbound), table_of(ListMember), table_of(ShardState)
_quarantine, _unclaimed, _answers = table_of(Quarantine), table_of(Unclaimed), table_of(EntryAnswer)
_former_runs, _former_messages = table_of(FormerRun), table_of(FormerMessage)
_lives, _spending, _coupons = table_of(Life), table_of(Spending), table_of(Coupon)
_purchases = table_of(Purchase)
_requests, _idempotency = table_of(EntryRequest), table_of(Idempotency)

_REFUNDS = updating(Purchase, ("shard", "project_id", "key", "user_number"), "refunds")
_GONE_IDENTITY = deleting(Identity, "shard", "project_id", "kind", "value")
_SEEN = updating(Visit, ("shard", "run_id", "seq"), "saw")
_LINKS = updating(Receipt, ("shard", "message_id", "key"), "url")
_CANCEL = (
    update(_messages)
    .where(_messages.c.shard == bindparam("of_shard"), among(_messages.c.run_id, "runs"))
    .where(_messages.c.status == "queued")
    .values(status="skipped", due_at=None, reason=bindparam("why"))
    .returning(_messages.c.id)
)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """A person, as far as a shard has to know whom to forget."""

    project_id: int
    numbers: Sequence[int]
    """The person's users in this shard."""
    identities: Sequence[tuple[str, str]] = ()
    """Kind and value."""
    addresses: Sequence[Place] = ()
    run_ids: Sequence[int] = ()
    at: Instant = 0


async def mark(session: WriteSession, project_id: int, keys: Sequence[UserKey], at: Instant) -> int:
    """Notes that these users are erased; from the commit on nothing is handed over to them.

    Returns how many were not erased before.
    """
    here = and_(_users.c.project_id == project_id, users.among(_users, keys, "number"))
    return await session.run(update(_users).where(here, _users.c.erased_at.is_(None)).values(erased_at=at))


async def count_queued(session: WriteSession, shards: int, run_ids: Sequence[int]) -> int:
    """Messages of these runs that have not left."""
    statement = select(_messages.c.id).where(
        _messages.c.shard.in_(list(range(shards))),
        among(_messages.c.run_id, "runs"),
        _messages.c.status == "queued",
    )
    return len(await session.rows_in(statement, "runs", run_ids))


async def forget(session: WriteSession, shard: int, who: Forgotten, reason: str) -> list[int]:
    """All that this shard knows of the person; the caller has ended their runs.

    Returns the messages that had not left, which are skipped for this reason.
    """
    places = [*who.addresses, *await _places(session, shard, who)]
    if who.numbers:
        await _keep_refusals(session, shard, who, places)
        await _forget_in_global_tables(session, shard, who, places)
    await _forget_profile(session, shard, who)
    run_ids = sorted({*who.run_ids, *await _run_ids(session, shard, who)})
    skipped = await _cancel(session, shard, run_ids, reason)
    await _forget_messages(session, shard, run_ids)
    await _forget_ways(session, shard, who, run_ids)
    await _forget_requests(session, shard, who)
    await _forget_quarantine(session, shard, who)
    return skipped


async def _cancel(session: WriteSession, shard: int, run_ids: Sequence[int], reason: str) -> list[int]:
    about = {"of_shard": shard, "why": reason}
    return [row.id for row in await session.rows_in(_CANCEL, "runs", run_ids, about)]


def _of(table: Any, shard: int, who: Forgotten, column: str = "user_number") -> ColumnElement[bool]:
    return and_(
        table.c.shard == shard,
        table.c.project_id == who.project_id,
        table.c[column].in_(list(who.numbers)),
    )


async def _places(session: WriteSession, shard: int, who: Forgotten) -> list[Place]:
    """Where the person was written to; on channels that write to a user id, that."""
    rows = await session.rows(
        select(_endpoints.c.channel, _endpoints.c.address).where(_of(_endpoints, shard, who))
    )
    by_id = [value for kind, value in who.identities if kind == "user_id"]
    return [
        *((row.channel, row.address) for row in rows),
        *((one, value) for one in kept.BY_USER_ID for value in by_id),
    ]


async def _run_ids(session: WriteSession, shard: int, who: Forgotten) -> list[int]:
    rows = await session.rows(select(_runs.c.id).where(_of(_runs, shard, who)))
    return [row.id for row in rows]


async def _keep_refusals(session: WriteSession, shard: int, who: Forgotten, places: Sequence[Place]) -> None:
    withdrawn = await session.rows(select(_consents).where(_of(_consents, shard, who), ~_consents.c.granted))
    await kept.keep_withdrawals(session, who.project_id, withdrawn, places)
    alone = [place for place in sorted(set(places)) if not await _has_others(session, who.project_id, place)]
    await kept.keep_suppressions(session, who.project_id, alone)


async def _has_others(session: WriteSession, project_id: int, place: Place) -> bool:
    """Whether somebody who is not erased has this address, too."""
    theirs = and_(
        _users.c.shard == _endpoints.c.shard,
        _users.c.project_id == _endpoints.c.project_id,
        _users.c.number == _endpoints.c.user_number,
    )
    statement = (
        select(_endpoints.c.user_number)
        .join(_users, theirs)
        .where(_endpoints.c.shard.in_(select(_states.c.shard)), _endpoints.c.project_id == project_id)
        .where(_endpoints.c.channel == place[0], _endpoints.c.address == place[1])
        .where(_users.c.erased_at.is_(None))
        .limit(1)
    )
    return bool(await session.rows(statement))


async def _forget_profile(session: WriteSession, shard: int, who: Forgotten) -> None:
    about = [(shard, who.project_id, kind, value) for kind, value in who.identities]
    await session.bulk(_GONE_IDENTITY, about)
    if not who.numbers:
        return
    blank = {"attributes": "{}", "user_id": None, "erased_at": who.at}
    await session.run(update(_users).where(_of(_users, shard, who, "number")).values(blank))
    await session.run(delete(_identities).where(_of(_identities, shard, who, "number")))
    for table in (_endpoints, _consents, _members, _lives, _spending, _coupons):
        await session.run(delete(table).where(_of(table, shard, who)))
    bought = {"order_id": "", "coupons": "[]", "products": "[]"}
    await session.run(update(_purchases).where(_of(_purchases, shard, who)).values(bought))
    await _forget_refunds(session, shard, who)
    await session.run(update(_former_runs).where(_of(_former_runs, shard, who)).values(entry_value=""))
    await session.run(update(_former_messages).where(_of(_former_messages, shard, who)).values(address=""))
    await session.run(update(_events).where(_of(_events, shard, who)).values(body="{}", context="{}"))


async def _forget_refunds(session: WriteSession, shard: int, who: Forgotten) -> None:
    keys = (_purchases.c[name] for name in _REFUNDS.columns)
    statement = select(*keys).where(_of(_purchases, shard, who), _purchases.c.refunds != "{}")
    changed = []
    for row in await session.rows(statement):
        refunds = {erased_refund(key): one for key, one in orjson.loads(row.refunds or "{}").items()}
        changed.append((*row[:-1], orjson.dumps(refunds).decode()))
    await session.bulk(_REFUNDS, changed)


def erased_refund(key: str) -> str:
    """What is kept of a refund's key, where it names an id. Twice is the same as once."""
    return f"{ERASED_REFUND}{digest(key)}" if key.startswith(NAMED_REFUND) else key


async def _forget_messages(session: WriteSession, shard: int, run_ids: Collection[int]) -> None:
    where = and_(_messages.c.shard == shard, among(_messages.c.run_id, "runs"))
    ids = [row.id for row in await session.rows_in(select(_messages.c.id).where(where), "runs", run_ids)]
    here = and_(_messages.c.shard == shard, among(_messages.c.id, "ids"))
    blank = update(_messages).where(here).values(address="", event="{}", voucher="", evidence="")
    await _run_in(session, blank, ids)
    await _run_in(
        session, delete(_in_app).where(_in_app.c.shard == shard, among(_in_app.c.message_id, "ids")), ids
    )
    theirs = and_(_receipts.c.shard == shard, among(_receipts.c.message_id, "ids"))
    await _run_in(session, update(_receipts).where(theirs).values(detail="", raw=""), ids)
    linked = select(_receipts.c.message_id, _receipts.c.key, _receipts.c.url).where(
        theirs, _receipts.c.url != ""
    )
    rows = await session.rows_in(linked, "ids", ids)
    await session.bulk(_LINKS, [(shard, row.message_id, row.key, erased_link(row.url)) for row in rows])


def erased_link(url: str) -> str:
    """What is kept of a link. Twice is the same as once."""
    return url if not url or url.startswith(ERASED_LINK) else f"{ERASED_LINK}{crc32(url.encode())}"


async def _run_in(session: WriteSession, statement: Any, ids: Sequence[int]) -> None:
    for start in range(0, len(ids), 5000):
        await session.run(statement, {"ids": list(ids[start : start + 5000])})


async def _forget_ways(session: WriteSession, shard: int, who: Forgotten, run_ids: Sequence[int]) -> None:
    blank: dict[str, Any] = {"properties": "{}", "memory": "{}", "entry_value": "", "entry_address": ""}
    if who.numbers:
        await session.run(update(_runs).where(_of(_runs, shard, who)).values(blank))
    theirs = and_(_visits.c.shard == shard, among(_visits.c.run_id, "ids"))
    await _forget_seen(session, shard, run_ids)
    # A goal's key and where an edit led are words of the journey, and counted by.
    telling = and_(
        or_(_visits.c.end_reason.is_(None), _visits.c.end_reason != "goal"), ~_visits.c.output.like("@%")
    )
    await _run_in(session, update(_visits).where(theirs, telling).values(because=""), run_ids)


async def _forget_seen(session: WriteSession, shard: int, run_ids: Sequence[int]) -> None:
    theirs = and_(_visits.c.shard == shard, among(_visits.c.run_id, "runs"), _visits.c.saw != "{}")
    seen = select(_visits.c.run_id, _visits.c.seq, _visits.c.saw).where(theirs)
    rows = await session.rows_in(seen, "runs", run_ids)
    blank = [(shard, row.run_id, row.seq, "{}") for row in rows if not _tells_a_draw(orjson.loads(row.saw))]
    await session.bulk(_SEEN, blank)


def _tells_a_draw(saw: dict[str, Any]) -> bool:
    """Whether it is of a draw, of what tells nobody from others, and by which draws are counted again."""
    if saw.keys() == {"version", "round"}:
        return all(isinstance(value, int) for value in saw.values())
    return saw.keys() == {"drawn"} and saw["drawn"] in (HOLDOUT, TREATED)


async def _forget_requests(session: WriteSession, shard: int, who: Forgotten) -> None:
    named = [value for _, value in who.identities]
    numbered = _answers.c.user_number.in_(list(who.numbers))
    statement = select(_answers).where(
        _answers.c.shard == shard,
        _answers.c.project_id == who.project_id,
        or_(numbered, _answers.c.value.in_(named)),
    )
    for row in await session.rows(statement):
        here = and_(
            _answers.c.shard == shard, _answers.c.request_id == row.request_id, _answers.c.kind == row.kind
        )
        named_so = and_(here, _answers.c.value == row.value)
        await session.run(update(_answers).where(named_so).values(value=f"erased {digest(row.value)}"))
        alone = and_(_requests.c.id == row.request_id, _requests.c.asked == 1)
        await session.run(update(_requests).where(alone).values(properties="{}"))


async def _forget_in_global_tables(
    session: WriteSession, shard: int, who: Forgotten, places: Sequence[Place]
) -> None:
    for channel, address in sorted(set(places)):
        here = and_(
            _inbound.c.project_id == who.project_id,
            _inbound.c.channel == channel,
            _inbound.c.address == address,
        )
        await session.run(update(_inbound).where(here).values(address="", text=""))
    values = {*(value for _, value in who.identities), *(address for _, address in places)}
    await _forget_answers(session, shard, who, values)
    await _forget_unclaimed(session, {address for _, address in places})
    await exports.forget_people(session, who.project_id)


async def _forget_answers(session: WriteSession, shard: int, who: Forgotten, values: Collection[str]) -> None:
    """Answers that name the person by a value, or by the user's number as `setConsent` does."""
    here = _idempotency.c.project_id == who.project_id
    numbered = [f'"user":[{shard},{number}]' for number in who.numbers]
    gone: set[str] = set()
    for part in (*numbered, *(orjson.dumps(value).decode() for value in sorted(values))):
        found = select(_idempotency.c.key).where(here, _idempotency.c.answer.contains(part, autoescape=True))
        gone |= {row.key for row in await session.rows(found)}
    await session.run(delete(_idempotency).where(here, _idempotency.c.key.in_(sorted(gone))))


async def _forget_unclaimed(session: WriteSession, addresses: Collection[str]) -> None:
    """What providers said of messages that we do not know: words of theirs, in which an address may stand."""
    written = [orjson.dumps(one)[1:-1] for one in addresses if len(one) >= 5]
    for row in await session.rows(select(_unclaimed)):
        if any(one in bytes(row.receipt) for one in written):
            here = and_(_unclaimed.c.connection_id == row.connection_id, _unclaimed.c.key == row.key)
            await session.run(delete(_unclaimed).where(here))


async def _forget_quarantine(session: WriteSession, shard: int, who: Forgotten) -> None:
    values = {*(value for _, value in who.identities), *(address for _, address in who.addresses)}
    here = and_(_quarantine.c.shard == shard, _quarantine.c.project_id == who.project_id)
    for row in await session.rows(select(_quarantine).where(here)):
        if _names(_read(bytes(row.payload)), values):
            await session.run(delete(_quarantine).where(here, _quarantine.c.id == row.id))


def _read(payload: bytes) -> Any:
    """A payload of the inbox; one that was passed on between shards has a byte before it."""
    for content in (payload, payload[1:]):
        try:
            return orjson.loads(content)
        except orjson.JSONDecodeError:
            continue
    return None


def _names(data: Any, values: Iterable[str]) -> bool:
    """Whether any of the values stands anywhere in this data."""
    if isinstance(data, dict):
        return any(_names(one, values) for one in data.values())
    if isinstance(data, list):
        return any(_names(one, values) for one in data)
    return isinstance(data, str) and data in values
