"""The whole product on real input: a shop's clickstream, Segment's own SDK, real mail, true numbers.

Sends a CSV in time order to a running server, reads and clicks a part of the mails over HTTP, asks GraphQL
for the figures, and compares each with what `_shop.py` computes from the CSV alone. With `--kills N` the
server is killed that many times on the way. Exits with 1 if anything differs.
"""

import argparse
import asyncio
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from bench import _shop
from bench._mailbox import Mailbox
from bench._server import Server
from bench._shop import Expected, Row

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36"}
SENT_AT_ONCE = 100
_PATIENCE = 120
"""Seconds, for an answer of a machine that has a lot to do besides."""

CONNECT = """
mutation ($input: CreateConnectionInput!) {
  createConnection(input: $input) {
    __typename
    ... on CreateConnectionPayload { connection { id } }
    ... on Problem { message }
  }
}"""
CREATE = """
mutation ($input: CreateJourneyInput!) {
  createJourney(input: $input) {
    __typename
    ... on CreateJourneyPayload { journey { id } }
    ... on Problem { message }
  }
}"""
PUBLISH = """
mutation ($id: ID!) {
  publishJourney(input: {id: $id}) {
    __typename
    ... on PublishJourneyPayload { version { number } }
    ... on Problem { message }
    ... on GraphProblems { problems { path message } }
  }
}"""
START = """
mutation ($id: ID!) {
  startJourney(input: {id: $id}) {
    __typename
    ... on StartJourneyPayload { journey { status } }
    ... on Problem { message }
  }
}"""
FIGURES = """
query ($id: ID!) {
  journey(id: $id) {
    stats {
      audience { entries users insideNow ended }
      performance { reached { total users } hits perRun { count of rate } }
      communications {
        channel
        metrics { metric unique users }
        issues { reason share { count } }
      }
    }
  }
}"""
PATH = """
query ($id: ID!, $user: String!) {
  journey(id: $id) {
    userPaths(identity: {userId: $user}) {
      __typename
      ... on UserPaths {
        runs {
          enteredAt endedAt state
          visits { step { key } output message { status } }
          conversions { goalKey }
        }
      }
    }
  }
}"""


SPLIT: tuple[list[Any], list[Any]] = (
    [
        {"delay": {"key": "hour", "title": "One hour", "durationSeconds": 3600}},
        {
            "split": {
                "key": "bought",
                "title": "Bought since?",
                "branches": [{"output": "yes", "conditions": [{"did": {"event": "purchase"}}]}],
            }
        },
    ],
    [
        {"from": "cart", "to": "hour"},
        {"from": "hour", "to": "bought"},
        {"from": "bought", "output": "yes", "to": "done"},
        {"from": "bought", "output": "otherwise", "to": "mail"},
    ],
)
WAIT: tuple[list[Any], list[Any]] = (
    [
        {
            "wait": {
                "key": "hour",
                "title": "Bought within an hour?",
                "longestSeconds": 3600,
                "alwaysFull": True,
                "branches": [{"output": "yes", "events": [{"event": "purchase"}]}],
            }
        },
    ],
    [
        {"from": "cart", "to": "hour"},
        {"from": "hour", "output": "yes", "to": "done"},
        {"from": "hour", "output": "not_triggered", "to": "mail"},
    ],
)
MIDDLES = {"split": SPLIT, "wait": WAIT}
"""Two ways to draw the same journey: a delay and a question, or one wait for a trigger."""


def graph(middle: str = "split") -> dict[str, Any]:
    steps, edges = MIDDLES[middle]
    return {
        "steps": [
            {"entryEvent": {"key": "cart", "title": "Put into the cart", "event": "add_to_cart"}},
            *steps,
            {
                "email": {
                    "key": "mail",
                    "title": "Reminder",
                    "connection": "mail",
                    "subject": "장바구니가 기다려요, {{ user.name }}",
                    "html": '<html><body><a href="https://shop.example/cart?a=1&amp;b=2">장바구니</a></body></html>',
                }
            },
            {"exit": {"key": "done", "title": "Done"}},
        ],
        "edges": [
            *edges,
            {"from": "mail", "to": "done"},
        ],
        "goals": [{"key": "bought", "title": "Bought", "event": "purchase", "windowSeconds": 7 * 86_400}],
    }


@dataclass
class Figures:
    """What GraphQL says."""

    entries: int
    inside: int
    sent: int
    unknown: int
    opened: int
    clicked: int
    reached: int
    hits: int
    buyers: int


