"""Contacts whom an uploaded list makes users: who is known by nothing but a phone number.

Each becomes a user with the number as its anonymous id, as if a device of that id had told it. Whoever turns
out to be somebody that is known is merged as everybody is, and takes the place on the list along.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

import orjson

from server.clock import Instant
from server.engine.people import ANONYMOUS_ID
from server.ingest.messages import ArrivedEvent, encode
from server.store import inbox, user_lists
from server.store.ids import digest, shard_of


class Newcomer(NamedTuple):
    """A phone number that nobody has, and what else its line said."""

    phone: str
    line: str


def entries(
    project_id: int, shards: int, list_id: int, people: Iterable[Newcomer], now: Instant
) -> list[inbox.Entry]:
    """What the shards of the numbers are told: first that there is somebody, then who is on the list."""
    by_shard: defaultdict[int, list[Newcomer]] = defaultdict(list)
    for one in people:
        by_shard[shard_of(project_id, one.phone, shards)].append(one)
    told: list[inbox.Entry] = []
    for shard, here in sorted(by_shard.items()):
        payloads = [encode(_identify(project_id, one.phone, now)) for one in here]
        told += (inbox.Entry(shard, project_id, inbox.EVENT, payload, now) for payload in payloads)
        named = {
            "list_id": list_id,
            "people": [(ANONYMOUS_ID, one.phone) for one in here],
            "lines": [one.line for one in here],
            "at": now,
        }
        told.append(inbox.Entry(shard, project_id, user_lists.LIST_NAME, orjson.dumps(named), now))
    return told


def _identify(project_id: int, phone: str, now: Instant) -> ArrivedEvent:
    # The same number is the same event: a file that is uploaded again makes nobody anew.
    own = digest(f"contact {project_id} {phone}")
    return ArrivedEvent("identify", own, None, phone, None, "", now, now, {"phone": phone}, {})
