"""People that are made up: named or by the dozen, reachable on what a graph sends through."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from server.clock import Instant
from server.journey.graph import Graph
from server.journey.steps import MessageStep

from .plan import Act, Address, Person, Plan

_BY_USER_ID = ("in_app", "webhook")
_BY_PHONE = ("sms", "whatsapp", "kakao")


def channels_of(graph: Graph) -> list[str]:
    """Every channel that a graph sends through."""
    found = (step.channel for step in graph.steps.values() if isinstance(step, MessageStep))
    return list(dict.fromkeys(found))


def addresses_of(name: str, number: int, channels: Iterable[str], takes: Mapping[str, str]) -> list[Address]:
    """Where a made-up person is reached: one address a channel, which is nobody's.

    `takes` are the schemes of addresses, by channel, of what sends there.
    """
    return [
        Address(channel, made_up_address(channel, number, takes.get(channel, "")))
        for channel in dict.fromkeys(channels)
        # Where a user's id is the address, nothing is kept.
        if channel not in _BY_USER_ID
    ]


def made_up_address(channel: str, number: int, scheme: str = "") -> str:
    """An address that exists nowhere: RFC 2606 keeps `.invalid` free, and no number begins with +999."""
    if channel == "email":
        return f"person-{number}@rehearsal.invalid"
    if channel in _BY_PHONE:
        return f"+999{number:09d}"
    return f"{scheme or ('fcm:' if channel == 'push' else '')}person-{number}"


def arriving(plan: Plan, event: str, properties: Mapping[str, Any], within_ms: int) -> list[Person]:
    """The plan's people, each doing this once, some time within so long after the start.

    Who has something to do already does only that.
    """
    return [
        one if one.acts else replace(one, acts=[Act(_when(plan, one.name, within_ms), event, properties)])
        for one in plan.people
    ]


def _when(plan: Plan, name: str, within_ms: int) -> Instant:
    return plan.start + 1 + int(plan.draw("arrives", name) * within_ms)


def first_event(graph: Graph) -> str:
    """The event by which most journeys are entered; empty if this one has no entry by event."""
    return next((entry.event for entry in graph.entries if getattr(entry, "event", "")), "")


def schemes(connections: Sequence[Any]) -> dict[str, str]:
    """By channel: the scheme of the addresses that the preferred connection takes."""
    found: dict[str, str] = {}
    for one in sorted(connections, key=lambda one: one.preference):
        if one.is_enabled:
            found.setdefault(one.channel, one.takes)
    return found
