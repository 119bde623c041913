"""Two accounts of one campaign laid side by side in plain SQL: the ledger of the relay, and our tables."""

import json
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench._alimtalk import WON, Relay

_LEDGER = """
CREATE TABLE ledger (id TEXT PRIMARY KEY, reference TEXT, phone TEXT, code TEXT, said TEXT,
                     is_taken INTEGER, is_answered INTEGER);
CREATE TABLE meaning (code TEXT PRIMARY KEY, reason TEXT);
"""
_JOINED = """
CREATE TEMP VIEW both AS
SELECT m.*, l.id AS taken_id, l.phone, l.code, l.said, l.is_answered
FROM ledger l JOIN ours.message m ON m.project_id || '-' || m.shard || '-' || m.id = l.reference;
CREATE TEMP VIEW total AS SELECT * FROM ours.counter WHERE clock = 0 AND span = 0;
"""
_ACCEPTED = """
UPDATE ledger SET is_answered = EXISTS (
  SELECT 1 FROM both b JOIN ours.receipt r ON r.shard = b.shard AND r.message_id = b.id
  WHERE b.taken_id = ledger.id AND r.kind IN ('accepted', 'refused'))
"""
_COUNTED = "SELECT coalesce(sum(n), 0) FROM total WHERE metric = "
_OF = "SELECT count(*) FROM ours.message WHERE "
# What came to us of a message that was taken up: its answer, or a result that proves it.
_SENT = "SELECT count(*) FROM ledger WHERE is_taken AND (is_answered OR code = '4000')"
_OPEN = "SELECT count(*) FROM ledger WHERE is_taken AND is_answered AND code = '2000'"
_NEVER = "(SELECT count(*) FROM ours.list_member) - (SELECT count(*) FROM ledger)"
_LOST = "(SELECT count(*) FROM ledger WHERE is_taken AND NOT is_answered AND code = '2000')"
_DELIVERED = "SELECT count(*) FROM ledger WHERE code = '4000'"
_WON = f"SELECT {WON} * count(*) FROM ledger WHERE code = '4000'"  # noqa: S608 a number of ours

SUMS: tuple[tuple[str, str, str], ...] = (
    ("sent (counter)", _SENT, f"{_COUNTED} 'sent'"),
    ("delivered (messages)", _DELIVERED, f"{_OF} status = 'delivered'"),
    ("delivered (counter)", _DELIVERED, f"{_COUNTED} 'delivered'"),
    (
        "failed (messages)",
        "SELECT count(*) FROM ledger WHERE code NOT IN ('2000', '4000')",
        f"{_OF} status = 'failed'",
    ),
    ("accepted, and open", _OPEN, f"{_OF} status = 'accepted'"),
    ("unknown (messages)", f"SELECT {_NEVER} + {_LOST}", f"{_OF} status = 'unknown'"),
    ("unknown (counter)", f"SELECT {_NEVER} + {_LOST}", f"{_COUNTED} 'unknown'"),
    (
        "not booked, as the outcome is open (counter)",
        f"SELECT {_NEVER} + {_LOST} + ({_OPEN})",
        f"{_COUNTED} 'unbilled' AND reason = 'outcome'",
    ),
    ("won (messages)", _WON, "SELECT coalesce(sum(price), 0) / 10000.0 FROM ours.message"),
    ("won (counter)", _WON, "SELECT coalesce(sum(amount), 0) / 10000.0 FROM total WHERE metric = 'cost'"),
    ("won (lines)", _WON, "SELECT coalesce(sum(amount), 0) / 10000.0 FROM total WHERE metric = 'billed'"),
)
_REASONS = (
    "SELECT reason, count(*) FROM ledger JOIN meaning USING (code) GROUP BY 1 ORDER BY 1",
    "SELECT reason, sum(n) FROM total WHERE metric = 'failed' GROUP BY 1 HAVING sum(n) > 0 ORDER BY 1",
    "SELECT reason, count(*) FROM ours.message WHERE status = 'failed' GROUP BY 1 ORDER BY 1",
)
NEVER: tuple[tuple[str, str], ...] = (
    (
        "on the list, and without a message",
        "SELECT user_number FROM ours.list_member WHERE (shard, user_number) NOT IN "
        "(SELECT shard, user_number FROM ours.message)",
    ),
    (
        "two messages to one",
        "SELECT user_number FROM ours.message GROUP BY shard, user_number HAVING count(*) > 1",
    ),
    ("handed over twice", "SELECT reference FROM ledger GROUP BY 1 HAVING count(*) > 1"),
    ("one number twice", "SELECT phone FROM ledger GROUP BY 1 HAVING count(*) > 1"),
    ("nobody's message", "SELECT id FROM ledger WHERE id NOT IN (SELECT taken_id FROM both)"),
    ("to another number", "SELECT taken_id FROM both WHERE address <> '+82' || substr(phone, 2)"),
    ("without an end", "SELECT id FROM ours.message WHERE status IN ('queued', 'attempted')"),
    ("skipped", "SELECT id FROM ours.message WHERE status = 'skipped'"),
    (
        "delivered by one account only",
        "SELECT taken_id FROM both WHERE (code = '4000') <> (status = 'delivered')",
    ),
    (
        "delivered, and never handed over",
        "SELECT id FROM ours.message WHERE status IN ('delivered', 'accepted', 'failed') "
        "AND (shard, id) NOT IN (SELECT shard, id FROM both)",
    ),
    (
        "failed for another reason",
        "SELECT taken_id FROM both JOIN meaning USING (code) "
        "WHERE status <> 'failed' OR both.reason <> meaning.reason",
    ),
    (
        "filled with another's values",
        "SELECT taken_id FROM both b JOIN ours.list_member l USING (shard, user_number) "
        "WHERE NOT (l.line ->> '이름' = b.said ->> '#{이름}' AND l.line ->> '상품' = b.said ->> '#{상품}' "
        "AND l.line ->> '지점' = b.said ->> '#{지점}')",
    ),
    (
        "booked wrongly",
        "SELECT id FROM ours.message "  # noqa: S608 a number of ours
        f"WHERE price IS NOT CASE status WHEN 'delivered' THEN {WON * 10_000} END "
        # What was refused at once never went out, and is billed as nothing.
        "OR (billed_as <> 'alimtalk' AND status <> 'failed')",
    ),
)


