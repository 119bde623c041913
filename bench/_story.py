"""The journey that the dashboards are about: 30 steps on 5 channels, and all that has happened in it.

Everything is drawn in DuckDB from hashes, so the same numbers give the same people. The facts have the
product's own words; beside them stand the columns that its peers would otherwise have to join for: the step
and the channel of a receipt, whether it is the first of its kind, and what a conversion is credited to.
"""

from typing import Any, NamedTuple

import duckdb

HOUR, DAY = 3_600_000, 86_400_000
ZONE, ZONE_OFFSET = "Asia/Seoul", 9 * HOUR
"""A zone whose clocks never change, so that plain arithmetic finds its days."""
DAYS = 90
SEED = 7
CHANNELS = ("email", "push", "sms", "whatsapp", "kakao")
MESSAGES_PER_RUN = 8.4
"""About so many messages a run sends before it is over."""
RUNS_PER_USER = 1.5
_WAITS = (DAY, 2 * DAY, 3 * DAY, DAY)
_LETTERS = (3, 3, 2, 2)
"""Message steps in a row on either side of each fork."""
_KINDS: dict[str, dict[str, Any]] = {
    "email": {"kind": "email", "subject": "Hello", "html": "<p>Hello</p>"},
    "push": {"kind": "push", "title": "Hello", "text": "Hello"},
    "sms": {"kind": "sms", "text": "Hello"},
    "whatsapp": {"kind": "whatsapp", "text": "Hello"},
    "kakao": {"kind": "alimtalk", "template": "hello"},
}


class Place(NamedTuple):
    """One step of the way: `fork` and `side` say who comes by; a fork of -1 is for everybody."""

    at: int
    fork: int
    side: int
    step: str
    kind: str
    output: str
    channel: str = ""


def layout() -> list[Place]:
    """An A/B split and three forks; on either side of each some messages, and a wait behind it."""
    places, at, number = [Place(1, -1, 0, "in", "entry_event", "next")], 2, 1
    for fork, letters in enumerate(_LETTERS):
        outputs = ("a", "b") if fork == 0 else ("yes", "otherwise")
        step, kind = ("ab", "ab_split") if fork == 0 else (f"s{fork}", "split")
        places += [Place(at, fork, side, step, kind, output) for side, output in enumerate(outputs)]
        for side in (0, 1):
            for place in range(letters):
                channel = CHANNELS[number % len(CHANNELS)]
                places.append(Place(at + 1 + place, fork, side, f"m{number:02}", "message", "next", channel))
                number += 1
        at += letters + 1
        places.append(Place(at, -1, 0, f"w{fork + 1}", "delay", "next"))
        at += 1
    return [*places, Place(at, -1, 0, "out", "exit", "")]


def graph() -> dict[str, Any]:
    """The same, as a version of the journey holds it."""
    places = layout()
    steps = {place.step: _step(place) for place in places}
    edges = {(place.step, place.output): _next(place, places) for place in places if place.output}
    return {
        "steps": list(steps.values()),
        "edges": [{"from": step, "output": output, "to": to} for (step, output), to in edges.items()],
        "goals": [
            {"key": "bought", "event": "purchase", "amount_property": "total", "currency": "KRW"},
            {"key": "looked", "event": "product_viewed"},
        ],
    }


def _next(place: Place, places: list[Place]) -> str:
    """The step one further on, on the same side."""
    beyond = (one for one in places if one.at == place.at + 1)
    return next(
        one.step
        for one in beyond
        if -1 in (one.fork, place.fork) or (one.fork, one.side) == (place.fork, place.side)
    )


def _step(place: Place) -> dict[str, Any]:
    named = {"key": place.step, "title": place.step}
    if place.channel:
        return {**named, **_KINDS[place.channel]}
    more: dict[str, dict[str, Any]] = {
        "entry_event": {"event": "sign_up"},
        "delay": {"duration_ms": DAY},
        "ab_split": {"branches": [{"output": "a", "percent": 50}, {"output": "b", "percent": 50}]},
        "split": {"branches": [{"output": "yes", "conditions": [_MEMBER]}]},
    }
    return {**named, "kind": place.kind, **more.get(place.kind, {})}


