"""Every kind of facts by its name, with what reads it. A new one is a reader in this room and a line here."""

from collections.abc import Mapping

from server.journey.audience import EVENT
from server.journey.audience.coupons import COUPON, GIVEN
from server.journey.audience.journeys import ENDED, ENTERED, LEFT, PASSED, REACHED
from server.journey.audience.messages import MESSAGE
from server.journey.audience.purchases import PURCHASE, SIGNED_UP
from server.journey.audience.visits import VISIT

from . import commerce, deeds, journeys
from .loading import Reading

READINGS: Mapping[str, Reading] = {
    EVENT: deeds.read_events,
    VISIT: deeds.read_visits,
    ENTERED: journeys.read_runs,
    ENDED: journeys.read_runs,
    PASSED: journeys.read_visits,
    LEFT: journeys.read_visits,
    REACHED: journeys.read_conversions,
    MESSAGE: journeys.read_messages,
    PURCHASE.kind: commerce.read_orders,
    SIGNED_UP.kind: commerce.read_sign_ups,
    COUPON.kind: commerce.read_coupons,
    GIVEN: journeys.read_given,
}
