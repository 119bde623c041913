"""What came of a rehearsal, as tables for people and as data for programs."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from server.aggregates.metrics import Metric
from server.clock import to_datetime

if TYPE_CHECKING:
    from server.rehearsal.rehearse import Rehearsed
    from server.rehearsal.traces import MessageTrace, PersonTrace, RunTrace

_SHOWN = 5
"""People whose way is shown unless somebody is named."""
_LONGEST_TEXT = 72


def tell(found: "Rehearsed", names: Sequence[str]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    plan = found.plan
    console.print(f"[bold]{plan.title}[/]: {_time(plan.start)} to {_time(found.reached_at)}, {plan.zone}")
    if not found.is_complete:
        console.print("[red]Its time was over before it was: the figures are true up to there.[/]")
    console.print(
        f"{len(found.people)} people, {found.entries} entries, {found.inside} inside, "
        f"ended: {_counts(found.ended)}; refused: {_counts(found.refused)}; goals: {_counts(found.reached)}"
    )
    console.print(_canvas(found))
    if found.messages:
        console.print(_messages(found.messages))
    for one in plan.notes:
        console.print(f"[yellow]{escape(one)}[/]")
    for one in found.troubles:
        console.print(f"[red]The engine had to put something aside:[/] {one}")
    for person in _chosen(found, names):
        for line in _way(person):
            console.print(line, markup=False)


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"


def _canvas(found: "Rehearsed") -> Table:
    table = Table("step", "kind", "arrived", "waiting", "left by", "ended")
    for item in found.plan.graph["steps"]:
        key = item["key"]
        left = {one.output: one.n for one in found.answer.of(Metric.LEFT, key) if one.n}
        ended = found.answer.by_reason(Metric.ENDED, key)
        figures = (found.arrivals(key), found.waiting(key))
        table.add_row(key, item["kind"], *map(str, figures), _counts(left), _counts(ended))
    return table


def _messages(messages: "Iterable[MessageTrace]") -> Table:
    table = Table("message step", "channel", "status", "reason", "messages")
    counts = Counter((one.step_key, one.channel, one.status, one.reason) for one in messages)
    for about, count in sorted(counts.items()):
        table.add_row(*about, str(count))
    return table


def _chosen(found: "Rehearsed", names: Sequence[str]) -> "list[PersonTrace]":
    if names:
        return [found[name] for name in names]
    return found.people[:_SHOWN]


def _way(person: "PersonTrace") -> Iterator[str]:
    yield f"\n{person.name}  {dict(person.attributes) or ''}"
    for run in person.runs:
        yield from _run(run)
    for one in person.refusals:
        yield f"  {_time(one.at)}  not let in at {one.entry_key}: {one.reason}"
    if not person.runs and not person.refusals:
        yield "  never came"


def _run(run: "RunTrace") -> Iterator[str]:
    for visit in run.visits:
        went = f"→ {visit.output}" if visit.output else visit.end_reason or "waits"
        if visit.left_at is None and run.waiting_until is not None:
            went += f" until {_time(run.waiting_until)}"
        why = f"  ({visit.because})" if visit.because else ""
        saw = f"  {dict(visit.saw)}" if visit.saw else ""
        yield f"  {_time(visit.arrived_at)}  {visit.step_key:<16} {went}{why}{saw}"
        for message in visit.messages:
            yield from _message(message)
    for hit in run.reached:
        yield f"  {_time(hit.at)}  goal {hit.goal_key}" + (f" worth {hit.amount:g}" if hit.amount else "")


def _message(message: "MessageTrace") -> Iterator[str]:
    fate = " ".join(part for part in (message.status, message.reason, message.detail) if part)
    yield f"      {message.channel} to {message.address or 'nobody'}: {fate}"
    for name, text in message.content.items():
        flat = " ".join(text.split())
        yield f"        {name}: {flat if len(flat) <= _LONGEST_TEXT else flat[:_LONGEST_TEXT] + '…'}"


def _time(at: int) -> str:
    return f"{to_datetime(at):%Y-%m-%d %H:%M:%S}"


def as_data(found: "Rehearsed") -> dict[str, Any]:
    """All of it as plain data, with times as ISO 8601."""
    return {
        "title": found.plan.title,
        "startedAt": _iso(found.plan.start),
        "reachedAt": _iso(found.reached_at),
        "isComplete": found.is_complete,
        "troubles": found.troubles,
        "notes": list(found.plan.notes),
        "entries": found.entries,
        "insideNow": found.inside,
        "endedBy": found.ended,
        "refused": found.refused,
        "reached": found.reached,
        "steps": [_step(found, item) for item in found.plan.graph["steps"]],
        "people": [_person(one) for one in found.people],
    }


def _step(found: "Rehearsed", item: dict[str, Any]) -> dict[str, Any]:
    key = item["key"]
    return {
        "key": key,
        "kind": item["kind"],
        "arrivals": found.arrivals(key),
        "waitingNow": found.waiting(key),
        "leftBy": {one.output: one.n for one in found.answer.of(Metric.LEFT, key) if one.n},
        "endedBy": found.answer.by_reason(Metric.ENDED, key),
    }


def _person(person: "PersonTrace") -> dict[str, Any]:
    return {
        "name": person.name,
        "attributes": dict(person.attributes),
        "runs": [_run_data(run) for run in person.runs],
        "refusals": [
            {"at": _iso(one.at), "stepKey": one.entry_key, "reason": one.reason} for one in person.refusals
        ],
    }


def _run_data(run: "RunTrace") -> dict[str, Any]:
    return {
        "enteredAt": _iso(run.entered_at),
        "eventName": run.event,
        "eventProperties": dict(run.properties),
        "endedAt": _iso(run.ended_at),
        "endReason": run.end_reason or None,
        "waitingUntil": _iso(run.waiting_until),
        "visits": [
            {
                "stepKey": visit.step_key,
                "arrivedAt": _iso(visit.arrived_at),
                "leftAt": _iso(visit.left_at),
                "output": visit.output or None,
                "because": visit.because or None,
                "saw": dict(visit.saw),
                "endReason": visit.end_reason or None,
                "messages": [_message_data(message) for message in visit.messages],
            }
            for visit in run.visits
        ],
        "reached": [
            {"goalKey": hit.goal_key, "at": _iso(hit.at), "amount": hit.amount} for hit in run.reached
        ],
    }


def _message_data(message: "MessageTrace") -> dict[str, Any]:
    return {
        "channel": message.channel,
        "address": message.address,
        "status": message.status,
        "reason": message.reason or None,
        "detail": message.detail or None,
        "decidedAt": _iso(message.decided_at),
        "content": dict(message.content),
        "variables": dict(message.variables),
        "heard": [
            {"kind": one.kind, "at": _iso(one.at), "reason": one.reason or None} for one in message.heard
        ],
    }


def _iso(at: int | None) -> str | None:
    return None if at is None else to_datetime(at).isoformat()
