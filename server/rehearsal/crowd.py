"""People that are made up: named or by the dozen, reachable on what a graph sends through."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from server.alimtalk.declaration import BENEFIT_NOTICE
from server.journey.graph import Graph
from server.journey.steps import EntryApi, MessageStep, stand_in

from .plan import Act, Address, Agreement, Person, Plan

_BY_USER_ID = ("in_app", "webhook")
_BY_PHONE = ("sms", "whatsapp", "kakao", "brand_message")


def channels_of(graph: Graph) -> list[str]:
    """Every channel that a graph sends through."""
    return list(dict.fromkeys(step.channel for step in sending(graph)))


def sending(graph: Graph) -> list[MessageStep]:
    """Its message steps, and behind each what stands in for it."""
    found: list[MessageStep] = []
    for step in graph.steps.values():
        if isinstance(step, MessageStep):
            found += [one for one in (step, stand_in(step)) if one is not None]
    return found


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


def agreements(plan: Plan) -> tuple[Agreement, ...]:
    """What made-up people have agreed to: what templates of the project may demand of them."""
    return (Agreement("kakao", BENEFIT_NOTICE, True),) if plan.templates else ()


def arriving(plan: Plan, act: Act, within_ms: int) -> list[Person]:
    """The plan's people, each doing this once, some time within so long after it could be.

    Who has something to do already does only that.
    """
    return [
        one if one.acts else replace(one, acts=[_drawn(plan, one, act, within_ms)]) for one in plan.people
    ]


def _drawn(plan: Plan, person: Person, act: Act, within_ms: int) -> Act:
    return replace(act, at=act.at + int(plan.draw("arrives", person.name) * within_ms))


def usual_way_in(graph: Graph) -> tuple[str, str]:
    """The event by which a journey is entered, or else the entry by which the API lets people in.

    Neither where only an audience comes in: that comes by itself.
    """
    event = next((entry.event for entry in graph.entries), "")
    by_api = (step.key for step in graph.all_entries if isinstance(step, EntryApi))
    return event, "" if event else next(by_api, "")


def schemes(connections: Sequence[Any]) -> dict[str, str]:
    """By channel: the scheme of the addresses that the preferred connection takes."""
    found: dict[str, str] = {}
    for one in sorted(connections, key=lambda one: one.preference):
        if one.is_enabled:
            found.setdefault(one.channel, one.takes)
    return found
