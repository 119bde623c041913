"""Uploaded lists in a batch: who is put on one, and what a merge takes along."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import orjson

from server.store import inbox
from server.store.user_lists import CLEAR, LEAVE, LIST_ADD

from .batch import Batch
from .people import MOST_HOPS


def add(batch: Batch, project_id: int, command: dict[str, Any]) -> None:
    """Puts users on a list; those who turned out to be others, as the others. A list that is gone is none."""
    list_id = command["list_id"]
    if list_id not in batch.catalog.lists.get(project_id, {}).values():
        return
    elsewhere: defaultdict[int, list[int]] = defaultdict(list)
    for number in command["numbers"]:
        user = batch.user((project_id, number))
        merged_into = user.merged_into
        if user.is_erased:
            continue
        if merged_into is None:
            put(batch, project_id, number, [list_id], command["at"])
        else:
            home, _, into = merged_into.partition(":")
            elsewhere[int(home)].append(int(into))
    for shard, numbers in elsewhere.items():
        _pass_on(batch, shard, project_id, command, numbers)


def put(batch: Batch, project_id: int, number: int, list_ids: Iterable[int], at: int) -> None:
    batch.on_lists += ((batch.shard, one, number, project_id, at, "") for one in list_ids)


def _pass_on(batch: Batch, shard: int, project_id: int, command: dict[str, Any], numbers: list[int]) -> None:
    hops = command.get("hops", 0) + 1
    if hops > MOST_HOPS:
        raise RuntimeError(f"{len(numbers)} users of a list were passed on between shards too often.")
    payload = orjson.dumps({**command, "numbers": numbers, "hops": hops})
    batch.outgoing.append(inbox.Entry(shard, project_id, LIST_ADD, payload, batch.now))


def clear(batch: Batch, command: dict[str, Any]) -> None:
    """Takes everybody off a list."""
    batch.on_lists = [row for row in batch.on_lists if row[1] != command["list_id"]]
    batch.statements.append((CLEAR, {"of_shard": batch.shard, "of_list": command["list_id"]}))


def leave(batch: Batch, project_id: int, number: int) -> list[int]:
    """Takes a user who turned out to be another off all lists, and says which they were."""
    here = [row for row in batch.on_lists if row[2:4] == (number, project_id)]
    batch.on_lists = [row for row in batch.on_lists if row not in here]
    about = {"of_shard": batch.shard, "of_project": project_id, "of_number": number}
    batch.statements.append((LEAVE, about))
    return sorted({*batch.moving_lists.get((project_id, number), ()), *(row[1] for row in here)})
