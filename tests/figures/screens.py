"""Every figure of every screen of a journey, as one query asks for them, and as one flat table to compare."""

from collections.abc import Iterator
from typing import Any

METRICS = (
    "ENTRIES", "REFUSED", "ARRIVALS", "LEFT", "ENDED", "MOVED_IN", "MOVED_OUT", "QUEUED", "SENT", "DELIVERED",
    "FAILED", "BOUNCED", "SKIPPED", "UNKNOWN", "OPENED", "OPENS", "CLICKED", "CLICKS", "UNSUBSCRIBED",
    "COMPLAINED", "REACHED", "HITS", "CREDITED", "ASSISTED",
)  # fmt: skip
"""Of which there is a series."""
INTERVALS = ("HOUR", "DAY", "WEEK")

_QUESTION = """
query Screen($id: ID!, $period: PeriodInput, $version: Int, $clock: Clock!) {
  journey(id: $id) { stats(period: $period, version: $version, clock: $clock) {
    %s
  } }
}
"""
SHARE = "fragment Rate on Share { count of rate }"
HEARD = """
fragment Heard on MetricStats {
  metric observable total unique users human machine unsure
  share { ...Rate } ofDelivered { ...Rate } humanShare { ...Rate }
}
"""
ISSUE = "fragment Issue on DeliveryIssue { family reason count share { ...Rate } }"
CREDIT = """
fragment Credited on CreditStats {
  total afterOpen afterSend assisted unique uniqueAfterOpen
  share { ...Rate } shareAfterOpen { ...Rate }
  revenue { amount } averageOrderValue { amount } revenuePerMessage { amount }
}
"""
ENDS = """
fragment Dropped on DropOffs { count of rate internal send }
fragment Early on LeftEarly { count goal cancelEvent otherwise share { ...Rate } }
fragment Ended on EndCount { reason count share { ...Rate } }
"""
PEOPLE = """
    audience {
      entries users triggered heldOut insideNow ended movedIn movedOut
      refused { reason count share { ...Rate } }
      insideByStep { step { key } count share { ...Rate } }
      endedBy { ...Ended }
      completed { ...Rate }
      leftEarly { ...Early }
      dropOffs { ...Dropped }
      messaged { ...Rate }
    }
    performance {
      goal { key }
      hits
      reached { total users }
      perRun { ...Rate }
      perUser { ...Rate }
      credit { afterOpen { ...Rate } afterSend { ...Rate } uncredited { ...Rate } }
      revenue { amount }
      firstRevenue { amount }
      averageOrderValue { amount }
      revenuePerRecipient { amount }
    }
    health {
      entries { total users }
      sent
      sentByChannel { channel count }
      opened { ...Rate }
      dropOffs { ...Dropped }
      endedBy { ...Ended }
      goalsReached
    }
    holdout { entries }
"""
MESSAGES = """
    communications {
      channel
      metrics { ...Heard }
      clickToOpen { ...Rate }
      notSent { ...Rate }
      issues { ...Issue }
    }
"""
MESSAGE_TABLE = """
    communications {
      channel
      messages {
        step { key }
        metrics { ...Heard }
      }
    }
"""
MESSAGE_CREDITS = """
    communications {
      channel
      messages {
        step { key }
        clickToOpen { ...Rate }
        notSent { ...Rate }
        issues { ...Issue }
        conversion { ...Credited }
        credited { goal { key } ...Credited }
      }
    }
"""
CANVAS = """
    steps {
      step { key }
      arrivals { total users }
      waitingNow left movedIn movedOut
      endedHere { ...Ended }
      dropOffs { ...Dropped }
      leftEarly { ...Early }
      ofEntries { ...Rate }
      ofPrevious { ...Rate }
    }
    edges { edge { from output } passed { total users } ofArrivals { ...Rate } ofEntries { ...Rate } }
"""
SENDING = """
    steps {
      step { key }
      sent { ...Heard }
      opened { ...Heard }
      clicked { ...Heard }
      notSent { ...Rate }
      issues { ...Issue }
      conversion { ...Credited }
      credited { goal { key } ...Credited }
    }
"""
_MOST = 10
"""Metrics of one query: what a query may cost is bounded."""


def queries() -> Iterator[str]:
    """All of them together ask for everything."""
    yield _QUESTION % PEOPLE + SHARE + ENDS
    yield _QUESTION % MESSAGES + SHARE + HEARD + ISSUE
    yield _QUESTION % MESSAGE_TABLE + SHARE + HEARD
    yield _QUESTION % MESSAGE_CREDITS + SHARE + ISSUE + CREDIT
    yield _QUESTION % CANVAS + SHARE + ENDS
    yield _QUESTION % SENDING + SHARE + HEARD + ISSUE + CREDIT
    for start in range(0, len(METRICS), _MOST):
        yield _QUESTION % "\n    ".join(
            f"{metric}_{by}: over(metric: {metric}, by: {by}) {{ at count amount }}"
            for metric in METRICS[start : start + _MOST]
            for by in INTERVALS
        )


def together(one: Any, two: Any) -> Any:
    """What two queries tell of the same things."""
    if isinstance(one, dict) and isinstance(two, dict):
        return {name: together(one.get(name), two.get(name)) for name in {**one, **two}}
    if isinstance(one, list) and isinstance(two, list):
        return [together(*pair) for pair in zip(one, two, strict=True)]
    return two if one is None else one


def flat(shown: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every figure with the way to it. In lists things are told apart by what they are about."""
    if isinstance(shown, dict):
        for name, value in shown.items():
            yield from flat(value, f"{path}.{name}" if path else name)
    elif isinstance(shown, list):
        for item in shown:
            yield from flat(item, f"{path}[{_about(item)}]")
    else:
        yield path, shown


def _about(item: dict[str, Any]) -> str:
    for name in ("goal", "step"):
        if name in item:
            return str(item[name]["key"])
    if "edge" in item:
        return f"{item['edge']['from']}/{item['edge']['output']}"
    names = ("metric", "channel", "at", "family", "reason")
    return "/".join(str(item[name]) for name in names if name in item)


def differences(shown: dict[str, Any], counted: dict[str, Any]) -> list[str]:
    """Where a screen and the facts disagree, in words."""
    one, two = dict(flat(shown)), dict(flat(counted))
    return [
        f"{path}: shown {one.get(path, 'nothing')}, the facts say {two.get(path, 'nothing')}"
        for path in sorted({*one, *two})
        if not _same(one.get(path), two.get(path))
    ]


def _same(one: Any, two: Any) -> bool:
    """A list that is left out and one that is empty look the same; so do nothing and a missing figure."""
    return bool(one == two)