@dataclass
class Books:
    """What both say."""

    sums: list[tuple[str, float, float]] = field(default_factory=list)
    """Name, theirs, ours."""
    reasons: dict[str, int] = field(default_factory=dict)
    """Why messages failed, and how many, as both say."""
    wrong: list[str] = field(default_factory=list)

    def of(self, name: str) -> int:
        return next(int(theirs) for what, theirs, _ in self.sums if what == name)


def compare(database: Path, relay: Relay, *, knows_answers: bool = True) -> Books:
    """Lays both side by side. Where we were killed the relay does not know which of its answers arrived
    (not `knows_answers`): then our receipts say it."""
    books = Books()
    tables = sqlite3.connect(":memory:", uri=True)
    tables.execute("ATTACH ? AS ours", (f"file:{database}?mode=ro",))
    tables.executescript(_LEDGER)
    tables.executemany("INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?)", map(_line(relay), relay.rows))
    meanings = {code: reason.value for reason, code in (*relay.failed.items(), *relay.refused.items())}
    tables.executemany("INSERT INTO meaning VALUES (?, ?)", meanings.items())
    tables.executescript(_JOINED)
    if not knows_answers:
        tables.execute(_ACCEPTED)
    for name, theirs, ours in SUMS:
        found = (tables.execute(theirs).fetchone()[0], tables.execute(ours).fetchone()[0])
        books.sums.append((name, *found))
        if found[0] != found[1]:
            books.wrong.append(f"{name}: {found[0]} by the relay, {found[1]} by us")
    told = [dict(tables.execute(query).fetchall()) for query in _REASONS]
    books.reasons = told[0]
    if not told[0] == told[1] == told[2]:
        books.wrong.append(f"failed by reason: {told[0]} by the relay, {told[1]} counted, {told[2]} messages")
    for name, query in NEVER:
        if rows := tables.execute(query).fetchall():
            books.wrong.append(f"{name}: {len(rows)}, the first {rows[0][0]}")
    tables.close()
    return books


def _line(relay: Relay) -> Any:
    def line(number: str) -> tuple[Any, ...]:
        row, said = relay.rows[number], json.dumps(relay.values[number], ensure_ascii=False)
        reference = (row["customFields"] or {}).get("reference")
        flags = (number in relay.taken, number not in relay.unanswered)
        return (number, reference, row["to"], row["statusCode"], said, *flags)

    return line
