"""The screens of a journey again, every figure of them from SQL over the facts."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from .days import BEGINNINGS
from .facts import Asked, Facts
from .screens import INTERVALS, METRICS

Json = dict[str, Any]

SENT_OF = ("DELIVERED", "BOUNCED", "OPENED", "CLICKED", "UNSUBSCRIBED", "COMPLAINED", "REPLIED", "SHOWN",
           "INTERACTED", "DISMISSED")  # fmt: skip
QUEUED_OF = ("SENT", "FAILED", "SKIPPED", "UNKNOWN")
OF_PEOPLE = {"SENT": "sent", "OPENED": "opened", "OPENS": "opened", "CLICKED": "clicked", "CLICKS": "clicked"}
ACTORS = ("human", "machine", "unsure")
FAMILIES = ("failed", "bounced", "skipped", "unknown")
TOLD_APART = ("OPENED", "CLICKED")
"""Counted as a whole, without a reason, and once more for each kind of actor."""


def rate(count: int, of: int) -> Json:
    return {"count": count, "of": of, "rate": count / of if of else None}


def money(shown: Json | None, amount: int) -> Json | None:
    """None where the goal names no amount, which is nothing that can be counted."""
    return None if shown is None else {"amount": str(Decimal(amount) / 10_000)}


class Recounted:
    """The screens that a question would show. What there is to show is taken from `shown`, no figure is."""

    def __init__(self, facts: Facts, asked: Asked, zone: str, shown: Json) -> None:
        self.facts, self.asked, self.zone, self.shown = facts, asked, zone, shown

    def screens(self) -> Json:
        return {
            "audience": self._audience(),
            "performance": [self._goal(one) for one in self._goals()],
            "communications": [self._channel(one) for one in self._channels()],
            "steps": [self._step(one) for one in self._steps()],
            "edges": [self._edge(one) for one in self.shown["edges"]],
            "holdout": self._holdout(),
            **dict(self._series()),
        }

    def _count(self, metric: str, **where: str | None) -> int:
        return self.facts.count(self.asked, metric, **where)

    def _people(self, what: str, **where: str) -> int | None:
        return None if self.asked.version is not None else self.facts.people(self.asked, what, **where)

    # What there is

    def _goals(self) -> list[Json]:
        """Those that are shown, and any other that a hit tells of."""
        return self._with_others(self.shown["performance"], "goal", self._known("hits", "output"))

    def _steps(self) -> list[Json]:
        known = self._known("arrivals", "step_key") | self._known("queued", "step_key")
        return self._with_others(self.shown["steps"], "step", known)

    def _channels(self) -> list[Json]:
        shown = self.shown["communications"]
        missing = self._known("queued", "channel") - {one["channel"].lower() for one in shown}
        return [*shown, *({"channel": one.upper(), "metrics": [], "messages": []} for one in missing)]

    def _known(self, metric: str, column: str) -> set[str]:
        return set(self.facts.by(self.asked, metric, column))

    def _with_others(self, shown: list[Json], name: str, known: Iterable[str]) -> list[Json]:
        missing = set(known) - {one[name]["key"] for one in shown}
        return [*shown, *({name: {"key": one}} for one in sorted(missing))]

    # Who came, and what for

    def _audience(self) -> Json:
        movements = {name: self._count(metric) for name, metric in
                     (("entries", "entries"), ("ended", "ended"), ("movedIn", "moved_in"),
                      ("movedOut", "moved_out"))}  # fmt: skip
        return {
            **movements,
            "users": self._people("entered"),
            "insideNow": self.facts.waiting(self.asked),
            "endedBy": self._ends(),
            "refused": [
                {"reason": reason.upper(), "count": n}
                for reason, n in self.facts.by(self.asked, "refused", "reason").items()
            ],
        }

    def _ends(self, **where: str) -> list[Json]:
        whole = self._count("ended", **where)
        return [
            {"reason": reason.upper(), "count": n, "share": rate(n, whole)}
            for reason, n in self.facts.by(self.asked, "ended", "reason", **where).items()
        ]

    def _goal(self, shown: Json) -> Json:
        key = shown["goal"]["key"]
        runs, users = self._count("reached", output=key), self._people("reached", output=key)
        entered = self._people("entered")
        return {
            "goal": {"key": key},
            "reached": {"total": runs, "users": users},
            "hits": self._count("hits", output=key),
            "perRun": rate(runs, self._count("entries")),
            "perUser": None if users is None or entered is None else rate(users, entered),
            "revenue": money(shown.get("revenue"), self.facts.amount(self.asked, "hits", output=key)),
            "firstRevenue": money(
                shown.get("firstRevenue"), self.facts.amount(self.asked, "reached", output=key)
            ),
        }

    # What was sent

    def _channel(self, shown: Json) -> Json:
        where = {"channel": shown["channel"].lower()}
        messages = self._with_others(
            shown["messages"], "step", self.facts.by(self.asked, "queued", "step_key", **where)
        )
        return {
            "channel": shown["channel"],
            "metrics": [self._metric(one, **where) for one in shown["metrics"]],
            "messages": [
                {
                    "step": {"key": one["step"]["key"]},
                    "metrics": [
                        self._metric(metric, **where, step_key=one["step"]["key"])
                        for metric in one.get("metrics", ())
                    ],
                    "issues": self._issues(**where, step_key=one["step"]["key"]),
                }
                for one in messages
            ],
            "issues": self._issues(**where),
        }

    def _metric(self, shown: Json, **where: str) -> Json:
        name = shown["metric"]
        metric = name.lower()
        total = self._count(metric, **where, reason="" if name in TOLD_APART else None)
        if not shown["observable"] and not total:
            return shown
        by_actor = name in TOLD_APART or name in ("OPENS", "CLICKS")
        return {
            "metric": name,
            "observable": True,
            "tally": {
                "total": total,
                "users": self._people(OF_PEOPLE[name], **where) if name in OF_PEOPLE else None,
            },
            "share": self._share(name, total, where),
            **{one: self._count(metric, **where, reason=one) if by_actor else None for one in ACTORS},
        }

    def _share(self, name: str, total: int, where: dict[str, str]) -> Json | None:
        if name in QUEUED_OF:
            return rate(total, self._count("queued", **where))
        return rate(total, self._count("sent", **where)) if name in SENT_OF else None

    def _issues(self, **where: str) -> list[Json]:
        whole = self._count("queued", **where)
        return [
            {"family": family.upper(), "reason": reason.upper(), "share": rate(n, whole)}
            for family in FAMILIES
            for reason, n in self.facts.by(self.asked, family, "reason", **where).items()
        ]

    # The canvas

    def _step(self, shown: Json) -> Json:
        key = shown["step"]["key"]
        where = {"step_key": key}
        arrivals = self._count("arrivals", **where)
        dropped = sum(self._count("ended", **where, reason=one) for one in ("internal_error", "send_error"))
        sends = shown.get("sent") is not None or self._count("queued", **where) > 0
        lost = sum(self._count(one, **where) for one in ("failed", "bounced", "skipped"))
        return {
            "step": {"key": key},
            "arrivals": {"total": arrivals, "users": self._people("arrived", **where)},
            "waitingNow": self.facts.waiting(self.asked, **where),
            "left": self._count("left", **where),
            "movedIn": self._count("moved_in", **where),
            "movedOut": self._count("moved_out", **where),
            "endedHere": self._ends(**where),
            "dropOffs": rate(dropped, arrivals),
            "ofEntries": rate(arrivals, self._count("entries")),
            **{
                name: self._metric(shown.get(name) or _observable(name), **where) if sends else None
                for name in ("sent", "opened", "clicked")
            },
            "notSent": rate(lost, self._count("queued", **where)) if sends else None,
            "credited": [self._credit(one, key) for one in shown.get("credited") or ()] if sends else None,
        }

    def _credit(self, shown: Json, key: str) -> Json:
        where = {"step_key": key, "output": shown["goal"]["key"]}
        return {
            "goal": shown["goal"],
            "afterOpen": self._count("credited", **where, reason="opened"),
            "afterSend": self._count("credited", **where, reason="sent"),
            "assisted": self._count("assisted", **where),
            "revenue": money(shown["revenue"], self.facts.amount(self.asked, "credited", **where)),
        }

    def _edge(self, shown: Json) -> Json:
        where = {"step_key": shown["edge"]["from"], "output": shown["edge"]["output"]}
        passed = {"total": self._count("left", **where), "users": self._people("left", **where)}
        return {"edge": shown["edge"], "passed": passed}

    def _holdout(self) -> Json | None:
        return None if self.shown["holdout"] is None else {"entries": self._count("held_out")}

    # Over time

    def _series(self) -> Iterator[tuple[str, list[Json]]]:
        for metric in METRICS:
            whole = "reason = ''" if metric in TOLD_APART else "1"
            points = self.facts.points(self.asked, metric.lower(), whole)
            for by in INTERVALS:
                if f"{metric}_{by}" in self.shown:
                    yield f"{metric}_{by}", self._points(points, by)

    def _points(self, points: Iterable[tuple[int, int]], by: str) -> list[Json]:
        found: defaultdict[int, list[int]] = defaultdict(list)
        for at, amount in points:
            found[BEGINNINGS[by](at, self.zone)].append(amount)
        return [
            {
                "at": datetime.fromtimestamp(at / 1000, UTC).isoformat(),
                "count": len(amounts),
                "amount": str(Decimal(sum(amounts)) / 10_000),
            }
            for at, amounts in sorted(found.items())
        ]


def _observable(name: str) -> Json:
    return {"metric": name.upper(), "observable": True}
