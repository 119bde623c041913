"""Comparisons, made of their plain data."""

from typing import Any

from .steps import Did, Predicate
from .words import Operator

Data = dict[str, Any]


def predicates(item: Data) -> list[Predicate]:
    return [predicate(one) for one in item.get("where") or ()]


def predicate(item: Data) -> Predicate:
    return Predicate(name=item["name"], operator=Operator(item["operator"]), value=item.get("value"))


def to_did(item: Data) -> Did:
    within = item.get("within_ms")
    return Did(
        event=item["event"],
        where=predicates(item),
        within_seconds=None if within is None else within // 1000,
        ever=bool(item.get("ever")),
        at_least=item.get("at_least", 1),
        at_most=item.get("at_most"),
    )
