"""What has become of people in this very batch, as the facts that segments ask for.

The tables do not have it yet. What they have already is told again under the same key, and is one.
"""

from collections.abc import Iterator

from server.journey.holdout import HOLDOUT
from server.segments.journeys import told_of_hit, told_of_message, told_of_run, told_of_visit
from server.segments.loading import Found

from .batch import Batch, UserKey


def facts_of(batch: Batch, key: UserKey) -> Iterator[Found]:
    _, number = key
    for run in batch.runs_by_user[key]:
        yield from told_of_run(number, run)
    held_out = {run.id for run in batch.runs_by_user[key] if run.variant == HOLDOUT}
    for visit in batch.noted.visits(batch.visits, key):
        if visit.run_id not in held_out:
            yield from told_of_visit(number, visit.journey_id, visit)
    for hit in batch.noted.hits(batch.conversions, key):
        if hit.run_id not in held_out:
            yield told_of_hit(number, hit.journey_id, hit)
    for message in batch.noted.messages(batch.messages.values(), key):
        if message.attempted_at is not None:
            yield from told_of_message(number, message, message.heard)
