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

OF_SENT = ("DELIVERED", "BOUNCED", "OPENED", "CLICKED", "UNSUBSCRIBED", "COMPLAINED", "REPLIED", "SHOWN",
           "INTERACTED", "DISMISSED", "FALLBACK_SENT")  # fmt: skip
OF_QUEUED = ("SENT", "FAILED", "SKIPPED", "UNKNOWN")
OF_DELIVERED = ("OPENED", "CLICKED", "UNSUBSCRIBED", "COMPLAINED", "REPLIED", "SHOWN")
EVERY_TIME = {"OPENED": "opens", "CLICKED": "clicks"}
OF_PEOPLE = {"SENT": "sent", "OPENED": "opened", "OPENS": "opened", "CLICKED": "clicked", "CLICKS": "clicked"}
ACTORS = ("human", "machine", "unsure")
FAMILIES = ("failed", "bounced", "skipped", "unknown")
TOLD_APART = ("OPENED", "CLICKED")
"""Counted as a whole, without a reason, and once more for each kind of actor."""


def rate(count: int, of: int) -> Json:
    return {"count": count, "of": of, "rate": count / of if of else None}


def money(shown: Json | None, amount: int, per: int = 1) -> Json | None:
    """None where the goals name no amount, which is nothing that can be counted, and for each of none."""
    if shown is None or not per:
        return None
    return {"amount": str(Decimal(round(Decimal(amount) / per)) / 10_000)}


