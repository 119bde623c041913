"""What erased people had refused, kept under digests of their addresses: refused it stays if they come back.

A digest can be compared by whoever has the address and this database, and tells nothing to anybody else.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import bindparam, select

from channels.reasons import Reason

from . import consents
from .among import among
from .bulk import deleting, inserting, table_of
from .consents import Decision
from .ids import digest
from .same_address import same_address
from .sessions import WriteSession
from .suppressed import HEARD, PEOPLE
from .tables import Consent, KeptRefusal, Suppression

BY_USER_ID = ("in_app", "webhook")
"""Channels on which a user's id is the address."""
CONSENT = "consent"
"""Who has set what is kept of a consent that was withdrawn."""

Place = tuple[str, str]
"""Channel and address."""

Having = tuple[int, int, str, str]
"""Project, user number, channel and address: a user has this address, perhaps again."""

_kept, _suppressions = table_of(KeptRefusal), table_of(Suppression)
_KEEP = inserting(KeptRefusal, once=True)
_DROP = deleting(KeptRefusal, "project_id", "digest", "purpose", "set_by")
_RESTORE = inserting(Suppression, once=True)
_SOME = select(_kept).where(_kept.c.project_id == bindparam("of_project"), among(_kept.c.digest, "digests"))
_FORGET = deleting(Suppression, "project_id", "channel", "address", "purpose", "set_by")


def digest_of(project_id: int, channel: str, address: str) -> str:
    return digest(f"{project_id}:{channel}:{same_address(channel, address)}")


async def keep_suppressions(session: WriteSession, project_id: int, places: Iterable[Place]) -> None:
    """Puts what suppresses these addresses away, so that the addresses themselves are gone."""
    for channel, address in sorted(set(places)):
        written = same_address(channel, address)
        rows = await session.rows(
            select(_suppressions).where(
                _suppressions.c.project_id == project_id,
                _suppressions.c.channel == channel,
                _suppressions.c.address == written,
            )
        )
        name = digest_of(project_id, channel, address)
        kept = [
            (
                project_id,
                name,
                row.purpose,
                row.set_by,
                row.reason,
                row.since,
                row.until,
                row.source,
                row.heard,
            )
            for row in rows
            if row.since is not None
        ]
        await session.bulk(_KEEP, kept)
        gone = [(project_id, channel, written, row.purpose, row.set_by) for row in rows]
        await session.bulk(_FORGET, gone)


async def keep_withdrawals(
    session: WriteSession, project_id: int, withdrawn: Iterable[Consent], places: Sequence[Place]
) -> None:
    """Keeps what a person no longer agrees to, for each address that they had on the channel."""
    rows = [
        (
            project_id,
            digest_of(project_id, channel, address),
            one.purpose,
            CONSENT,
            Reason.OPTED_OUT.value,
            one.decided_at,
            None,
            one.source,
            "{}",
        )
        for one in withdrawn
        for channel, address in places
        if channel == one.channel
    ]
    await session.bulk(_KEEP, rows)


async def revive(session: WriteSession, shard: int, back: Iterable[Having]) -> set[tuple[int, str, str]]:
    """What was refused at these addresses holds again. Returns project, channel and address of those.

    A withdrawn consent is the user's who has the address now, with its old time: a later decision holds.
    """
    found: set[tuple[int, str, str]] = set()
    by_project: dict[int, dict[str, tuple[int, str, str]]] = {}
    for project_id, number, channel, address in back:
        name = digest_of(project_id, channel, address)
        by_project.setdefault(project_id, {})[name] = (number, channel, address)
    for project_id, named in by_project.items():
        rows = await session.rows_in(_SOME, "digests", sorted(named), {"of_project": project_id})
        for row in rows:
            number, channel, address = named[row.digest]
            await _restore(session, shard, row, (number, channel, address))
            found.add((project_id, channel, address))
        await session.bulk(_DROP, [(project_id, row.digest, row.purpose, row.set_by) for row in rows])
    return found


async def _restore(session: WriteSession, shard: int, row: Any, whose: tuple[int, str, str]) -> None:
    number, channel, address = whose
    if row.set_by in (HEARD, PEOPLE):
        key = (row.project_id, channel, same_address(channel, address), row.purpose, row.set_by)
        await session.bulk(_RESTORE, [(*key, row.reason, row.since, row.until, row.source, "", row.heard)])
        return
    decision = Decision(channel, row.purpose, False, row.since, row.source, "")
    await session.bulk(consents.KEEP, [consents.row_of(shard, row.project_id, number, decision)])


async def revive_places(session: WriteSession, project_id: int, places: Iterable[Place]) -> None:
    """The same for addresses that people name, whoever has them: their suppressions only."""
    named = {digest_of(project_id, *place): place for place in places}
    rows = await session.rows_in(_SOME, "digests", sorted(named), {"of_project": project_id})
    plain = [row for row in rows if row.set_by in (HEARD, PEOPLE)]
    for row in plain:
        await _restore(session, 0, row, (0, *named[row.digest]))
    await session.bulk(_DROP, [(project_id, row.digest, row.purpose, row.set_by) for row in plain])
