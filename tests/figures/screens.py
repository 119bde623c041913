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
query Screen($id: ID!, $period: PeriodInput, $version: Int) {
  journey(id: $id) { stats(period: $period, version: $version) {
    %s
  } }
}
"""
RATE = "fragment Rate on Share { count of rate }"
HEARD = """
fragment Heard on MetricStats {
  metric observable tally { total users } share { ...Rate } human machine unsure
}
"""
ISSUE = "fragment Issue on DeliveryIssue { family reason share { ...Rate } }"
PEOPLE = """
    audience {
      entries users insideNow ended movedIn movedOut
      endedBy { reason count share { ...Rate } }
      refused { reason count }
    }
    performance {
      goal { key }
      reached { total users }
      hits
      perRun { ...Rate }
      perUser { ...Rate }
      revenue { amount }
      firstRevenue { amount }
    }
    holdout { entries }
"""
MESSAGES = """
    communications {
      channel
      metrics { ...Heard }
      messages { step { key } metrics { ...Heard } issues { ...Issue } }
      issues { ...Issue }
    }
"""
CANVAS = """
    steps {
      step { key }
      arrivals { total users }
      waitingNow left movedIn movedOut
      endedHere { reason count share { ...Rate } }
      dropOffs { ...Rate }
      ofEntries { ...Rate }
      sent { ...Heard }
      opened { ...Heard }
      clicked { ...Heard }
      notSent { ...Rate }
      credited { goal { key } afterOpen afterSend assisted revenue { amount } }
    }
    edges { edge { from output } passed { total users } }
"""
_MOST = 10
"""Metrics of one query: what a query may cost is bounded."""


def queries() -> Iterator[str]:
    """All of them together ask for everything."""
    yield _QUESTION % PEOPLE + RATE
    yield _QUESTION % MESSAGES + RATE + HEARD + ISSUE
    yield _QUESTION % CANVAS + RATE + HEARD
    for start in range(0, len(METRICS), _MOST):
        yield _QUESTION % "\n    ".join(
            f"{metric}_{by}: over(metric: {metric}, by: {by}) {{ at count amount }}"
            for metric in METRICS[start : start + _MOST]
            for by in INTERVALS
        )


def flat(shown: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every figure with the way to it. What lists hold is told apart by what it is about, not by its place."""
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