_MEMBER = {"about": "attribute", "name": "plan", "operator": "equals", "value": "member"}


def tell(peer: duckdb.DuckDBPyConnection, messages: int, end: int) -> None:
    """Makes the tables `run`, `visit`, `message`, `receipt` and `conversion` of the 90 days before `end`."""
    runs = max(int(messages / MESSAGES_PER_RUN), 10)
    users = max(int(runs / RUNS_PER_USER), 5)
    start = end - DAYS * DAY
    for text in (_types(), _MACROS, *_layout_table(), _RUNS, _VISITS, _MESSAGES, _RECEIPTS, _CONVERSIONS):
        words = {"runs": runs, "users": users, "start": start, "end": end, "seed": SEED}
        peer.execute(text.format(**words) if "{" in text else text)
    peer.execute(_CREDITS)


def _types() -> str:
    places = layout()
    closed = {
        "step": dict.fromkeys(["", *(place.step for place in places)]),
        "output": dict.fromkeys(["", *(place.output for place in places if place.output)]),
        "channel": dict.fromkeys(["", *CHANNELS]),
    }
    return ";".join(
        f"CREATE TYPE {name} AS ENUM ({', '.join(repr(one) for one in values)})"
        for name, values in closed.items()
    )


def _layout_table() -> list[str]:
    """One way for each of the sixteen ways through the four forks."""
    rows = ", ".join(
        f"({way}, {place.at}, '{place.step}', '{place.kind}', '{place.output}', '{place.channel}')"
        for way in range(16)
        for place in layout()
        if place.fork < 0 or (way >> place.fork) & 1 == place.side
    )
    columns = "way INTEGER, seq INTEGER, step step, kind VARCHAR, output output, channel channel"
    return [f"CREATE TABLE layout ({columns})", f"INSERT INTO layout VALUES {rows}"]


_MACROS = """
CREATE MACRO chance(x, about) AS (hash(x, about, {seed}) % 1000000)::BIGINT;
CREATE MACRO one_of(x, about, listed) AS listed[1 + (hash(x, about, {seed}) % len(listed))::BIGINT];
"""

# Where a run ends: in a wait, because it got what it came for or was called off; at a message that cannot be
# sent; or at the exit. 6, 11, 15 and 19 are the waits.
_RUNS = """
CREATE TABLE run AS
SELECT (i + 1) * 4096 AS id, (hash(i, 'user', {seed}) % {users})::UINTEGER AS user_number,
    {start} + (i * ({end} - {start})) // {runs} AS entered_at,
    (hash(i, 'way', {seed}) % 16)::INTEGER AS way,
    [chance(i, 'j' || wait) * 21 for wait in range(1, 5)] AS later,
    CASE WHEN chance(i, 'end') < 250000 THEN one_of(i, 'where', [6, 11, 15, 19])
         WHEN chance(i, 'end') < 290000 THEN one_of(i, 'where', [3, 4, 5, 8, 9, 10, 13, 14, 17, 18])
         ELSE 20 END::INTEGER AS last,
    CASE WHEN chance(i, 'end') < 250000
            THEN one_of(i, 'why', ['goal', 'goal', 'goal', 'cancel_event', 'cancel_event', 'internal_error'])
         WHEN chance(i, 'end') < 290000 THEN 'send_error' ELSE 'completed' END AS end_reason
FROM range({runs}) AS numbers(i);
"""

