"""What is heard of addresses: folded into their suppressions, and shown by their endpoints."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import bindparam, select, update

from channels.contract import Purpose
from channels.reasons import Reason
from server.clock import Instant

from .among import among
from .bulk import Bulk, inserting, table_of
from .same_address import same_address
from .sessions import WriteSession
from .suppressed import HEARD, REPLACE, Key, key_of, rows_of
from .suppressing import EVERY_PURPOSE, Heard, Sighting, Verdict
from .tables import Endpoint, ShardState, Suppression

PUSH = "push"
PURPOSES = (EVERY_PURPOSE, *(purpose.value for purpose in Purpose))

_endpoints, _states = table_of(Endpoint), table_of(ShardState)
_FIRST = inserting(Suppression, once=True)
_THERE = (
    _endpoints.c.shard.in_(select(_states.c.shard)),
    _endpoints.c.project_id == bindparam("of_project"),
    _endpoints.c.channel == bindparam("of_channel"),
)
_MARK = Bulk(
    ("project", "channel", "address", "state", "at", "because"),
    {
        "": update(_endpoints)
        .where(*_THERE, _endpoints.c.address == bindparam("of_address"))
        .where(_endpoints.c.state != bindparam("of_state"))
        .values(state=bindparam("of_state"), changed_at=bindparam("of_at"), because=bindparam("of_because"))
    },
)
_ARRIVED = select(
    _endpoints.c.address, _endpoints.c.state, _endpoints.c.changed_at, _endpoints.c.reached_at
).where(*_THERE, among(_endpoints.c.address, "addresses"))


async def opt_out_address(
    session: WriteSession,
    project_id: int,
    channel: str,
    address: str,
    purpose: str,
    *,
    reason: str = Reason.OPTED_OUT.value,
    source: str,
    now: Instant,
    note: str = "",
) -> None:
    """Whoever reads this address wants no more messages of this purpose (empty: none at all).

    From this commit on nothing is handed over to it. For every purpose its endpoints say so, too, whosever
    they are. `source` is `inbound`, `unsubscribe` or `receipt`. An older `now` than what is known already is
    welcome: the latest word counts, in whatever order they come.
    """
    about = (project_id, channel, address, purpose)
    await hear_wishes(session, [opt_out(*about, reason=reason, source=source, now=now, note=note)])


async def opt_in_address(
    session: WriteSession, project_id: int, channel: str, address: str, purpose: str, *, now: Instant
) -> None:
    """Whoever reads this address wants messages of this purpose again; empty: of every purpose.

    Ends what was heard up to now, and nothing that people have set: see docs/permissions.md.
    """
    await hear_wishes(session, opt_in(project_id, channel, address, purpose, now=now))


class Wish(NamedTuple):
    """What somebody asked for, and in which words."""

    sighting: Sighting
    note: str = ""


def opt_out(
    project_id: int,
    channel: str,
    address: str,
    purpose: str,
    *,
    reason: str = Reason.OPTED_OUT.value,
    source: str,
    now: Instant,
    note: str = "",
) -> Wish:
    """As `opt_out_address` hears it."""
    return Wish(Sighting(project_id, channel, address, purpose, reason, now, source), note)


def opt_in(project_id: int, channel: str, address: str, purpose: str, *, now: Instant) -> list[Wish]:
    """As `opt_in_address` hears it."""
    about = (project_id, channel, address)
    purposes = PURPOSES if purpose == EVERY_PURPOSE else (purpose,)
    return [Wish(Sighting(*about, one, "", now, "inbound", is_opt_in=True)) for one in purposes]


async def hear_wishes(session: WriteSession, wishes: Sequence[Wish]) -> None:
    """What many people asked for, in a few statements."""
    said = {_key_of(one.sighting): one.note for one in sorted(wishes, key=lambda one: one.sighting.at)}
    await hear(session, [one.sighting for one in wishes], {key: note for key, note in said.items() if note})


async def hear(
    session: WriteSession, sightings: Iterable[Sighting], notes: Mapping[Key, str] | None = None
) -> None:
    """Folds sightings into what is known of their addresses, and marks the endpoints that they concern.

    That something arrived changes only rows that exist: most addresses never get one.
    """
    written: dict[Key, set[str]] = {}
    news: dict[Key, list[Sighting]] = {}
    for one in sorted(sightings, key=lambda one: one[:4]):
        key = _key_of(one)
        news.setdefault(key, []).append(one)
        written.setdefault(key, {key[2]}).add(one.address)
    lasting = [key for key, seen in news.items() if any(one.reason or one.is_opt_in for one in seen)]
    # In the order of their keys everywhere: two that write the same rows wait for each other only one way.
    await session.bulk(_FIRST, [(*key, HEARD, "", None, None, "", "", "{}") for key in sorted(lasting)])
    await _recall_what_arrived(session, news, written)
    rows, marks = [], []
    for row in await rows_of(session, news, HEARD, held=True):
        key = key_of(row)
        heard = Heard.from_json(row.heard)
        for sighting in news.get(key, ()):
            heard.take_in(sighting)
        note = (notes or {}).get(key, row.note)
        rows.append((*key, HEARD, *_told(heard.verdict()), note, heard.to_json()))
        if row.purpose == EVERY_PURPOSE:
            at = max(one.at for one in news[key])
            marks += _marks(key, sorted(written[key]), heard.verdict(), at)
    await session.bulk(_MARK, marks)
    await session.bulk(REPLACE, rows)


def _key_of(one: Sighting) -> Key:
    return one.project_id, one.channel, same_address(one.channel, one.address), one.purpose


async def _recall_what_arrived(
    session: WriteSession, news: Mapping[Key, list[Sighting]], written: Mapping[Key, set[str]]
) -> None:
    """Adds to bad news what the endpoints know of good news, which may have come before any row was there."""
    asking: defaultdict[tuple[int, str], defaultdict[str, list[Key]]] = defaultdict(lambda: defaultdict(list))
    for key, seen in news.items():
        if any(one.reason for one in seen):
            for address in sorted(written[key]):
                asking[key[:2]][address].append(key)
    for (project_id, channel), keys in asking.items():
        about = {"of_project": project_id, "of_channel": channel}
        for row in await session.rows_in(_ARRIVED, "addresses", keys, about):
            at = row.reached_at
            if channel == PUSH and row.state == "usable":
                # Its app handed the token in then: it was alive.
                at = max(row.changed_at, at or 0)
            if at is not None:
                for key in keys[row.address]:
                    news[key].append(Sighting(*key, "", at, "receipt"))


async def show(session: WriteSession, addresses: Iterable[tuple[int, str, str]]) -> None:
    """Marks the endpoints of these addresses (project, channel, address) by what was heard before."""
    wanted: dict[Key, set[str]] = {}
    for project_id, channel, address in addresses:
        key = (project_id, channel, same_address(channel, address), EVERY_PURPOSE)
        wanted.setdefault(key, set()).add(address)
    marks = []
    for row in await rows_of(session, wanted, HEARD, held=True):
        key = key_of(row)
        verdict = Heard.from_json(row.heard).verdict()
        if verdict is not None:
            marks += _marks(key, sorted(wanted[key]), verdict, verdict.since)
    await session.bulk(_MARK, marks)


def _told(verdict: Verdict | None) -> tuple[str, Instant | None, Instant | None, str]:
    return verdict or ("", None, None, "")


def _marks(
    key: Key, written: Sequence[str], verdict: Verdict | None, at: Instant
) -> list[tuple[int, str, str, str, Instant, str]]:
    """Endpoints show what was heard for every purpose; a state that ends by itself is not theirs to show."""
    state, because = "usable", ""
    if verdict is not None and verdict.until is None:
        state = "opted_out" if verdict.reason == Reason.OPTED_OUT else "invalid"
        at, because = verdict.since, verdict.source
    return [(key[0], key[1], address, state, at, because) for address in written]
