"""The words of figures: what is counted, in which days, and what it is a part of."""

from enum import Enum

import strawberry

from server.aggregates.metrics import DEFINITIONS

from .words import value


@strawberry.enum(description="Days in the project's zone.")
class PeriodPreset(Enum):
    TODAY = value("today", description="Today so far.")
    YESTERDAY = value("yesterday", description="The whole day before today.")
    THIS_WEEK = value("this_week", description="From Monday on, with today.")
    LAST_WEEK = value("last_week", description="Monday to Sunday of the week before this one.")
    THIS_MONTH = value("this_month", description="From the first of the month on, with today.")
    LAST_MONTH = value("last_month", description="The whole month before this one.")
    LAST_7_DAYS = value("last_7_days", description="Today and the six days before.")
    LAST_30_DAYS = value("last_30_days", description="Today and the 29 days before.")
    LAST_90_DAYS = value("last_90_days", description="Today and the 89 days before.")
    ALL = value("all", description="From the very beginning until now.")


@strawberry.enum(description="How long one point of a series is, in the project's zone.")
class Interval(Enum):
    HOUR = value("hour", description="An hour.")
    DAY = value("day", description="A day, from midnight to midnight: 23 to 25 hours.")
    WEEK = value("week", description="Seven days from Monday.")


@strawberry.enum(description="What users did, as far as it is kept who did it.")
class Deed(Enum):
    ENTERED = value("entered", description="They entered the journey.")
    ARRIVED = value("arrived", description="They came to the step.")
    LEFT = value("left", description="They went on from the step, by any output.")
    SENT = value("sent", description="They were sent a message that the provider took over.")
    OPENED = value("opened", description="They opened it; here machines count, too.")
    CLICKED = value("clicked", description="They followed a link in it; here machines count, too.")
    REACHED = value("reached", description="They reached a goal.")


@strawberry.enum(description="Which time decides whether something is in a period.")
class Clock(Enum):
    HAPPENED = value("happened", description="When it happened.")
    ENTERED = value(
        "entered",
        description="When its run entered: what became of those who came in the period, whenever it did.",
    )


@strawberry.enum(description="The whole that a share is a part of.")
class Base(Enum):
    ENTRIES = value("entries", description="Runs that entered in the period.")
    TRIGGERED = value(
        "triggered", description="Times in the period that somebody came in, was kept out or was held out."
    )
    USERS_ENTERED = value("users_entered", description="Different users who entered in the period.")
    ENDED = value("ended", description="Runs that ended in the period.")
    INSIDE_NOW = value("inside_now", description="Runs that are inside now.")
    ARRIVALS = value("arrivals", description="Arrivals at the step in the period.")
    PREVIOUS = value("previous", description="Arrivals in the period at the steps that lead to the step.")
    QUEUED = value("queued", description="Messages that the journey decided to send in the period.")
    SENT = value("sent", description="Messages that the provider took over in the period.")
    FALLBACK_SENT = value(
        "fallback_sent", description="Messages sent in the place of others that did not arrive."
    )
    SENT_OBSERVABLE = value(
        "sent_observable", description="The same, on those channels that can tell of opens."
    )
    DELIVERED = value("delivered", description="Messages that the provider reports as delivered.")
    OPENED = value("opened", description="Messages opened at least once in the period.")
    HITS = value("hits", description="Every event of the period that reached the goal.")
    BRANCH = value("branch", description="Runs that drew the branch in the period.")
    BRANCH_SENT = value(
        "branch_sent", description="Messages of runs of the branch that the provider took over."
    )
    PEOPLE = value("people", description="Different people, each counted from the first time on.")


_SENTENCES = {definition.metric.value: definition.sentence for definition in DEFINITIONS}


@strawberry.enum(description="What a figure counts. Unit, clock and base of each: docs/metrics.md.")
class Metric(Enum):
    ENTRIES = value("entries", description=_SENTENCES["entries"])
    REFUSED = value("refused", description=_SENTENCES["refused"])
    ARRIVALS = value("arrivals", description=_SENTENCES["arrivals"])
    LEFT = value("left", description=_SENTENCES["left"])
    ENDED = value("ended", description=_SENTENCES["ended"])
    MOVED_OUT = value("moved_out", description=_SENTENCES["moved_out"])
    MOVED_IN = value("moved_in", description=_SENTENCES["moved_in"])
    QUEUED = value("queued", description=_SENTENCES["queued"])
    SENT = value("sent", description=_SENTENCES["sent"])
    DELIVERED = value("delivered", description=_SENTENCES["delivered"])
    FAILED = value("failed", description=_SENTENCES["failed"])
    BOUNCED = value("bounced", description=_SENTENCES["bounced"])
    SKIPPED = value("skipped", description=_SENTENCES["skipped"])
    UNKNOWN = value("unknown", description=_SENTENCES["unknown"])
    FALLBACK_SENT = value("fallback_sent", description=_SENTENCES["fallback_sent"])
    FALLBACK_DELIVERED = value("fallback_delivered", description=_SENTENCES["fallback_delivered"])
    OPENS = value("opens", description=_SENTENCES["opens"])
    OPENED = value("opened", description=_SENTENCES["opened"])
    CLICKS = value("clicks", description=_SENTENCES["clicks"])
    CLICKED = value("clicked", description=_SENTENCES["clicked"])
    UNSUBSCRIBED = value("unsubscribed", description=_SENTENCES["unsubscribed"])
    COMPLAINED = value("complained", description=_SENTENCES["complained"])
    REPLIED = value("replied", description=_SENTENCES["replied"])
    SHOWN = value("shown", description=_SENTENCES["shown"])
    INTERACTED = value("interacted", description=_SENTENCES["interacted"])
    DISMISSED = value("dismissed", description=_SENTENCES["dismissed"])
    COST = value("cost", description=_SENTENCES["cost"])
    BILLED = value("billed", description=_SENTENCES["billed"])
    UNBILLED = value("unbilled", description=_SENTENCES["unbilled"])
    CARRIED = value("carried", description=_SENTENCES["carried"])
    CARRIED_BOUNCED = value("carried_bounced", description=_SENTENCES["carried_bounced"])
    CARRIED_COMPLAINED = value("carried_complained", description=_SENTENCES["carried_complained"])
    REACHED = value("reached", description=_SENTENCES["reached"])
    HITS = value("hits", description=_SENTENCES["hits"])
    CREDITED = value("credited", description=_SENTENCES["credited"])
    ASSISTED = value("assisted", description=_SENTENCES["assisted"])
    CREDITED_FIRST = value("credited_first", description=_SENTENCES["credited_first"])
    STAYED = value("stayed", description=_SENTENCES["stayed"])
    VARIANT_SENT = value("variant_sent", description=_SENTENCES["variant_sent"])
    VARIANT_OPENED = value("variant_opened", description=_SENTENCES["variant_opened"])
    VARIANT_CLICKED = value("variant_clicked", description=_SENTENCES["variant_clicked"])
    VARIANT_REACHED = value("variant_reached", description=_SENTENCES["variant_reached"])
