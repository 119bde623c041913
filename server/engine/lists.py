"""Uploaded lists in a batch: who is put on one, and what a merge takes along."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import orjson

from server.store import inbox
from server.store.user_lists import CLEAR, LEAVE, LIST_ADD, LIST_NAME

from .batch import Batch
from .people import MOST_HOPS


def add(batch: Batch, project_id: int, command: dict[str, Any]) -> None:
    """Puts users on a list; those who turned out to be others, as the others. A list that is gone is none."""
    list_id, numbers = command["list_id"], command["numbers"]
    if list_id not in batch.catalog.lists.get(project_id, {}).values():
        return
    elsewhere: defaultdict[int, list[tuple[int, str]]] = defaultdict(list)
    for number, line in zip(numbers, command.get("lines") or [""] * len(numbers), strict=True):
        user = batch.user((project_id, number))
        merged_into = user.merged_into
        if user.is_erased:
            continue
        if merged_into is None:
            put(batch, project_id, number, [(list_id, command["at"], line)])
        else:
            home, _, into = merged_into.partition(":")
            elsewhere[int(home)].append((int(into), line))
    for shard, people in elsewhere.items():
        of = {"numbers": [number for number, _ in people], "lines": [line for _, line in people]}
        _pass_on(batch, shard, project_id, LIST_ADD, {**command, **of})


def add_named(batch: Batch, project_id: int, command: dict[str, Any]) -> None:
    """Puts those on a list to whom these ids lead by now; whoever lives elsewhere, there."""
    here: list[tuple[int, str]] = []
    elsewhere: defaultdict[int, list[tuple[list[str], str]]] = defaultdict(list)
    for named, line in zip(command["people"], command["lines"], strict=True):
        known = batch.identities.get((project_id, *named))
        if known is not None and known.home != batch.shard:
            elsewhere[known.home].append((named, line))
        elif known is not None and known.number is not None:
            here.append((known.number, line))
    about = {"list_id": command["list_id"], "at": command["at"]}
    lines = [line for _, line in here]
    add(batch, project_id, {**about, "numbers": [number for number, _ in here], "lines": lines})
    for shard, people in elsewhere.items():
        of = {"people": [named for named, _ in people], "lines": [line for _, line in people]}
        _pass_on(batch, shard, project_id, LIST_NAME, {**command, **of})


def numbers_named(batch: Batch, project_id: int, command: dict[str, Any]) -> set[tuple[int, int]]:
    """The users of ours to whom the ids of such a command lead."""
    found = (batch.identities.get((project_id, *named)) for named in command["people"])
    return {
        (project_id, one.number)
        for one in found
        if one is not None and one.home == batch.shard and one.number is not None
    }


def put(batch: Batch, project_id: int, number: int, on: Iterable[Any]) -> None:
    """`on` which lists, since when, and with which line. A list alone is how they were told of once."""
    told = (one if isinstance(one, list | tuple) else (one, batch.now, "") for one in on)
    batch.on_lists += ((batch.shard, one, number, project_id, at, line) for one, at, line in told)


def _pass_on(batch: Batch, shard: int, project_id: int, kind: str, command: dict[str, Any]) -> None:
    hops = command.get("hops", 0) + 1
    if hops > MOST_HOPS:
        raise RuntimeError(f"{len(command['lines'])} users of a list were passed on too often.")
    payload = orjson.dumps({**command, "hops": hops})
    batch.outgoing.append(inbox.Entry(shard, project_id, kind, payload, batch.now))


def clear(batch: Batch, command: dict[str, Any]) -> None:
    """Takes everybody off a list."""
    batch.on_lists = [row for row in batch.on_lists if row[1] != command["list_id"]]
    batch.statements.append((CLEAR, {"of_shard": batch.shard, "of_list": command["list_id"]}))


def leave(batch: Batch, project_id: int, number: int) -> list[tuple[int, int, str]]:
    """Takes a user who turned out to be another off all lists, and says which they were, with their lines."""
    here = [row for row in batch.on_lists if row[2:4] == (number, project_id)]
    batch.on_lists = [row for row in batch.on_lists if row not in here]
    about = {"of_shard": batch.shard, "of_project": project_id, "of_number": number}
    batch.statements.append((LEAVE, about))
    known = {one[0]: one for one in batch.moving_lists.get((project_id, number), ())}
    for row in here:
        earlier = known.get(row[1], (row[1], 0, ""))
        known[row[1]] = (row[1], row[4], row[5] or earlier[2])
    return sorted(known.values())
