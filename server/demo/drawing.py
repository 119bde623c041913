"""What journeys are drawn with, as inputs of the GraphQL mutations."""

from itertools import pairwise
from typing import Any

DAY, HOUR = 86_400, 3600

Data = dict[str, Any]


def placed(key: str, title: str, column: int, row: int = 0) -> Data:
    return {"key": key, "title": title, "position": {"x": 240 * column, "y": 160 * row}}


def entry(key: str, title: str, event: str, column: int) -> Data:
    return {"entryEvent": {**placed(key, title, column), "event": event}}


def delay(key: str, title: str, seconds: int, column: int) -> Data:
    return {"delay": {**placed(key, title, column), "durationSeconds": seconds}}


def purchase_within(key: str, title: str, seconds: int, column: int) -> Data:
    """Leaves by `bought` at once, or when that time is over."""
    branch = {"output": "bought", "events": [{"event": "purchase"}]}
    return {"wait": {**placed(key, title, column), "longestSeconds": seconds, "branches": [branch]}}


def split(key: str, title: str, column: int, **branches: Data) -> Data:
    outputs = [{"output": output, "conditions": [condition]} for output, condition in branches.items()]
    return {"split": {**placed(key, title, column), "branches": outputs}}


def finish(key: str, column: int) -> Data:
    return {"exit": placed(key, "끝", column)}


def purchase(key: str, title: str, days: int) -> Data:
    return {
        "key": key,
        "title": title,
        "event": "purchase",
        "windowSeconds": days * DAY,
        "amountProperty": "total",
        "currency": "KRW",
    }


def edge(source: str, target: str, output: str = "next") -> Data:
    return {"from": source, "output": output, "to": target}


def either(step: str, output: str, target: str, otherwise: str) -> list[Data]:
    """Of a step that waits for something: if it happens, and if it does not."""
    without = "not_triggered" if output == "bought" else f"not_{output}"
    return [edge(step, target, output), edge(step, otherwise, without)]


def chain(*keys: str) -> list[Data]:
    return [edge(source, target) for source, target in pairwise(keys)]


def letter(text: str, link: str, label: str) -> str:
    return (
        f'<html><body><p>{text}</p><p><a href="https://shop.example{link}">{label}</a></p>'
        '<p><a href="{{ unsubscribe_url }}">수신 거부</a></p></body></html>'
    )
