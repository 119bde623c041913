"""Contacts whom an uploaded list makes users: who is known by nothing but a phone number.

Each becomes a user with an anonymous id of ours, as if a device of that id had told it. Nobody else can know
the id: whoever could name it might say to be that person, and would be sent what the line says. The same
number has the same id, so that a file that is uploaded again makes nobody anew. Whoever turns out to be
somebody that is known is merged as everybody is, and takes the place on the list along.
"""

from collections import defaultdict
from collections.abc import Sequence
from hashlib import blake2b
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
    project_id: int, shards: int, list_id: int, people: Sequence[Newcomer], now: Instant, *, unspoken: str
) -> list[inbox.Entry]:
    """What the shards of the numbers are told: first that there is somebody, then who is on the list.

    `unspoken` is something of the project that leaves it nowhere.
    """
    by_shard: defaultdict[int, list[Newcomer]] = defaultdict(list)
    ids = {one.phone: _id(one.phone, unspoken) for one in people}
    for one in people:
        by_shard[shard_of(project_id, ids[one.phone], shards)].append(one)
    told: list[inbox.Entry] = []
    for shard, here in sorted(by_shard.items()):
        payloads = [encode(_identify(ids[one.phone], one.phone, now)) for one in here]
        told += (inbox.Entry(shard, project_id, inbox.EVENT, payload, now) for payload in payloads)
        named = {
            "list_id": list_id,
            "people": [(ANONYMOUS_ID, ids[one.phone]) for one in here],
            "lines": [one.line for one in here],
            "at": now,
        }
        told.append(inbox.Entry(shard, project_id, user_lists.LIST_NAME, orjson.dumps(named), now))
    return told


def _id(phone: str, unspoken: str) -> str:
    hashed = blake2b(phone.encode(), key=unspoken.encode()[:64], digest_size=16)
    return f"contact-{hashed.hexdigest()}"


def _identify(id: str, phone: str, now: Instant) -> ArrivedEvent:
    return ArrivedEvent("identify", digest(id), None, id, None, "", now, now, {"phone": phone}, {})
