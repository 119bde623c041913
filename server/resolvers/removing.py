"""Takes people out of journeys, through the inboxes of their shards."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from server.context import Context
from server.store import inbox, journeys, runs, users
from server.store.commands import REMOVE
from server.store.sessions import ReadSession, WriteSession
from server.store.users import UserKey

from .once import Answer, once
from .refusals import Invalid, Missing

MOST_PEOPLE = 1000
MOST_JOURNEYS = 1000
LONGEST_ID = 512


@dataclass(frozen=True, slots=True)
class People:
    """Those whom these values lead to."""

    user_ids: tuple[str, ...] = ()
    anonymous_ids: tuple[str, ...] = ()


async def remove(
    context: Context, people: People, journey_ids: Sequence[int] | None, key: str | None
) -> Answer:
    """Ends their open runs in these journeys, or in all. Raises Missing, Invalid, IdempotencyConflict."""
    _check(people, journey_ids)

    async def work(session: WriteSession) -> Answer:
        await _check_journeys(session, context, journey_ids)
        found, unknown = await _find(session, context, people)
        answer = {"people": len(found), "unknown": unknown}
        answer["runs"] = await runs.count_open_of_users(session, context.project_id, found, journey_ids)
        await _tell(session, context, found, journey_ids)
        return answer

    wish = [people.user_ids, people.anonymous_ids, journey_ids]
    answer = await once(context, key, ("removeFromJourneys", wish), work)
    context.wake()
    return answer


def _check(people: People, journey_ids: Sequence[int] | None) -> None:
    if len(journey_ids or ()) > MOST_JOURNEYS:
        message = f"At most {MOST_JOURNEYS:,} journeys at once, found {len(journey_ids or ()):,}."
        raise Invalid(message, ("input", "journeyIds"))
    values = (*people.user_ids, *people.anonymous_ids)
    if not 0 < len(values) <= MOST_PEOPLE:
        message = f"1 to {MOST_PEOPLE:,} user ids and anonymous ids at once, found {len(values):,}."
        raise Invalid(message, ("input", "userIds"))
    if any(not 0 < len(value) <= LONGEST_ID or "\0" in value for value in values):
        raise Invalid(f"An id has 1 to {LONGEST_ID} characters and no NUL.", ("input", "userIds"))


async def _check_journeys(session: ReadSession, context: Context, wanted: Sequence[int] | None) -> None:
    if wanted is not None:
        known = await journeys.by_ids(session, context.project_id, wanted)
        if any(one not in known for one in wanted):
            raise Missing("There is no such journey in this project.", ("input", "journeyIds"))


async def _find(
    session: ReadSession, context: Context, people: People
) -> tuple[list[UserKey], dict[str, list[str]]]:
    """The users, each once, and the values that lead to nobody, by kind."""
    wanted = {"user_id": people.user_ids, "anonymous_id": people.anonymous_ids}
    found: set[UserKey] = set()
    unknown: dict[str, list[str]] = {}
    for kind, values in wanted.items():
        known = await users.by_identities(session, context.project_id, context.shards, kind, values)
        found |= set(known.values())
        unknown[kind] = sorted({value for value in values if value not in known})
    finals = await users.finals(session, context.project_id, found)
    return sorted(set(finals.values())), unknown


async def _tell(
    session: WriteSession, context: Context, found: Sequence[UserKey], journey_ids: Sequence[int] | None
) -> None:
    numbers: defaultdict[int, list[int]] = defaultdict(list)
    for shard, number in found:
        numbers[shard].append(number)
    now = context.clock.now()
    about = {"journeys": None if journey_ids is None else list(journey_ids), "at": now}
    entries = [
        inbox.Entry(shard, context.project_id, REMOVE, orjson.dumps({**about, "numbers": listed}), now)
        for shard, listed in numbers.items()
    ]
    await inbox.append(session, entries)
