"""What the abandoned-cart journey must come to, computed from the CSV alone.

Shares no line with the server: entries, mails, opens, clicks, conversions and a user's path, by the rules
as the journey states them. Enter on add_to_cart, unless inside; after an hour, a mail unless there was a
purchase after entering and before the hour was over; goal: a purchase after entering, until seven days
after leaving.
"""

import csv
import gzip
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

HOUR = 3600
WEEK = 7 * 86_400


@dataclass(frozen=True)
class Row:
    number: int
    user: str
    event: str
    at: int
    """Seconds since the epoch."""
    platform: str


@dataclass
class Run:
    entered: int
    left: int | None = None
    mailed: bool = False
    purchases: int = 0


@dataclass
class Expected:
    entries: int = 0
    inside: int = 0
    mails: int = 0
    opened: int = 0
    clicked: int = 0
    reached: int = 0
    hits: int = 0
    buyers: int = 0
    """Different users who reached the goal."""
    paths: dict[str, list[Run]] = field(default_factory=dict)


def read(path: Path, users: int | None = None) -> list[Row]:
    """The rows in time order; of the first so many users only, if asked."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [
            Row(
                number,
                row["user_id"],
                row["event"],
                int(datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC).timestamp()),
                row["platform"],
            )
            for number, row in enumerate(csv.DictReader(file))
        ]
    if users is not None:
        kept = set(sorted({row.user for row in rows})[:users])
        rows = [row for row in rows if row.user in kept]
    return sorted(rows, key=lambda row: row.at)


def opens(user: str) -> bool:
    return int(user[-4:]) % 3 == 0


def clicks(user: str) -> bool:
    return int(user[-4:]) % 6 == 0


def expected(rows: list[Row]) -> Expected:
    """What the figures are once all these rows are worked in and the clock shows the last one's time."""
    result = Expected()
    end = max(row.at for row in rows)
    lives: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        lives[row.user].append(row)
    for user, life in lives.items():
        runs = _runs(life, end)
        if not runs:
            continue
        result.paths[user] = runs
        mails = sum(run.mailed for run in runs)
        result.entries += len(runs)
        result.inside += sum(run.left is None for run in runs)
        result.mails += mails
        result.opened += mails if opens(user) else 0
        result.clicked += mails if clicks(user) else 0
        result.reached += sum(run.purchases > 0 for run in runs)
        result.hits += sum(run.purchases for run in runs)
        result.buyers += any(run.purchases for run in runs)
    return result


def _runs(life: list[Row], end: int) -> list[Run]:
    runs: list[Run] = []
    for row in life:
        if row.event == "add_to_cart" and (not runs or row.at >= runs[-1].entered + HOUR):
            runs.append(Run(row.at))
    purchases = [row.at for row in life if row.event == "purchase"]
    for run in runs:
        over = run.entered + HOUR
        if over <= end:
            run.left = over
            run.mailed = not any(run.entered < at < over for at in purchases)
        last = (run.left + WEEK) if run.left is not None else end
        run.purchases = sum(run.entered < at <= last for at in purchases)
    return runs
