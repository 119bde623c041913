"""Which version of its template each message of a claim leaves with, and which may not leave with any.

The newest version that may be sent through the message's connection. A message whose template may be sent
only through a later connection of its channel moves on there, as from a sender that fails. What speaks of
coupons or points goes to members only, and where its ground says so to those alone who have agreed; what is
not declared in full goes to nobody.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from channels.reasons import Reason
from server.alimtalk.declaration import BENEFIT_NOTICE, missing
from server.clock import Instant
from server.delivery.status import SkipReason
from server.store import alimtalk_sendable, consents, users
from server.store.alimtalk_sendable import Sendable
from server.store.sessions import ReadSession
from server.store.users import UserKey

from .sheets import Sheet, read_sheet

Places = Mapping[int, Sendable]
"""By connection: the newest version of a template that may be sent through it."""


@dataclass(slots=True)
class Chosen:
    """What becomes of the messages of a claim that are made of a template of the project."""

    places: Mapping[str, Places] = field(default_factory=dict)
    """By template."""
    sheets: dict[int, Sheet] = field(default_factory=dict)
    """By message."""
    onward: defaultdict[int, list[Any]] = field(default_factory=lambda: defaultdict(list))
    """By connection: the messages that move on to it."""
    skipped: defaultdict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    """By reason."""
    agreed: dict[int, Any] = field(default_factory=dict)
    """By message: the consent on which it goes, of those that want one."""

    @property
    def leaving(self) -> set[int]:
        """The messages that do not go out here."""
        groups = (*self.onward.values(), *self.skipped.values())
        return {row.id for rows in groups for row in rows}


async def choose(
    session: ReadSession,
    shard: int,
    rows: Sequence[Any],
    connection_id: int,
    later: Sequence[int],
    now: Instant,
) -> Chosen:
    """`rows` wait for this connection; `later` are those that come after it, in order."""
    made = [row for row in rows if row.template]
    chosen = Chosen(await places_of(session, made))
    for row in made:
        _place(chosen, row, chosen.places.get(row.template, {}), connection_id, later)
    await _judge(session, shard, chosen, made, now)
    return chosen


async def places_of(session: ReadSession, rows: Sequence[Any]) -> dict[str, Places]:
    """By template: where those of these messages, all of one project, may be sent now; one statement."""
    keys = {row.template for row in rows if row.template}
    if not keys:
        return {}
    found = await alimtalk_sendable.sendable(session, rows[0].project_id, keys)
    return {key: {one.connection_id: one for one in reversed(listed)} for key, listed in found.items()}


def _place(chosen: Chosen, row: Any, places: Places, connection_id: int, later: Sequence[int]) -> None:
    sheet = read_sheet(places[connection_id]) if connection_id in places else None
    if sheet is not None:
        chosen.sheets[row.id] = sheet
    elif row.reason != Reason.OUTCOME_UNKNOWN:
        # Of one that may have arrived the relay is asked: it needs no template for that.
        ahead = [one for one in later if one in places] if row.may_fail_over else []
        if ahead:
            chosen.onward[ahead[0]].append(row)
        else:
            chosen.skipped[SkipReason.TEMPLATE_UNAVAILABLE.value].append(row)


async def _judge(session: ReadSession, shard: int, chosen: Chosen, made: Sequence[Any], now: Instant) -> None:
    """Takes out what tells of coupons or points and is for somebody who may not be told so."""
    wanting = [row for row in made if row.id in chosen.sheets and row.reason != Reason.OUTCOME_UNKNOWN]
    wanting = [row for row in wanting if chosen.sheets[row.id].declaration.is_of_benefit]
    if not wanting:
        return
    project_id = wanting[0].project_id
    merged = {(shard, row.user_number) for row in wanting if row.merged_into is not None}
    people = await users.finals(session, project_id, merged)
    known = await users.by_keys(session, project_id, list({*people.values()})) if people else {}
    everybody = {(shard, row.user_number) for row in wanting} | {*people.values()}
    decided = await consents.by_users(session, project_id, sorted(everybody))
    for row in wanting:
        own: UserKey = (shard, row.user_number)
        person = people.get(own, own)
        is_member = row.user_id is not None or (person in known and known[person].user_id is not None)
        said = [one for key in {own, person} for one in decided.get(key, ()) if _is_about(one, row)]
        _decide(chosen, row, said, now, is_member=is_member)


def _decide(chosen: Chosen, row: Any, said: Sequence[Any], now: Instant, *, is_member: bool) -> None:
    # Of two decisions at one instant the refusal holds.
    last = max(said, key=lambda one: (one.decided_at, not one.granted), default=None)
    agreed = last is not None and last.granted and (last.until is None or last.until > now)
    sheet = chosen.sheets[row.id]
    is_lawful = not missing(sheet.declaration)
    if is_lawful and is_member and (agreed or not sheet.declaration.demands):
        chosen.agreed.update({row.id: last} if agreed else {})
        return
    del chosen.sheets[row.id]
    why = SkipReason.NO_CONSENT if is_member else SkipReason.NOT_MEMBER
    if not is_lawful:
        why = SkipReason.TEMPLATE_UNAVAILABLE
    chosen.skipped[why.value].append(row)


def _is_about(consent: Any, row: Any) -> bool:
    return (consent.channel, consent.purpose) == (row.channel, BENEFIT_NOTICE)
