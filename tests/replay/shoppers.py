"""A real clickstream as Segment's libraries would have sent it, and its retention by plain SQL.

`ecom.csv.gz` says of every session on which platform it was and by which channel it came. Here, and wherever
else it is asked, this becomes of it:

- a person on a platform is a device of its own (`user_0000-desktop`), known by the person's id at once;
- the platform is told by a user agent: a PC's, a telephone's, a tablet's. Tablets count as mobile web;
- the channel is told by every event of a session, as if each page were the one that was landed on: organic by
  Google as the referrer, paid search and e-mail by the campaign, social by Instagram as the referrer, and
  direct by nothing at all;
- a purchase is an order whose total in KRW is ten thousand and a hundred for each row of the file before it,
  modulo 900: the file has no amounts.

The SQL shares no line with the server.
"""

import csv
import gzip
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

DATA = Path(__file__).parents[3] / "shared" / "data" / "ecom.csv.gz"

_AGENTS = {
    "desktop": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 Safari/537.36",
    "mobile": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
    "tablet": "Mozilla/5.0 (Linux; Android 14; SM-X710) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 Safari/537.36",
}
CLASSES = {"desktop": "pc_web", "mobile": "mobile_web", "tablet": "mobile_web"}
SOURCES = {
    "organic": "search",
    "paid_search": "ad",
    "email": "email",
    "social": "social",
    "direct": "direct",
}
_REFERRERS = {"organic": "https://www.google.com/", "social": "https://www.instagram.com/"}
_CAMPAIGNS = {
    "paid_search": {"source": "google", "medium": "cpc", "name": "spring"},
    "email": {"source": "newsletter", "medium": "email", "name": "weekly"},
}
ORDER = "Order Completed"


class Row(NamedTuple):
    number: int
    user: str
    event: str
    at: int
    """Milliseconds since the epoch."""
    platform: str
    channel: str

    @property
    def name(self) -> str:
        """Of the event."""
        return ORDER if self.event == "purchase" else self.event

    @property
    def total(self) -> int:
        """Of a purchase."""
        return 10_000 + 100 * (self.number % 900)


def read(users: int | None = None) -> list[Row]:
    """The rows in order of time; of the first so many users only, if asked."""
    with gzip.open(DATA, "rt", encoding="utf-8") as file:
        rows = [_row(number, one) for number, one in enumerate(csv.DictReader(file))]
    kept = set(sorted({row.user for row in rows})[:users])
    return sorted((row for row in rows if row.user in kept), key=lambda row: (row.at, row.number))


def _row(number: int, said: dict[str, str]) -> Row:
    at = datetime.fromisoformat(said["timestamp"]).replace(tzinfo=UTC)
    about = (said["platform"], said["acquisition_channel"])
    return Row(number, said["user_id"], said["event"], int(at.timestamp()) * 1000, *about)


def event_of(row: Row) -> dict[str, Any]:
    """What `World.event` is asked with, beside the name and the time."""
    page = {"url": f"https://shop.example/{row.event}", "path": f"/{row.event}", "search": ""}
    context: dict[str, Any] = {
        "userAgent": _AGENTS[row.platform],
        "page": {**page, "referrer": _REFERRERS.get(row.channel, "")},
    }
    if row.channel in _CAMPAIGNS:
        context["campaign"] = _CAMPAIGNS[row.channel]
    about: dict[str, Any] = {"user": row.user, "anonymous": f"{row.user}-{row.platform}", "context": context}
    if row.event == "purchase":
        about |= {"order_id": f"order-{row.number}", "total": row.total, "currency": "KRW"}
    return {
        **about,
        "name": ORDER if row.event == "purchase" else row.event,
        "message_id": f"row-{row.number}",
    }


SEOUL = ZoneInfo("Asia/Seoul")
SEOUL_MS = 9 * 3_600_000
_DAY_MS = 86_400_000
MONDAY = 4
"""1970-01-05 was the first Monday."""


class Told:
    """The rows in a table of plain SQL, with the day and the week in Seoul."""

    def __init__(self, rows: list[Row]) -> None:
        self._db = sqlite3.connect(":memory:")
        self._db.execute(
            "CREATE TABLE seen (person, device, class, source, day INTEGER, week INTEGER, orders, spent)"
        )
        self._db.executemany("INSERT INTO seen VALUES (?, ?, ?, ?, ?, ?, ?, ?)", map(_seen, rows))

    def retention(
        self, unit: str, bucket: str, where: str = "TRUE", *, first: bool = False, back: str = "TRUE"
    ) -> Iterator[tuple[int, int, int]]:
        """Bucket of the entry, how many buckets later, and how many of those who entered were seen then.

        `unit` is person or device, `bucket` day or week; whoever is asked for by `where` enters in every
        bucket in which that is so, or only in the first; being seen again is what is asked for by `back`.
        """
        entered = f"SELECT DISTINCT {unit} AS who, {bucket} AS came FROM seen WHERE {where}"  # noqa: S608  # ours
        if first:
            entered = f"SELECT who, MIN(came) AS came FROM ({entered}) GROUP BY who"  # noqa: S608  # ours
        return self._db.execute(
            f"""SELECT e.came, r.later - e.came, COUNT(DISTINCT e.who)
                FROM ({entered}) e
                JOIN (SELECT DISTINCT {unit} AS who, {bucket} AS later FROM seen WHERE {back}) r
                  ON r.who = e.who AND r.later >= e.came
                GROUP BY 1, 2 ORDER BY 1, 2"""  # noqa: S608  # ours
        )

    def spent(self, what: str, where: str = "TRUE") -> Iterator[tuple[int, int, int]]:
        """The same with what those who entered on a day bought then and later: `orders` or `spent`."""
        return self._db.execute(
            f"""SELECT e.day, s.day - e.day, SUM(s.{what})
                FROM (SELECT DISTINCT person, day FROM seen WHERE {where}) e
                JOIN seen s ON s.person = e.person AND s.day >= e.day
                GROUP BY 1, 2 HAVING SUM(s.orders) > 0 ORDER BY 1, 2"""  # noqa: S608  # ours
        )


def _seen(row: Row) -> tuple[Any, ...]:
    day = (row.at + SEOUL_MS) // _DAY_MS
    bought = row.event == "purchase"
    about = (row.user, f"{row.user}-{row.platform}", CLASSES[row.platform], SOURCES[row.channel])
    return (*about, day, (day - MONDAY) // 7, int(bought), row.total if bought else 0)
