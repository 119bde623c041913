"""Vouchers at the claim: each message gets its code in the transaction that notes its attempt.

So a code is taken if and only if a message may have left with it. A message that is tried again carries the
code that it has, and the messages of one passage of a step to several devices carry the same.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from server.clock import Instant
from server.store import inbox, notices, vouchers
from server.store.notices import Told
from server.store.sessions import WriteSession
from server.store.vouchers import REMEMBER, Pool

VOUCHERS_LOW = "vouchers_low"

Passage = tuple[int, str, Instant]


@dataclass(slots=True)
class Handing:
    """The codes that are kept for the messages of one claim, until it is known which of them leave."""

    codes: dict[int, str] = field(default_factory=dict)
    """By message."""
    fresh: dict[str, Pool] = field(default_factory=dict)
    """The codes among these that nobody has yet, and where they come from."""
    without: list[Any] = field(default_factory=list)
    """Messages whose pool is empty."""
    later: set[int] = field(default_factory=set)
    """Messages for which a code may turn up: another worker holds the last ones, and may let them go."""
    empty: list[Pool] = field(default_factory=list)


async def prepare(session: WriteSession, shard: int, rows: Sequence[Any]) -> Handing:
    """Holds a code for each of these messages that takes one and has none yet."""
    handing = Handing()
    wanting = [row for row in rows if row.pool and not row.voucher]
    if not wanting:
        return handing
    carried = await vouchers.carried(session, shard, {row.run_id for row in wanting})
    by_pool: defaultdict[str, defaultdict[Passage, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for row in wanting:
        passage = (row.run_id, row.step_key, row.created_at)
        if passage in carried:
            handing.codes[row.id] = carried[passage]
        else:
            by_pool[row.pool][passage].append(row)
    if by_pool:
        await _hold(session, wanting[0].project_id, by_pool, handing)
    return handing


async def _hold(
    session: WriteSession,
    project_id: int,
    by_pool: Mapping[str, Mapping[Passage, list[Any]]],
    handing: Handing,
) -> None:
    pools = await vouchers.by_names(session, project_id, sorted(by_pool))
    for name, passages in by_pool.items():
        groups, pool = list(passages.values()), pools.get(name)
        codes = [] if pool is None else await vouchers.hold(session, pool.id, len(groups))
        for code, group in zip(codes, groups, strict=False):
            handing.codes.update((row.id, code) for row in group)
            if pool is not None:
                handing.fresh[code] = pool
        missing = [row for group in groups[len(codes) :] for row in group]
        if missing and pool is not None and await vouchers.has_more(session, pool.id, len(codes)):
            handing.later.update(row.id for row in missing)
        elif missing:
            handing.without += missing
            handing.empty += [pool] if pool else []


async def hand_out(
    session: WriteSession, shard: int, handing: Handing, begun: Sequence[Any], now: Instant
) -> dict[int, str]:
    """Gives their codes to the messages whose attempt was noted. Returns them by message."""
    carrying = [row for row in begun if row.id in handing.codes]
    taking: dict[str, Any] = {}
    for row in carrying:
        if handing.codes[row.id] in handing.fresh:
            taking.setdefault(handing.codes[row.id], row)
    taken = [vouchers.Taken(row.project_id, code, shard, row.id) for code, row in taking.items()]
    await vouchers.take(session, taken, now)
    await vouchers.carry(session, shard, [(row.id, handing.codes[row.id]) for row in carrying])
    told = [_remember(shard, row, code, now) for code, row in taking.items() if row.remember_as]
    await inbox.append(session, told)
    await _warn(session, [handing.fresh[code] for code in taking], handing.empty, now)
    return {row.id: handing.codes[row.id] for row in carrying}


def _remember(shard: int, row: Any, code: str, now: Instant) -> inbox.Entry:
    learnt = {"number": row.user_number, "attribute": row.remember_as, "value": code, "at": now}
    return inbox.Entry(shard, row.project_id, REMEMBER, orjson.dumps(learnt), now)


async def _warn(session: WriteSession, used: Sequence[Pool], empty: Sequence[Pool], now: Instant) -> None:
    """Tells the operator of pools that run low or are empty: of each filling once."""
    told = [
        _told(pool, "empty", "is empty: messages that should carry its codes are skipped", now)
        for pool in empty
    ]
    for pool in {one.id: one for one in used}.values():
        if not await vouchers.has_more(session, pool.id, pool.low_water):
            told.append(_told(pool, "low", f"has {pool.low_water} codes left at most", now))
    await notices.tell(session, told)


def _told(pool: Pool, how: str, what: str, now: Instant) -> Told:
    text = f"The pool of vouchers {pool.name!r} {what}. Put more codes in."
    cause = f"{VOUCHERS_LOW}:{pool.id}:{pool.fills}:{how}"
    return Told(pool.project_id, VOUCHERS_LOW, cause, text, now, pool_id=pool.id)