_VISITS = f"""
CREATE TABLE visit AS
WITH passage AS (
    SELECT r.id AS run_id, l.seq, r.user_number, l.step, l.kind, l.channel, l.output,
        r.entered_at, l.seq = r.last AS is_last, r.end_reason, r.way,
        r.entered_at
            + (l.seq > 6)::BIGINT * ({_WAITS[0]} + r.later[1])
            + (l.seq > 11)::BIGINT * ({_WAITS[1]} + r.later[2])
            + (l.seq > 15)::BIGINT * ({_WAITS[2]} + r.later[3])
            + (l.seq > 19)::BIGINT * ({_WAITS[3]} + r.later[4]) AS arrived_at,
        CASE WHEN l.kind <> 'delay' THEN 0 WHEN l.seq = r.last THEN {HOUR} + chance(r.id, 'over') * 72
             WHEN l.seq = 6 THEN {_WAITS[0]} + r.later[1] WHEN l.seq = 11 THEN {_WAITS[1]} + r.later[2]
             WHEN l.seq = 15 THEN {_WAITS[2]} + r.later[3] ELSE {_WAITS[3]} + r.later[4] END AS stays
    FROM run r JOIN layout l USING (way) WHERE l.seq <= r.last
)
SELECT run_id, seq, user_number, step, kind, channel, way, entered_at, arrived_at,
    CASE WHEN arrived_at + stays < {{end}} THEN arrived_at + stays END AS left_at,
    CASE WHEN is_last THEN ''::output ELSE output END AS output,
    CASE WHEN is_last AND arrived_at + stays < {{end}} THEN end_reason END AS end_reason
FROM passage WHERE arrived_at < {{end}};
"""

_MESSAGES = """
CREATE TABLE message AS
WITH drawn AS (
    SELECT (run_id + seq * 64) AS id, chance(run_id, seq) AS fate, * FROM visit WHERE channel <> ''
)
SELECT id * 64 AS id, run_id, step, user_number, channel, way, entered_at, arrived_at AS created_at,
    CASE WHEN end_reason = 'send_error' OR fate < 40000 THEN 'skipped' WHEN fate < 60000 THEN 'failed'
         WHEN fate < 62000 THEN 'unknown' WHEN fate < 77000 THEN 'bounced' ELSE 'accepted' END AS status,
    CASE WHEN end_reason = 'send_error' THEN 'no_address'
         WHEN fate < 40000 THEN one_of(id, 'why', ['no_address', 'opted_out', 'capped'])
         WHEN fate < 60000 THEN one_of(id, 'why', ['invalid_recipient', 'content_rejected', 'quota_exceeded'])
         WHEN fate < 62000 THEN 'outcome_unknown'
         WHEN fate < 77000 THEN one_of(id, 'why', ['unreachable', 'not_on_channel']) ELSE '' END AS reason
FROM drawn;
"""

