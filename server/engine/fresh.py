"""What has become of people in this very batch, as the facts that segments ask for.

The tables do not have it yet. What they have already is told again under the same key, and is one.
"""

from collections.abc import Iterator

from server.journey.audience.coupons import GIVEN
from server.journey.audience.journeys import OF_JOURNEYS
from server.journey.audience.messages import MESSAGE
from server.journey.audience.visits import VISIT
from server.journey.holdout import HOLDOUT
from server.segments.commerce import told_of_coupon, told_of_order, told_of_sign_up
from server.segments.deeds import told_of_session
from server.segments.journeys import told_of_given, told_of_hit, told_of_message, told_of_run, told_of_visit
from server.segments.loading import Found

from .batch import Batch, UserKey


def facts_of(batch: Batch, key: UserKey, kind: str) -> Iterator[Found]:
    """At least those of this kind."""
    number = key[1]
    if kind == VISIT:
        for device in batch.noted.devices(batch.devices, key):
            yield from (told_of_session(number, one) for one in device.sessions.values() if one.begun)
    elif kind == MESSAGE:
        for message in batch.noted.messages(batch.messages.values(), key):
            if message.attempted_at is not None:
                yield from told_of_message(number, message, message.heard)
    elif kind == GIVEN:
        for run in batch.runs_by_user[key]:
            yield from told_of_given(number, run)
    elif kind in OF_JOURNEYS:
        yield from _of_journeys(batch, key)
    else:
        yield from _of_commerce(batch, key)


def _of_journeys(batch: Batch, key: UserKey) -> Iterator[Found]:
    number = key[1]
    for run in batch.runs_by_user[key]:
        yield from told_of_run(number, run)
    held_out = {run.id for run in batch.runs_by_user[key] if run.variant == HOLDOUT}
    for visit in batch.noted.visits(batch.visits, key):
        if visit.run_id not in held_out:
            yield from told_of_visit(number, visit.journey_id, visit)
    for hit in batch.noted.hits(batch.conversions, key):
        if hit.run_id not in held_out:
            yield told_of_hit(number, hit.journey_id, hit)


def _of_commerce(batch: Batch, key: UserKey) -> Iterator[Found]:
    number, ledger = key[1], batch.ledger
    for one in list(ledger.orders.get(key, {}).values()):
        if one.ordered_at is not None:
            refunds = {name: (refund.at, refund.counted) for name, refund in one.refunds.items()}
            about = (one.amount, one.currency, refunds, one.coupons, one.products)
            yield told_of_order(number, one.key, one.ordered_at, *about)
    for code, told in ledger.coupons_of(key):
        yield told_of_coupon(number, code, told, " just now")
    if key in ledger.lives and (at := ledger.lives[key].signed_up_at) is not None:
        yield told_of_sign_up(number, at, "just now")
