"""Every kind of facts by its name, with what reads it. A new one is a reader in this room and a line here."""

from collections.abc import Mapping

from server.journey.audience import EVENT
from server.journey.audience.journeys import ENDED, ENTERED, LEFT, PASSED, REACHED
from server.journey.audience.messages import MESSAGE
from server.journey.audience.visits import VISIT

from . import deeds, journeys
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
}
