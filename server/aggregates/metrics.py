"""Every metric, defined once. `docs/metrics.md` and the GraphQL descriptions are tested against it."""

from dataclasses import dataclass
from enum import StrEnum


class Metric(StrEnum):
    """What a counter counts."""

    ENTRIES = "entries"
    REFUSED = "refused"
    ARRIVALS = "arrivals"
    LEFT = "left"
    ENDED = "ended"
    MOVED_OUT = "moved_out"
    MOVED_IN = "moved_in"
    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    BOUNCED = "bounced"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"
    FALLBACK_SENT = "fallback_sent"
    FALLBACK_DELIVERED = "fallback_delivered"
    OPENS = "opens"
    OPENED = "opened"
    CLICKS = "clicks"
    CLICKED = "clicked"
    UNSUBSCRIBED = "unsubscribed"
    COMPLAINED = "complained"
    REPLIED = "replied"
    SHOWN = "shown"
    INTERACTED = "interacted"
    DISMISSED = "dismissed"
    COST = "cost"
    BILLED = "billed"
    UNBILLED = "unbilled"
    CARRIED = "carried"
    CARRIED_BOUNCED = "carried_bounced"
    CARRIED_COMPLAINED = "carried_complained"
    REACHED = "reached"
    HITS = "hits"
    CREDITED = "credited"
    ASSISTED = "assisted"
    CREDITED_FIRST = "credited_first"
    STAYED = "stayed"
    VARIANT_SENT = "variant_sent"
    VARIANT_OPENED = "variant_opened"
    VARIANT_CLICKED = "variant_clicked"
    VARIANT_REACHED = "variant_reached"


class Dimension(StrEnum):
    """What a user set gathers by. Its value is a journey, a journey's step, output or goal."""

    ENTERED = "entered"
    ARRIVED = "arrived"
    LEFT = "left"
    SENT = "sent"
    OPENED = "opened"
    CLICKED = "clicked"
    REACHED = "reached"
    DRAWN = "drawn"
    """Whom a journey with a holdout has drawn, for it or not."""
    VARIANT_REACHED = "variant_reached"
    VARIANT_OPENED = "variant_opened"
    VARIANT_CLICKED = "variant_clicked"


@dataclass(frozen=True, slots=True)
class Definition:
    """What a metric says. `unit` is what one count stands for, `clock` decides the hour it falls into."""

    metric: Metric
    unit: str
    clock: str
    by: str
    """What its `reason` tells apart, if anything."""
    sentence: str