@dataclass
class Replay:
    """One server, one mailbox, one journey."""

    server: Server
    mailbox: Mailbox
    middle: str = "split"
    """How the journey is drawn: a key of `MIDDLES`."""
    journey_id: str = ""
    read: set[str] = field(default_factory=set)
    """Ids of the mails that were opened already."""

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        answer = httpx.post(
            f"{self.server.url}/graphql",
            json={"query": query, "variables": variables},
            headers={"Authorization": f"Bearer {self.server.keys['secretKey']}"},
            timeout=_PATIENCE,
        )
        body = answer.json()
        if "errors" in body or answer.status_code != 200:
            raise RuntimeError(f"GraphQL answered {answer.status_code}: {body}")
        data: dict[str, Any] = body["data"]
        for name, value in data.items():
            if isinstance(value, dict) and value.get("__typename", "").endswith(("Problem", "Problems")):
                raise RuntimeError(f"{name} was refused: {value}")
        return data

    def prepare(self) -> None:
        """A connection to the mailbox, and the journey, published and started."""
        settings = {
            "host": "127.0.0.1",
            "port": self.mailbox.port,
            "security": "none",
            "from_address": "shop@shop.example",
        }
        self.ask(CONNECT, input={"name": "mail", "adapter": "smtp", "settings": settings})
        made = self.ask(CREATE, input={"title": "Abandoned cart", "graph": graph(self.middle)})
        self.journey_id = made["createJourney"]["journey"]["id"]
        self.ask(PUBLISH, id=self.journey_id)
        self.ask(START, id=self.journey_id)

    def send(self, rows: list[Row]) -> None:
        """Over HTTP, with Segment's own client. Returns when everything was acknowledged."""
        from segment.analytics.client import Client

        failed: list[Any] = []
        client = Client(
            self.server.keys["writeKey"],
            host=self.server.url,
            upload_size=SENT_AT_ONCE,
            upload_interval=0.05,
            max_queue_size=len(rows) * 2 + 10,
            on_error=lambda error, batch: failed.append(error),
        )
        for call, arguments in _calls(rows):
            getattr(client, call)(**arguments)
        client.flush()
        client.join()
        if failed:
            raise RuntimeError(f"The SDK could not deliver {len(failed)} batch(es): {failed[0]}")

    def settled(self, wait_seconds: float = 300) -> Figures:
        """The figures once nothing waits, in the inbox or to leave, and they have stopped moving."""
        before, since = None, time.monotonic()
        deadline = since + wait_seconds
        while time.monotonic() < deadline:
            found = (self.figures(), self._backlog() + self._unsent(), len(self.mailbox.mails))
            if found != before or found[1]:
                before, since = found, time.monotonic()
            elif time.monotonic() - since > 1.0:
                return found[0]
            time.sleep(0.1)
        raise RuntimeError(f"The figures did not come to rest within {wait_seconds} seconds: {before}")

    def _backlog(self) -> int:
        text = httpx.get(f"{self.server.url}/metrics", timeout=_PATIENCE).text
        return int(float(text.split("\nsojourn_inbox_rows ")[1].split()[0]))

    def _unsent(self) -> int:
        """Messages that nobody has told the outcome of yet. The figures may rest while they are under way."""
        with closing(sqlite3.connect(self.server.database.removeprefix("sqlite:///"))) as database:
            query = "SELECT count(*) FROM message WHERE status IN ('queued', 'attempted')"
            return int(database.execute(query).fetchone()[0])

    def figures(self) -> Figures:
        stats = self.ask(FIGURES, id=self.journey_id)["journey"]["stats"]
        metrics: dict[str, int] = {}
        unknown = 0
        for channel in stats["communications"]:
            for one in channel["metrics"]:
                metrics[one["metric"]] = one["unique"] or 0
            unknown += sum(
                issue["share"]["count"] for issue in channel["issues"] if issue["reason"] == "OUTCOME_UNKNOWN"
            )
        goal = stats["performance"][0]
        return Figures(
            entries=stats["audience"]["entries"],
            inside=stats["audience"]["insideNow"],
            sent=metrics.get("SENT", 0),
            unknown=unknown,
            opened=metrics.get("OPENED", 0),
            clicked=metrics.get("CLICKED", 0),
            reached=goal["reached"]["total"],
            hits=goal["hits"],
            buyers=goal["reached"]["users"],
        )

    async def read_mails(self) -> None:
        """Opens and clicks the mails of the users who do such things, each once."""
        mails = [mail for mail in self.mailbox.mails if mail.message_id not in self.read]
        async with httpx.AsyncClient(headers=BROWSER, timeout=_PATIENCE) as reader:
            for mail in mails:
                self.read.add(mail.message_id)
                user = mail.to.partition("@")[0]
                if _shop.opens(user):
                    pixel = await reader.get(mail.pixel())
                    assert pixel.status_code == 200, pixel
                if _shop.clicks(user):
                    [link] = mail.links()
                    clicked = await reader.get(link)
                    wanted = "https://shop.example/cart?a=1&b=2"
                    assert (clicked.status_code, clicked.headers["location"]) == (302, wanted), clicked

    def path(self, user: str) -> list[dict[str, Any]]:
        found = self.ask(PATH, id=self.journey_id, user=user)["journey"]["userPaths"]
        return list(found["runs"])


