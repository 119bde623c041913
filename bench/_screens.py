"""The screens: what is asked in GraphQL, what its peers are asked in SQL, and both answers as the same facts.

The SQL is the same for DuckDB and ClickHouse. Every statement gives rows of a name, up to two places, a count
and, where somebody wants to know, a number of different users.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, NamedTuple

Facts = dict[tuple[str, ...], tuple[int, ...]]
Data = dict[str, Any]
"""What was counted, by name and place: how often and, where it is asked, by how many."""


class Screen(NamedTuple):
    name: str
    fields: str
    """Below `stats`; with `CHART` where its chart belongs."""
    chart: str
    """A point a day, for periods that are asked for with series."""
    statements: tuple[str, ...]
    """With `{since}` for the first instant of the period."""
    daily: tuple[str, ...]
    """Those of the chart."""
    facts: Callable[[Data], Facts]

    def document(self, charts: bool) -> str:
        fields = self.fields.replace("CHART", self.chart if charts else "")
        return (
            f"query {self.name}($id: ID!, $period: PeriodInput) "
            f"{{ journey(id: $id) {{ stats(period: $period) {{ watermark {fields} }} }} }}"
        )


_SHARE = "{ count of base rate }"
_METRIC = f"{{ metric observable total unique users share {_SHARE} human machine unsure }}"
_STEP = f"""
steps {{
  step {{ __typename key title outputs position {{ x y }} }} isCurrent
  arrivals {{ total users }} waitingNow left
  endedHere {{ reason count share {_SHARE} }} dropOffs {{ count of rate internal send }}
  leftEarly {{ count goal cancelEvent otherwise }} ofEntries {_SHARE} ofPrevious {_SHARE}
  sent {_METRIC} opened {_METRIC} clicked {_METRIC} notSent {_SHARE}
  credited {{ goal {{ key }} afterOpen afterSend assisted revenue {{ amount currency }} }}
}}
edges {{ edge {{ from output to }} isCurrent passed {{ total users }} ofArrivals {_SHARE} }}
"""
_ISSUES = f"issues {{ family reason share {_SHARE} }}"
_PERFORMANCE = f"""
performance {{
  goal {{ key title event windowSeconds currency }} reached {{ total users }} hits perRun {_SHARE}
  perUser {_SHARE} revenue {{ amount currency }} firstRevenue {{ amount currency }} CHART
}}
"""
_AUDIENCE = f"""
audience {{
  entries users insideNow insideByStep {{ count }} ended endedBy {{ reason count share {_SHARE} }}
  refused {{ reason count }} leftEarly {{ count goal cancelEvent otherwise }} messaged {_SHARE}
}}
CHART
"""
_COMMUNICATIONS = f"""
communications {{
  channel metrics {_METRIC} {_ISSUES} CHART
  messages {{ step {{ key title }} isCurrent metrics {_METRIC} {_ISSUES} }}
}}
"""
_HEALTH = f"""
health {{
  entries {{ total users }} sent sentByChannel {{ channel count }} opened {_SHARE}
  dropOffs {{ count of rate internal send }} endedBy {{ reason count share {_SHARE} }}
  goalsReached goals {{ goal {{ key title }} reached {{ total users }} }} CHART
}}
"""
_OVER_GOAL = "over { at reached hits revenue { amount } }"
_OVER_AUDIENCE = "entered: over(metric: ENTRIES) { at count } ended: over(metric: ENDED) { at count }"
_OVER_CHANNEL = " ".join(
    f"over_{metric}: over(metric: {metric.upper()}) {{ at count }}"
    for metric in ("sent", "opened", "clicked")
)
_OVER_HEALTH = """over {
  at entries sent sentByChannel { channel count } opened completed dropOffs goalsReached hits
}"""

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


_EVERY = "CASE kind WHEN 'opened' THEN 'opens' ELSE 'clicks' END"


def _receipts(by: str, *, users: bool = True) -> tuple[str, ...]:
    """What became of messages, by step or by channel: each message once."""
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


def _hits(by: str) -> tuple[str, ...]:
    """Every open and every click."""
    return (
        f"""SELECT {_EVERY}, {by}, '', count(*), count(DISTINCT user_number) FROM receipt
        WHERE kind IN ('opened', 'clicked') AND occurred_at >= {{since}} GROUP BY kind, {by}""",
        f"""SELECT {_EVERY}, {by}, actor, count(*) FROM receipt
        WHERE kind IN ('opened', 'clicked') AND occurred_at >= {{since}} GROUP BY kind, {by}, actor""",
    )


def _reasons(by: str) -> str:
    return f"""SELECT 'issue_' || kind, {by}, reason, count(*) FROM receipt
    WHERE reason <> '' AND occurred_at >= {{since}} GROUP BY kind, {by}, reason"""


def _daily(name: str, table: str, instant: str, where: str, by: str = "''") -> str:
    """A point a day, whose place is the number of days since the epoch in Seoul."""
    day = f"CAST(floor(({instant} + 32400000) / 86400000) AS INTEGER)"
    return f"""SELECT 'over_{name}', CAST({day} AS VARCHAR), {by}, count(*) FROM {table}
    WHERE {where} AND {instant} >= {{since}} GROUP BY {day}, {by}"""


_FIRST = "kind = '{}' AND first"
_DAILY_ENTRIES = _daily("entries", "visit", "arrived_at", "kind = 'entry_event'")
_DAILY_ENDED = _daily("ended", "visit", "left_at", "end_reason IS NOT NULL")
_DAILY_BY_CHANNEL = tuple(
    _daily(name, "receipt", "occurred_at", _FIRST.format(kind), "channel")
    for name, kind in (("sent", "accepted"), ("opened", "opened"), ("clicked", "clicked"))
)
_DAILY_GOALS = (
    _daily("reached", "conversion", "occurred_at", "first", "goal"),
    _daily("hits", "conversion", "occurred_at", "true", "goal"),
)
_DAILY_HEALTH = (
    _DAILY_ENTRIES,
    _DAILY_BY_CHANNEL[0],
    _daily("opened", "receipt", "occurred_at", "kind = 'opened' AND first"),
    _daily("dropped", "visit", "left_at", "end_reason IN ('internal_error', 'send_error')"),
    _daily("completed", "visit", "left_at", "end_reason = 'completed'"),
    _daily("reached", "conversion", "occurred_at", "first"),
    _daily("hits", "conversion", "occurred_at", "true"),
)


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
    """A metric and, where actors are told apart, each of them."""
    name, users = told["metric"].lower(), told["users"]
    if not told["observable"]:
        return {}
    times = told["total" if name in ("opens", "clicks") else "unique"]
    found: Facts = {(name, place, ""): (times, *(() if users is None else (users,)))}
    for actor in ("human", "machine", "unsure"):
        if told[actor] is not None:
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
        found |= _over(one.get("over"), goal, reached="reached", hits="hits")
    return found


def _audience(stats: Data) -> Facts:
    one = stats["audience"]
    found: Facts = {("entries", "", ""): (one["entries"], one["users"])}
    found["inside", "", ""] = (one["insideNow"],)
    found |= {("ended", "", end["reason"].lower()): (end["count"],) for end in one["endedBy"]}
    found |= _over(stats.get("entered"), "", entries="count")
    return found | _over(stats.get("ended"), "", ended="count")


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
        for metric in ("sent", "opened", "clicked"):
            found |= _over(channel.get(f"over_{metric}"), rows[0][0], **{metric: "count"})
    return found


def _health(stats: Data) -> Facts:
    told = stats["health"]
    found: Facts = {("entries", "", ""): (told["entries"]["total"], told["entries"]["users"])}
    found |= {("ended", "", end["reason"].lower()): (end["count"],) for end in told["endedBy"]}
    found |= {("sent", one["channel"].lower(), ""): (one["count"],) for one in told["sentByChannel"]}
    for one in told["goals"]:
        found["reached", one["goal"]["key"], ""] = (one["reached"]["total"], one["reached"]["users"])
    named = {"entries": "entries", "opened": "opened", "dropped": "dropOffs", "completed": "completed"}
    found |= _over(told.get("over"), "", **named, reached="goalsReached", hits="hits")
    for point in told.get("over") or ():
        for one in point["sentByChannel"]:
            found["over_sent", _day(point["at"]), one["channel"].lower()] = (one["count"],)
    return found


def _over(points: list[Data] | None, place: str, **fields: str) -> Facts:
    """The points of a chart: by the name of the fact, the field that tells it."""
    return {
        (f"over_{name}", _day(point["at"]), place): (point[field],)
        for point in points or ()
        for name, field in fields.items()
    }


def _day(at: str) -> str:
    return str(int(datetime.fromisoformat(at).timestamp() + 32_400) // 86_400)


SCREENS = (
    Screen(
        "canvas",
        _STEP,
        "",
        (_ARRIVALS, _PASSED, _ENDED, _WAITING, *_receipts("step"), _CREDITED),
        (),
        _canvas,
    ),
    Screen("performance", _PERFORMANCE, _OVER_GOAL, (_REACHED, _HITS, _WORTH), _DAILY_GOALS, _performance),
    Screen(
        "audience",
        _AUDIENCE,
        _OVER_AUDIENCE,
        (_ENTRIES, _ENDED_BY, _INSIDE),
        (_DAILY_ENTRIES, _DAILY_ENDED),
        _audience,
    ),
    Screen(
        "communications",
        _COMMUNICATIONS,
        _OVER_CHANNEL,
        tuple(one for by in ("step", "channel") for one in (*_receipts(by), *_hits(by), _reasons(by))),
        _DAILY_BY_CHANNEL,
        _communications,
    ),
    Screen(
        "health",
        _HEALTH,
        _OVER_HEALTH,
        (_ENTRIES, _ENDED_BY, *_receipts("channel", users=False)[:2], _REACHED),
        _DAILY_HEALTH,
        _health,
    ),
)