# Opens and clicks lie far enough apart that each is judged by its own request.
_RECEIPTS = """
CREATE TABLE receipt AS
WITH fate AS (
    SELECT *, status = 'accepted' AS arrived,
        status = 'accepted' AND chance(id, 'gate') < 60000 AS gate,
        status = 'accepted' AND chance(id, 'reads') < 280000 AS reads,
        CASE WHEN chance(id, 'who') < 50000 THEN 'unsure' ELSE 'human' END AS reader,
        created_at + 60000 + chance(id, 'when') * 100 AS read_at
    FROM message
), heard AS (
    SELECT *, status AS kind, created_at AS occurred_at, '' AS actor, true AS first, true AS first_of_actor
        FROM fate WHERE status IN ('skipped', 'failed', 'unknown')
    UNION ALL SELECT *, 'accepted', created_at, '', true, true
        FROM fate WHERE status IN ('accepted', 'bounced')
    UNION ALL SELECT *, 'bounced', created_at + 90000, '', true, true FROM fate WHERE status = 'bounced'
    UNION ALL SELECT *, 'delivered', created_at + chance(id, 'there') % 60000, '', true, true
        FROM fate WHERE arrived AND chance(id, 'delivered') < 900000
    UNION ALL SELECT *, 'opened', created_at + 1000, 'machine', true, true FROM fate WHERE gate
    UNION ALL SELECT *, 'opened', read_at, reader, NOT gate, true FROM fate WHERE reads
    UNION ALL SELECT *, 'opened', read_at + 3600000, reader, false, false
        FROM fate WHERE reads AND chance(id, 'again') < 200000
    UNION ALL SELECT *, 'clicked', created_at + 20000, 'machine', true, true
        FROM fate WHERE gate AND chance(id, 'follows') < 200000
    UNION ALL SELECT *, 'clicked', read_at + 30000, reader,
            NOT (gate AND chance(id, 'follows') < 200000), true
        FROM fate WHERE reads AND chance(id, 'clicks') < 250000
    UNION ALL SELECT *, 'unsubscribed', created_at + 7200000, '', true, true
        FROM fate WHERE arrived AND chance(id, 'unsubscribes') < 3000
    UNION ALL SELECT *, 'complained', created_at + 9000000, '', true, true
        FROM fate WHERE arrived AND chance(id, 'complains') < 500
)
SELECT id AS message_id, run_id, kind, occurred_at, actor,
    CASE WHEN kind IN ('skipped', 'failed', 'unknown', 'bounced') THEN reason ELSE '' END AS reason,
    step, channel, user_number, way, entered_at, first, first_of_actor
FROM heard WHERE occurred_at < {end};
"""

_CONVERSIONS = """
CREATE TABLE conversion AS
WITH hit AS (
    SELECT run_id, 'bought' AS goal, 'end' AS digest, user_number, way, entered_at, left_at AS occurred_at
        FROM visit WHERE end_reason = 'goal'
    UNION ALL SELECT id, 'bought', 'any', user_number, way, entered_at, entered_at + chance(id, 'at') * 300
        FROM run WHERE chance(id, 'buys') < 60000
    UNION ALL SELECT id, 'bought', 'more', user_number, way, entered_at,
            entered_at + chance(id, 'at') * 300 + 18000000
        FROM run WHERE chance(id, 'buys') < 20000
    UNION ALL SELECT id, 'looked', 'any', user_number, way, entered_at, entered_at + chance(id, 'looks') * 200
        FROM run WHERE chance(id, 'looker') < 120000
)
SELECT *, row_number() OVER (PARTITION BY run_id, goal ORDER BY occurred_at, amount) = 1 AS first FROM (
    SELECT *, (goal = 'bought')::BIGINT * (1000 + chance(run_id, digest) % 90000) * 10000 AS amount
    FROM hit WHERE occurred_at < {end}
);
"""

# The last message that a person had opened before a hit, else the last sent; all others sent by then assist.
_CREDITS = """
CREATE TABLE letter AS
SELECT m.id, m.run_id, m.step, m.channel, m.created_at AS sent_at, r.opened_at FROM message m
LEFT JOIN (
    SELECT message_id, min(occurred_at) AS opened_at FROM receipt
    WHERE kind IN ('opened', 'clicked') AND actor <> 'machine' GROUP BY message_id
) r ON r.message_id = m.id
WHERE m.status IN ('accepted', 'bounced') AND m.run_id IN (SELECT run_id FROM conversion);
CREATE TABLE credit AS
SELECT c.*, l.step, l.channel, l.id AS message_id,
    CASE WHEN l.id IS NULL THEN '' WHEN l.opened_at <= c.occurred_at THEN 'opened' ELSE 'sent' END AS how,
    row_number() OVER (
        PARTITION BY c.run_id, c.goal, c.digest
        ORDER BY coalesce(l.opened_at <= c.occurred_at, false) DESC,
            CASE WHEN l.opened_at <= c.occurred_at THEN l.opened_at ELSE l.sent_at END DESC, l.id DESC
    ) = 1 AS direct
FROM conversion c LEFT JOIN letter l ON l.run_id = c.run_id AND l.sent_at <= c.occurred_at;
DROP TABLE letter;
"""
