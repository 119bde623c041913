"""What the texts of a step ask for that only some entries bring: a coupon, the line of an uploaded list.

An entry *binds* a scope when everybody who comes in by it brings that along. A step whose texts ask for a
scope that some entry before it does not bind would have nothing to say.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum

from .graph import Graph
from .steps import EntryAudience, EntryEvent, Step

_TAG = re.compile(r"\{[{%](.*?)[%}]\}", re.DOTALL)
_QUOTED = re.compile(r"""\.?\[?\s*("[^"]*"|'[^']*')""")
_ROW = re.compile(r"""(?<![\w.])row(?:\.([^\W\d]\w*)|\[\s*(?:"([^"]*)"|'([^']*)')\s*\])""")
_COUPON_EVENTS = ("coupon", "쿠폰")


class Scope(StrEnum):
    """Beside what is always there: the user, the event, the journey, the project."""

    COUPON = "coupon"
    """`{{ coupon.code }}`"""
    UPLOAD = "upload"
    """`{{ row.… }}`"""


_NAMES = {
    Scope.COUPON: re.compile(r"(?<![\w.])coupon\b"),
    Scope.UPLOAD: re.compile(r"(?<![\w.])row\b"),
}


def asked_by(texts: Iterable[str]) -> frozenset[Scope]:
    """The scopes of which these Liquid texts show something."""
    tags = [_QUOTED.sub(" ", tag) for tag in _tags(texts)]
    return frozenset(scope for scope, name in _NAMES.items() if any(name.search(tag) for tag in tags))


def row_names(texts: Iterable[str]) -> frozenset[str]:
    """The columns of an uploaded line that these texts show."""
    found = (names for tag in _tags(texts) for names in _ROW.findall(tag))
    return frozenset("".join(names) for names in found)


def is_about_coupon(event: str) -> bool:
    """Whether an event of this name tells of a coupon, as its name says."""
    return any(word in event.casefold() for word in _COUPON_EVENTS)


def bound_by(entry: Step, is_coupon_event: Callable[[str], bool] = is_about_coupon) -> frozenset[Scope]:
    """What everybody brings along who comes in here."""
    if isinstance(entry, EntryEvent) and is_coupon_event(entry.event):
        return frozenset({Scope.COUPON})
    if not isinstance(entry, EntryAudience):
        return frozenset()
    brought = {Scope.UPLOAD: entry.list, Scope.COUPON: entry.coupon}
    return frozenset(scope for scope, what in brought.items() if what)


def entries_to(graph: Graph, step_key: str) -> list[Step]:
    """The entries from which a run can come to this step. The graph has to be sound."""
    before: dict[str, set[str]] = {}
    for edge in graph.edges:
        before.setdefault(edge.target, set()).add(edge.source)
    reached, frontier = {step_key}, [step_key]
    while frontier:
        fresh = before.get(frontier.pop(), set()) - reached
        reached |= fresh
        frontier += fresh
    return [entry for entry in graph.all_entries if entry.key in reached]


def _tags(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield from _TAG.findall(text)
