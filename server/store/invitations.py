"""Invitations: rows of the inbox that let people into a journey who are named by their ids."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from server.clock import Instant

from .ids import shard_of
from .inbox import Entry

INVITE = "invite"
"""The command. It says into which journey and by which entry, when, with which properties, and whom."""

Named = tuple[str, str]
"""Kind and value of an id."""


def entries(
    shards: int, project_id: int, about: Mapping[str, Any], people: Iterable[Named], now: Instant
) -> list[Entry]:
    """The rows that invite these people: one for each shard to which their ids lead."""
    grouped: defaultdict[int, list[Named]] = defaultdict(list)
    for kind, value in people:
        grouped[shard_of(project_id, value, shards)].append((kind, value))
    return [entry(shard, project_id, about, named, now) for shard, named in sorted(grouped.items())]


def entry(
    shard: int, project_id: int, about: Mapping[str, Any], people: Sequence[Named], now: Instant
) -> Entry:
    return Entry(shard, project_id, INVITE, orjson.dumps({**about, "people": people}), now)
