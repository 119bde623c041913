"""Holdout: a share of the people gets nothing, so that what the journey does for the others can be told."""

from .draws import fraction
from .reading import Reader

HOLDOUT, TREATED = "holdout", "treated"
"""What a person may draw; the first is also the variant of the runs of people who are held out."""
JOURNEY = ""
"""The draw of a journey with a holdout is kept like one of a step, whose key this is."""
MOST_PERCENT = 50


def read_holdout(reader: Reader) -> int:
    """How many of a hundred people are held out."""
    return reader.number("holdout_percent", least=0, most=MOST_PERCENT, required=False)


def is_held_out(percent: int, seed: str, journey_id: int) -> bool:
    """The same answer for a person each time; a larger share holds out the same people and some more."""
    return percent > 0 and fraction(seed, str(journey_id), HOLDOUT) * 100 < percent