class Recounted:
    """The screens that a question would show. What there is to show is taken from `shown`, no figure is."""

    def __init__(self, facts: Facts, asked: Asked, zone: str, shown: Json) -> None:
        self.facts, self.asked, self.zone, self.shown = facts, asked, zone, shown

    def screens(self) -> Json:
        return {
            "audience": self._audience(),
            "performance": [self._goal(one) for one in self._goals()],
            "health": self._health(),
            "holdout": self.shown["holdout"] and {"entries": self._count("held_out")},
            "communications": [self._channel(one) for one in self._channels()],
            "steps": [self._step(one) for one in self._steps()],
            "edges": [self._edge(one) for one in self.shown["edges"]],
            **dict(self._series()),
        }

    def _count(self, metric: str, **where: str | None) -> int:
        return self.facts.count(self.asked, metric, **where)

    def _people(self, what: str, **where: str) -> int:
        return self.facts.people(self.asked, what, **where)

    # What there is: whatever is shown, and any other that the facts tell of

    def _goals(self) -> list[Json]:
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
        entries, ended = self._count("entries"), self._count("ended")
        users = self._people("entered")
        came = entries + self._count("refused") + self._count("held_out")
        recipients = self._people("sent")
        return {
            "entries": entries,
            "users": users,
            "triggered": came,
            "heldOut": self._count("held_out"),
            "insideNow": self.facts.waiting(self.asked),
            "ended": ended,
            "movedIn": self._count("moved_in"),
            "movedOut": self._count("moved_out"),
            "refused": [
                {"reason": reason.upper(), "count": n, "share": rate(n, came)}
                for reason, n in self.facts.by(self.asked, "refused", "reason").items()
            ],
            "insideByStep": self._inside(),
            "endedBy": self._ends(),
            "completed": rate(self._count("ended", reason="completed"), ended),
            "leftEarly": self._left_early(),
            "dropOffs": self._dropped(entries),
            "messaged": rate(recipients, users),
        }

    def _inside(self) -> list[Json]:
        whole = self.facts.waiting(self.asked)
        return [
            {"step": {"key": key}, "count": n, "share": rate(n, whole)}
            for key, n in self.facts.waiting_by_step(self.asked).items()
        ]

    def _ends(self, **where: str) -> list[Json]:
        whole = self._count("ended", **where)
        return [
            {"reason": reason.upper(), "count": n, "share": rate(n, whole)}
            for reason, n in self.facts.by(self.asked, "ended", "reason", **where).items()
        ]

    def _left_early(self, **where: str) -> Json:
        by = self.facts.by(self.asked, "ended", "reason", **where)
        ended = sum(by.values())
        early = {
            name: n for name, n in by.items() if name not in ("completed", "internal_error", "send_error")
        }
        goal, cancel = early.pop("goal", 0), early.pop("cancel_event", 0)
        count = goal + cancel + sum(early.values())
        return {"count": count, "goal": goal, "cancelEvent": cancel, "otherwise": sum(early.values()),
                "share": rate(count, ended)}  # fmt: skip

    def _dropped(self, whole: int, **where: str) -> Json:
        internal = self._count("ended", **where, reason="internal_error")
        send = self._count("ended", **where, reason="send_error")
        return {**rate(internal + send, whole), "internal": internal, "send": send}

    def _goal(self, shown: Json) -> Json:
        key = shown["goal"]["key"]
        runs, hits = self._count("reached", output=key), self._count("hits", output=key)
        entered = self._people("entered")
        users = self._people("reached", output=key)
        worth = self.facts.amount(self.asked, "hits", output=key)
        after_open = self._count("credited", output=key, reason="opened")
        after_send = self._count("credited", output=key, reason="sent")
        return {
            "goal": {"key": key},
            "hits": hits,
            "reached": {"total": runs, "users": users},
            "perRun": rate(runs, self._count("entries")),
            "perUser": rate(users, entered),
            "credit": {
                "afterOpen": rate(after_open, hits),
                "afterSend": rate(after_send, hits),
                "uncredited": rate(hits - after_open - after_send, hits),
            },
            "revenue": money(shown.get("revenue"), worth),
            "firstRevenue": money(
                shown.get("firstRevenue"), self.facts.amount(self.asked, "reached", output=key)
            ),
            "averageOrderValue": money(shown.get("revenue"), worth, hits),
            "revenuePerRecipient": money(shown.get("revenue"), worth, self._people("sent")),
        }

    def _health(self) -> Json:
        entries = self._count("entries")
        seen = [one["channel"].lower() for one in self.shown["communications"] if _tells_of_opens(one)]
        opened = sum(self._count("opened", channel=one, reason="") for one in seen)
        return {
            "entries": {"total": entries, "users": self._people("entered")},
            "sent": self._count("sent"),
            "sentByChannel": [
                {"channel": channel.upper(), "count": n}
                for channel, n in self.facts.by(self.asked, "sent", "channel").items()
            ],
            "opened": rate(opened, sum(self._count("sent", channel=one) for one in seen)) if seen else None,
            "dropOffs": self._dropped(entries),
            "endedBy": self._ends(),
            "goalsReached": self._count("reached"),
        }

    # What was sent

    def _channel(self, shown: Json) -> Json:
        where = {"channel": shown["channel"].lower()}
        known = self.facts.by(self.asked, "queued", "step_key", **where)
        messages = self._with_others(shown["messages"], "step", known)
        return {
            "channel": shown["channel"],
            **self._messages(shown, **where),
            "messages": [self._message(one, **where, step_key=one["step"]["key"]) for one in messages],
            "issues": self._issues(**where),
        }

    def _message(self, shown: Json, **where: str) -> Json:
        return {
            "step": {"key": shown["step"]["key"]},
            **self._messages(shown, **where),
            "issues": self._issues(**where),
            **self._credits(shown, **where),
        }

    def _messages(self, shown: Json, **where: str) -> Json:
        opened, clicked = (self._count(one, **where, reason="") for one in ("opened", "clicked"))
        can_tell = shown.get("clickToOpen") is not None or (opened and clicked)
        return {
            "metrics": [self._metric(one, **where) for one in shown.get("metrics", ())],
            "clickToOpen": rate(clicked, opened) if can_tell else None,
            "notSent": self._not_sent(**where),
        }

    def _not_sent(self, **where: str) -> Json:
        lost = sum(self._count(one, **where) for one in ("failed", "bounced", "skipped"))
        return rate(lost, self._count("queued", **where))

    def _metric(self, shown: Json, **where: str) -> Json:
        name = shown["metric"]
        once = "opened" if name == "OPENS" else "clicked" if name == "CLICKS" else name.lower()
        apart = name in OF_PEOPLE and name != "SENT"
        unique = self._count(once, **where, reason="" if apart else None)
        if not shown["observable"] and not unique:
            return shown
        by = {one: self._count(name.lower(), **where, reason=one) if apart else None for one in ACTORS}
        share = self._share(name, unique, where)
        return {
            "metric": name,
            "observable": True,
            "total": self._count(EVERY_TIME.get(name, name.lower()), **where),
            "unique": unique,
            "users": self._readers(name, where),
            **by,
            "share": share,
            "ofDelivered": self._of_delivered(shown, name, unique, where),
            "humanShare": rate(by["human"], share["of"]) if share and by["human"] is not None else None,
        }

    def _readers(self, name: str, where: dict[str, str]) -> int | None:
        """Sets know steps, not channels: of a step that has had two, they cannot tell which."""
        if name not in OF_PEOPLE or ("channel" in where and self._is_mixed(where)):
            return None
        return self._people(OF_PEOPLE[name], **where)

    def _is_mixed(self, where: dict[str, str]) -> bool:
        channels: defaultdict[str, set[str]] = defaultdict(set)
        for channel in self.shown["communications"]:
            for message in channel["messages"]:
                channels[message["step"]["key"]].add(channel["channel"].lower())
        return any(
            len(found) > 1
            for key, found in channels.items()
            if where["channel"] in found and key == where.get("step_key", key)
        )

    def _share(self, name: str, count: int, where: dict[str, str]) -> Json | None:
        if name in OF_QUEUED:
            return rate(count, self._count("queued", **where))
        if name == "FALLBACK_DELIVERED":
            return rate(count, self._count("fallback_sent", **where))
        return rate(count, self._count("sent", **where)) if name in OF_SENT else None

    def _of_delivered(self, shown: Json, name: str, count: int, where: dict[str, str]) -> Json | None:
        delivered = self._count("delivered", **where)
        if name not in OF_DELIVERED or (shown.get("ofDelivered") is None and not delivered):
            return None
        return rate(count, delivered)

    def _issues(self, **where: str) -> list[Json]:
        whole = self._count("queued", **where)
        return [
            {"family": family.upper(), "reason": reason.upper(), "count": n, "share": rate(n, whole)}
            for family in FAMILIES
            for reason, n in self.facts.by(self.asked, family, "reason", **where).items()
        ]

    def _credits(self, shown: Json, **where: str) -> Json:
        return {
            "conversion": self._credit(shown.get("conversion"), **where),
            "credited": [
                {"goal": one["goal"], **self._credit(one, **where, output=one["goal"]["key"])}
                for one in shown.get("credited") or ()
            ],
        }

    def _credit(self, shown: Json | None, **where: str) -> Json:
        shown = shown or {}
        after_open, after_send = (self._count("credited", **where, reason=one) for one in ("opened", "sent"))
        total, worth = after_open + after_send, self.facts.amount(self.asked, "credited", **where)
        sent = self._count("sent", **{name: value for name, value in where.items() if name != "output"})
        first_open, first_send = (
            self._count("credited_first", **where, reason=one) for one in ("opened", "sent")
        )
        return {
            "total": total,
            "afterOpen": after_open,
            "afterSend": after_send,
            "assisted": self._count("assisted", **where),
            "unique": first_open + first_send,
            "uniqueAfterOpen": first_open,
            "share": rate(first_open + first_send, sent),
            "shareAfterOpen": rate(first_open, sent),
            "revenue": money(shown.get("revenue"), worth),
            "averageOrderValue": money(shown.get("revenue"), worth, total),
            "revenuePerMessage": money(shown.get("revenue"), worth, sent),
        }

    # The canvas

    def _step(self, shown: Json) -> Json:
        key = shown["step"]["key"]
        where = {"step_key": key}
        arrivals, entries = self._count("arrivals", **where), self._count("entries")
        return {
            "step": {"key": key},
            "arrivals": {"total": arrivals, "users": self._people("arrived", **where)},
            "waitingNow": self.facts.waiting(self.asked, **where),
            "left": self._count("left", **where),
            "movedIn": self._count("moved_in", **where),
            "movedOut": self._count("moved_out", **where),
            "endedHere": self._ends(**where),
            "dropOffs": self._dropped(arrivals, **where),
            "leftEarly": self._left_early(**where),
            "ofEntries": rate(arrivals, entries),
            "ofPrevious": self._of_previous(key, arrivals),
            **self._sending(shown, **where),
        }

    def _of_previous(self, key: str, arrivals: int) -> Json | None:
        previous = self.facts.leading_to(self.asked, key)
        if not previous:
            return None
        return rate(arrivals, sum(self._count("arrivals", step_key=one) for one in previous))

    def _sending(self, shown: Json, **where: str) -> Json:
        sends = shown.get("sent") is not None or self._count("queued", **where) > 0
        if not sends:
            return {name: None for name in ("sent", "opened", "clicked", "notSent", "issues", "conversion",
                                            "credited")}  # fmt: skip
        return {
            **{
                name: self._metric(shown.get(name) or {"metric": name.upper(), "observable": True}, **where)
                for name in ("sent", "opened", "clicked")
            },
            "notSent": self._not_sent(**where),
            "issues": self._issues(**where),
            **self._credits(shown, **where),
        }

    def _edge(self, shown: Json) -> Json:
        where = {"step_key": shown["edge"]["from"], "output": shown["edge"]["output"]}
        passed = self._count("left", **where)
        return {
            "edge": {"from": where["step_key"], "output": where["output"]},
            "passed": {"total": passed, "users": self._people("left", **where)},
            "ofArrivals": rate(passed, self._count("arrivals", step_key=where["step_key"])),
            "ofEntries": rate(passed, self._count("entries")),
        }

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


def _tells_of_opens(channel: Json) -> bool:
    return any(one["metric"] == "OPENED" and one["observable"] for one in channel["metrics"])