def _calls(rows: list[Row]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each user is identified once, with an e-mail address, just before the first event."""
    known: set[str] = set()
    for row in rows:
        stamp = datetime.fromtimestamp(row.at, UTC)
        if row.user not in known:
            known.add(row.user)
            traits = {"email": f"{row.user}@shop.example", "name": row.user}
            yield (
                "identify",
                {"user_id": row.user, "traits": traits, "timestamp": stamp, "message_id": f"who-{row.user}"},
            )
        yield (
            "track",
            {
                "user_id": row.user,
                "event": row.event,
                "properties": {"platform": row.platform},
                "timestamp": stamp,
                "message_id": f"row-{row.number}",
            },
        )


def differences(found: Figures, wanted: Expected, *, killed: bool) -> list[str]:
    """Where the two disagree. A mail whose outcome a kill cut off may be unknown instead of sent."""
    pairs = {
        "entries": (found.entries, wanted.entries),
        "inside now": (found.inside, wanted.inside),
        "sent or unknown": (found.sent + found.unknown, wanted.mails),
        "reached": (found.reached, wanted.reached),
        "hits": (found.hits, wanted.hits),
        "different buyers": (found.buyers, wanted.buyers),
    }
    if not killed:
        pairs["sent"] = (found.sent, wanted.mails)
        pairs["opened"] = (found.opened, wanted.opened)
        pairs["clicked"] = (found.clicked, wanted.clicked)
    return [f"{name}: GraphQL says {a}, the CSV says {b}" for name, (a, b) in pairs.items() if a != b]


def path_differences(runs: list[dict[str, Any]], wanted: list[_shop.Run]) -> list[str]:
    """One user's path, run by run: when it entered and left, whether by mail, how many conversions."""
    found = [
        (
            _seconds(run["enteredAt"]),
            _seconds(run["endedAt"]),
            any(visit["step"]["key"] == "mail" for visit in run["visits"]),
            len(run["conversions"]),
        )
        for run in sorted(runs, key=lambda run: run["enteredAt"])
    ]
    computed = [(run.entered, run.left, run.mailed, run.purchases) for run in wanted]
    return [] if found == computed else [f"path: GraphQL says {found}, the CSV says {computed}"]


def _seconds(stamp: str | None) -> int | None:
    return None if stamp is None else int(datetime.fromisoformat(stamp).timestamp())


def send_with_kills(replay: Replay, rows: list[Row], kills: int, chance: random.Random) -> None:
    """Kills the server at random moments of the sending, starts it again, and sends the tail again."""
    import threading

    sending = threading.Thread(target=replay.send, args=(rows,))
    sending.start()
    for _ in range(kills):
        time.sleep(chance.uniform(0.1, 1.2))
        replay.server.kill()
        replay.server.start()
    sending.join()
    replay.send(rows[len(rows) // 2 :])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, help="the shop's CSV, gzipped")
    parser.add_argument("--users", type=int, help="only the first so many users")
    parser.add_argument("--kills", type=int, default=0, help="how often the server is killed on the way")
    parser.add_argument("--draw", choices=MIDDLES, default="split", help="how the journey is drawn")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    rows = _shop.read(given.file, given.users)
    wanted = _shop.expected(rows)
    print(f"{len(rows):,} events; the CSV alone says: {_told(wanted)}")
    with tempfile.TemporaryDirectory() as folder, Mailbox() as mailbox:
        server = Server(Path(folder), "--clock", "events", zone="Asia/Seoul")
        server.start()
        try:
            wrong = run(Replay(server, mailbox, given.draw), rows, wanted, given.kills, given.seed)
            for command in (("recount", "--check"), ("doctor", "--clock", "events")):
                done = server.run(*command)
                print(f"sojourn {' '.join(command)}: {done.stdout.strip().splitlines()[-1]}")
                wrong += [f"sojourn {' '.join(command)} failed"] if done.returncode else []
            print(f"peak memory of the server: {server.peak_memory_mb():.0f} MB")
        finally:
            server.stop()
    for line in wrong:
        print(f"DIFFERENT  {line}")
    print("Every figure is as the CSV says." if not wrong else f"{len(wrong)} difference(s).")
    sys.exit(bool(wrong))


def run(replay: Replay, rows: list[Row], wanted: Expected, kills: int, seed: int) -> list[str]:
    """Sends, reads, compares; sends all of it again, and compares again."""
    replay.prepare()
    started = time.perf_counter()
    if kills:
        send_with_kills(replay, rows, kills, random.Random(seed))
    else:
        replay.send(rows)
    print(f"sent through the SDK in {time.perf_counter() - started:.1f} s")
    replay.settled()
    asyncio.run(replay.read_mails())
    found = replay.settled()
    print(f"GraphQL says: {found}")
    wrong = differences(found, wanted, killed=kills > 0)
    user = max(wanted.paths, key=lambda name: (len(wanted.paths[name]), name))
    wrong += path_differences(replay.path(user), wanted.paths[user])
    wrong += [f"mail {name} arrived twice" for name in replay.mailbox.doubles()]
    replay.send(rows)
    again = replay.settled()
    if again != found:
        wrong.append(f"sent twice: {again}, before: {found}")
    return wrong


def _told(wanted: Expected) -> str:
    names = ("entries", "inside", "mails", "opened", "clicked", "reached", "hits", "buyers")
    return ", ".join(f"{name} {getattr(wanted, name)}" for name in names)


if __name__ == "__main__":
    main()