DEFINITIONS: tuple[Definition, ...] = (
    Definition(Metric.ENTRIES, "run", "entry event", "", "Runs that were let in; a re-entry is a new run."),
    Definition(
        Metric.REFUSED, "event", "event", "why", "Times that somebody would have come in, and did not."
    ),
    Definition(Metric.ARRIVALS, "visit", "arrival", "", "Runs that came to the step."),
    Definition(Metric.LEFT, "visit", "leaving", "", "Runs that left the step by this output."),
    Definition(
        Metric.ENDED,
        "run",
        "end",
        "end reason",
        "Runs that are over, counted at the step where they were.",
    ),
    Definition(
        Metric.MOVED_OUT,
        "run",
        "move",
        "",
        "Runs that an edit has moved from here to another version; they have left the step, and not ended.",
    ),
    Definition(
        Metric.MOVED_IN,
        "run",
        "move",
        "",
        "Runs that an edit has moved here from another version; they have arrived, and not entered again.",
    ),
    Definition(Metric.QUEUED, "message", "decision", "", "Messages that the journey decided to send."),
    Definition(
        Metric.SENT,
        "message",
        "acceptance",
        "",
        "Messages that the provider took over; not proof of delivery.",
    ),
    Definition(
        Metric.DELIVERED, "message", "delivery", "", "Messages that the provider reports as delivered."
    ),
    Definition(Metric.FAILED, "message", "failure", "failure reason", "Messages tried and refused for good."),
    Definition(
        Metric.BOUNCED, "message", "bounce", "failure reason", "Messages taken over and then returned."
    ),
    Definition(
        Metric.SKIPPED,
        "message",
        "decision",
        "failure reason",
        "Messages never tried: no address, opted out, journey stopped.",
    ),
    Definition(
        Metric.UNKNOWN,
        "message",
        "attempt",
        "failure reason",
        "Messages that left and got no answer: they may have arrived, and are not sent again.",
    ),
    Definition(
        Metric.FALLBACK_SENT,
        "message",
        "acceptance",
        "",
        "Of those sent the ones that went out in the place of another that did not arrive.",
    ),
    Definition(
        Metric.FALLBACK_DELIVERED,
        "message",
        "delivery",
        "",
        "Of those delivered the ones that went out in the place of another that did not arrive.",
    ),
    Definition(Metric.OPENS, "open", "open", "actor", "Every open that was seen."),
    Definition(
        Metric.OPENED,
        "message",
        "first open",
        "actor",
        "Messages opened at least once, by this kind of actor.",
    ),
    Definition(Metric.CLICKS, "click", "click", "actor", "Every click that was seen."),
    Definition(
        Metric.CLICKED,
        "message",
        "first click",
        "actor",
        "Messages clicked at least once, by this kind of actor.",
    ),
    Definition(
        Metric.UNSUBSCRIBED,
        "message",
        "first request",
        "",
        "Messages whose reader asked for no more, by a link, through the provider, or by answering STOP.",
    ),
    Definition(
        Metric.COMPLAINED, "message", "first complaint", "", "Messages whose reader reported them as spam."
    ),
    Definition(Metric.REPLIED, "message", "first reply", "", "Messages that were answered."),
    Definition(Metric.SHOWN, "message", "first time", "", "Messages that an app or a page has shown."),
    Definition(
        Metric.INTERACTED, "message", "first time", "", "Messages in an app that somebody did something with."
    ),
    Definition(Metric.DISMISSED, "message", "first time", "", "Messages in an app that were put away."),
    Definition(
        Metric.COST,
        "message",
        "acceptance",
        "currency",
        "Messages whose price is known, each once; amount: the last that its provider told, else what the "
        "price list says of its result.",
    ),
    Definition(
        Metric.BILLED,
        "message",
        "acceptance",
        "currency",
        "The same by connection, kind of message, who says the price, and the rate of VAT.",
    ),
    Definition(
        Metric.UNBILLED,
        "message",
        "acceptance",
        "why",
        "Messages that went out and of which nothing is booked, by connection and kind: their outcome is "
        "open, or the price list says nothing.",
    ),
    Definition(
        Metric.CARRIED,
        "message",
        "acceptance",
        "",
        "Messages that providers took over, by connection.",
    ),
    Definition(
        Metric.CARRIED_BOUNCED,
        "message",
        "acceptance",
        "",
        "Of those the ones that were returned for another reason than being unreachable for now.",
    ),
    Definition(
        Metric.CARRIED_COMPLAINED,
        "message",
        "acceptance",
        "",
        "Of those the ones whose reader reported them as spam.",
    ),
    Definition(
        Metric.REACHED,
        "run",
        "first hit",
        "",
        "Runs that reached the goal, each once; amount of the first hit.",
    ),
    Definition(
        Metric.HITS, "event", "event", "", "Every event that reached the goal; amount of all of them."
    ),
    Definition(
        Metric.CREDITED,
        "event",
        "event",
        "how",
        "Hits of a goal by the message credited with them: the last opened before, else the last sent.",
    ),
    Definition(
        Metric.ASSISTED, "event", "event", "", "Hits of a goal before which this message was sent as well."
    ),
    Definition(
        Metric.CREDITED_FIRST,
        "run",
        "first hit",
        "how",
        "Runs that reached the goal, each once, by the message credited with its first hit.",
    ),
    Definition(
        Metric.STAYED,
        "visit",
        "leaving",
        "how long",
        "Runs that left the step or ended there after they had stayed a while; amount: milliseconds.",
    ),
    Definition(
        Metric.VARIANT_SENT,
        "message",
        "acceptance",
        "",
        "Messages that the provider took over, by the branch that their run had drawn before.",
    ),
    Definition(
        Metric.VARIANT_OPENED,
        "message",
        "first open",
        "actor",
        "Messages opened at least once, by the branch that their run had drawn before.",
    ),
    Definition(
        Metric.VARIANT_CLICKED,
        "message",
        "first click",
        "actor",
        "Messages clicked at least once, by the branch that their run had drawn before.",
    ),
    Definition(
        Metric.VARIANT_REACHED,
        "run",
        "first hit",
        "goal",
        "Runs that reached the goal once they had drawn the branch, each once.",
    ),
)
