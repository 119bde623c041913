"""The screens: what is asked in GraphQL, what its peers are asked in SQL, and both answers as the same facts.

The SQL is the same for DuckDB and ClickHouse. Every statement gives rows of a name, up to two places, a count
and, where somebody wants to know, a number of different users.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

Facts = dict[tuple[str, ...], tuple[int, ...]]
Data = dict[str, Any]
"""What was counted, by name and place: how often and, where it is asked, by how many."""


class Screen(NamedTuple):
    name: str
    fields: str
    """Below `stats`."""
    series: tuple[str, ...]
    """Metrics that are asked by day as well, where there are series."""
    statements: tuple[str, ...]
    """With `{since}` for the first instant of the period."""
    facts: Callable[[Data], Facts]

    def document(self, series: bool) -> str:
        over = " ".join(f"over_{one}: over(metric: {one.upper()}) {{ at count }}" for one in self.series)
        fields = f"{self.fields} {over}" if series else self.fields
        return (
            f"query {self.name}($id: ID!, $period: PeriodInput) "
            f"{{ journey(id: $id) {{ stats(period: $period) {{ watermark {fields} }} }} }}"
        )


_SHARE = "{ count of base rate }"
_METRIC = f"{{ metric observable tally {{ total users }} share {_SHARE} human machine unsure }}"
_STEP = f"""
steps {{
  step {{ __typename key title outputs position {{ x y }} }} isCurrent
  arrivals {{ total users }} waitingNow left
  endedHere {{ reason count share {_SHARE} }} dropOffs {_SHARE} ofEntries {_SHARE}
  sent {_METRIC} opened {_METRIC} clicked {_METRIC} notSent {_SHARE}
  credited {{ goal {{ key }} afterOpen afterSend assisted revenue {{ amount currency }} }}
}}
edges {{ edge {{ from output to }} isCurrent passed {{ total users }} }}
"""
_ISSUES = f"issues {{ family reason share {_SHARE} }}"
_PERFORMANCE = f"""
performance {{
  goal {{ key title event windowSeconds currency }} reached {{ total users }} hits perRun {_SHARE}
  perUser {_SHARE} revenue {{ amount currency }} firstRevenue {{ amount currency }}
}}
"""
_AUDIENCE = f"""
audience {{
  entries users insideNow ended endedBy {{ reason count share {_SHARE} }} refused {{ reason count }}
}}
"""
_COMMUNICATIONS = f"""
communications {{
  channel metrics {_METRIC} {_ISSUES}
  messages {{ step {{ key title }} isCurrent metrics {_METRIC} {_ISSUES} }}
}}
"""
_HEALTH = f"""
audience {{ entries ended endedBy {{ reason count }} }}
communications {{ channel metrics {{ metric tally {{ total }} }} }}
performance {{ goal {{ key }} reached {{ total }} hits }}
steps {{ step {{ key }} dropOffs {_SHARE} notSent {_SHARE} }}
"""

_ARRIVALS = """SELECT 'arrivals', step, '', count(*), count(DISTINCT user_number) FROM visit
WHERE arrived_at >= {since} GROUP BY step"""
_PASSED = """SELECT 'passed', step, output, count(*), count(DISTINCT user_number) FROM visit
WHERE left_at >= {since} AND end_reason IS NULL GROUP BY step, output"""
_ENDED = """SELECT 'ended', step, end_reason, count(*) FROM visit
WHERE left_at >= {since} AND end_reason IS NOT NULL GROUP BY step, end_reason"""
_WAITING = "SELECT 'waiting', step, '', count(*) FROM visit WHERE left_at IS NULL GROUP BY step"
_ENTRIES = """SELECT 'entries', '', '', count(*), count(DISTINCT user_number) FROM visit
WHERE kind = 'entry_event' AND arrived_at >= {since}"""
_ENDED_BY = """SELECT 'ended', '', end_reason, count(*) FROM visit
WHERE left_at >= {since} AND end_reason IS NOT NULL GROUP BY end_reason"""
_INSIDE = "SELECT 'inside', '', '', count(*) FROM visit WHERE left_at IS NULL"
_CREDITED = """SELECT CASE WHEN direct THEN how ELSE 'assisted' END, step, goal, count(*) FROM credit
WHERE occurred_at >= {since} AND message_id IS NOT NULL GROUP BY 1, step, goal"""
_REACHED = """SELECT 'reached', goal, '', sum(CASE WHEN first THEN 1 ELSE 0 END), count(DISTINCT user_number)
FROM conversion WHERE occurred_at >= {since} GROUP BY goal"""
_HITS = """SELECT 'hits', goal, '', count(*) FROM conversion WHERE occurred_at >= {since} GROUP BY goal"""
_WORTH = """SELECT 'worth', goal, '', sum(amount) FROM conversion
WHERE occurred_at >= {since} GROUP BY goal"""


def _receipts(by: str, *, users: bool = True) -> tuple[str, ...]:
    """What became of messages, by step or by channel: once for each message, and every hit by its actor."""
    distinct = ", count(DISTINCT user_number)" if users else ""
    return (
        f"""SELECT kind, {by}, '', count(*){distinct} FROM receipt
        WHERE first AND kind NOT IN ('opened', 'clicked') AND occurred_at >= {{since}} GROUP BY kind, {by}""",
        f"""SELECT kind, {by}, '', sum(CASE WHEN first THEN 1 ELSE 0 END){distinct} FROM receipt
        WHERE kind IN ('opened', 'clicked') AND occurred_at >= {{since}} GROUP BY kind, {by}""",
        f"""SELECT kind, {by}, actor, count(*) FROM receipt
        WHERE kind IN ('opened', 'clicked') AND first_of_actor AND occurred_at >= {{since}}
        GROUP BY kind, {by}, actor""",
        f"SELECT 'queued', {by}, '', count(*) FROM message WHERE created_at >= {{since}} GROUP BY {by}",
    )


def _reasons(by: str) -> str:
    return f"""SELECT 'issue_' || kind, {by}, reason, count(*) FROM receipt
    WHERE reason <> '' AND occurred_at >= {{since}} GROUP BY kind, {by}, reason"""


def _daily(table: str, instant: str, name: str, where: str) -> str:
    """A point a day, as the place the number of days since the epoch in Seoul."""
    day = f"CAST(floor(({instant} + 32400000) / 86400000) AS INTEGER)"
    return f"""SELECT '{name}', CAST({day} AS VARCHAR), '', count(*) FROM {table}
    WHERE {where} AND {instant} >= {{since}} GROUP BY {day}"""


DAILY = {
    "entries": _daily("visit", "arrived_at", "over_entries", "kind = 'entry_event'"),
    "ended": _daily("visit", "left_at", "over_ended", "end_reason IS NOT NULL"),
    "sent": _daily("receipt", "occurred_at", "over_sent", "kind = 'accepted'"),
    "opened": _daily("receipt", "occurred_at", "over_opened", "kind = 'opened' AND first"),
    "clicked": _daily("receipt", "occurred_at", "over_clicked", "kind = 'clicked' AND first"),
    "reached": _daily("conversion", "occurred_at", "over_reached", "first"),
    "hits": _daily("conversion", "occurred_at", "over_hits", "true"),
}
"""By metric."""


def of_rows(rows: Iterable[tuple[Any, ...]]) -> Facts:
    """What the statements say, without zeros."""
    named = {"accepted": "sent"}
    return {
        tuple(named.get(str(one), str(one)) for one in row[:3]): tuple(int(n) for n in row[3:])
        for row in rows
        if row[3]
    }


def _canvas(stats: Data) -> Facts:
    found: Facts = {}
    for one in stats["steps"]:
        key = one["step"]["key"]
        found["arrivals", key, ""] = (one["arrivals"]["total"], one["arrivals"]["users"])
        found["waiting", key, ""] = (one["waitingNow"],)
        found |= {("ended", key, end["reason"].lower()): (end["count"],) for end in one["endedHere"]}
        for metric in filter(None, (one["sent"], one["opened"], one["clicked"])):
            found |= _metric(key, metric)
        for credit in one["credited"] or ():
            goal = credit["goal"]["key"]
            for name, told in (("opened", "afterOpen"), ("sent", "afterSend"), ("assisted", "assisted")):
                found[name, key, goal] = (credit[told],)
    for one in stats["edges"]:
        place = (one["edge"]["from"], one["edge"]["output"])
        found["passed", *place] = (one["passed"]["total"], one["passed"]["users"])
    return found


def _metric(place: str, told: Data) -> Facts:
    """A metric and, where actors are told apart, each of them; opens and clicks themselves are left out."""
    name = told["metric"].lower()
    if not told["observable"] or name in ("opens", "clicks"):
        return {}
    users = told["tally"].get("users")
    found: Facts = {(name, place, ""): (told["tally"]["total"], *(() if users is None else (users,)))}
    for actor in ("human", "machine", "unsure"):
        if told.get(actor) is not None:
            found[name, place, actor] = (told[actor],)
    return found


def _performance(stats: Data) -> Facts:
    found: Facts = {}
    for one in stats["performance"]:
        goal = one["goal"]["key"]
        found["reached", goal, ""] = (one["reached"]["total"], one["reached"]["users"])
        found["hits", goal, ""] = (one["hits"],)
        worth = one["revenue"]
        found["worth", goal, ""] = (round(float(worth["amount"]) * 10_000) if worth else 0,)
    return found | _series(stats)


def _audience(stats: Data) -> Facts:
    one = stats["audience"]
    found: Facts = {("entries", "", ""): (one["entries"], one["users"])}
    found["inside", "", ""] = (one["insideNow"],)
    found |= {("ended", "", end["reason"].lower()): (end["count"],) for end in one["endedBy"]}
    return found | _series(stats)


def _communications(stats: Data) -> Facts:
    found: Facts = {}
    for channel in stats["communications"]:
        rows = [(channel["channel"].lower(), channel)]
        rows += [(one["step"]["key"], one) for one in channel["messages"]]
        for place, row in rows:
            for metric in row["metrics"]:
                found |= _metric(place, metric)
            for issue in row["issues"]:
                name = f"issue_{issue['family'].lower()}"
                found[name, place, issue["reason"].lower()] = (issue["share"]["count"],)
    return found | _series(stats)


def _health(stats: Data) -> Facts:
    found: Facts = {("entries", "", ""): (stats["audience"]["entries"],)}
    found |= {("ended", "", end["reason"].lower()): (end["count"],) for end in stats["audience"]["endedBy"]}
    for channel in stats["communications"]:
        for metric in channel["metrics"]:
            if metric["metric"] in ("SENT", "OPENED"):
                place = (metric["metric"].lower(), channel["channel"].lower(), "")
                found[place] = (metric["tally"]["total"],)
    for one in stats["performance"]:
        found["reached", one["goal"]["key"], ""] = (one["reached"]["total"],)
    return found | _series(stats)


def _series(stats: Data) -> Facts:
    from datetime import datetime

    found: Facts = {}
    for name, points in stats.items():
        for point in points if name.startswith("over_") else ():
            at = datetime.fromisoformat(point["at"]).timestamp()
            found[name, str(int(at + 32_400) // 86_400), ""] = (point["count"],)
    return found


SCREENS = (
    Screen(
        "canvas",
        _STEP,
        (),
        (_ARRIVALS, _PASSED, _ENDED, _WAITING, *_receipts("step"), _CREDITED),
        _canvas,
    ),
    Screen("performance", _PERFORMANCE, ("reached", "hits"), (_REACHED, _HITS, _WORTH), _performance),
    Screen("audience", _AUDIENCE, ("entries", "ended"), (_ENTRIES, _ENDED_BY, _INSIDE), _audience),
    Screen(
        "communications",
        _COMMUNICATIONS,
        ("sent", "opened", "clicked"),
        (*_receipts("step"), *_receipts("channel"), _reasons("step"), _reasons("channel")),
        _communications,
    ),
    Screen(
        "health",
        _HEALTH,
        ("entries", "sent", "opened", "ended", "reached"),
        (_ENTRIES, _ENDED_BY, *_receipts("channel", users=False)[:2], _REACHED),
        _health,
    ),
)
