"""People who are taken out of journeys over the API."""

from typing import Any

import orjson

from server.journey.moment import EndReason
from server.store import inbox
from server.store.commands import REMOVE

from . import runs
from .batch import Batch


def remove(batch: Batch, project_id: int, command: dict[str, Any]) -> None:
    """Ends the open runs of these users. Who has been merged meanwhile is followed."""
    journeys = command["journeys"]
    for number in command["numbers"]:
        user = batch.users.get((project_id, number))
        if user is not None and user.merged_into is not None:
            _follow(batch, project_id, command, user.merged_into)
            continue
        for run in list(batch.runs_by_user[project_id, number]):
            if run.is_open and (journeys is None or run.journey_id in journeys):
                runs.end(batch, run, EndReason.REMOVED, max(command["at"], run.arrived_at))


def _follow(batch: Batch, project_id: int, command: dict[str, Any], merged_into: str) -> None:
    home, _, number = merged_into.partition(":")
    payload = orjson.dumps({**command, "numbers": [int(number)]})
    batch.outgoing.append(inbox.Entry(int(home), project_id, REMOVE, payload, batch.now))
