"""Steps that wait, ask and lead elsewhere, made of their plain data."""

from typing import Any

import strawberry

from server.journey.steps.wait import NOT_TRIGGERED

from .flow_steps import (
    AttributeChange,
    GoToJourneyStep,
    ReachabilityStep,
    Trigger,
    TriggerBranch,
    UpdateUserStep,
    WaitStep,
)
from .predicates import predicates
from .steps import Step
from .words import Match, Purpose

Data = dict[str, Any]


def to_wait(item: Data, common: Data) -> Step:
    branches = [_branch(one) for one in item.get("branches") or ()]
    common["outputs"] = [*(branch.output for branch in branches), NOT_TRIGGERED]
    return WaitStep(
        **common,
        longest_seconds=item["longest_ms"] // 1000,
        branches=branches,
        always_full=bool(item.get("always_full")),
    )


def _branch(item: Data) -> TriggerBranch:
    return TriggerBranch(
        output=item["output"],
        match=Match(item.get("match") or "any"),
        events=[Trigger(event=one["event"], where=predicates(one)) for one in item.get("events") or ()],
    )


def to_update_user(item: Data, common: Data) -> Step:
    changes = [
        AttributeChange(
            attribute=one["attribute"],
            value=one.get("value"),
            property=one.get("property"),
            forget=bool(one.get("forget")),
        )
        for one in item.get("changes") or ()
    ]
    return UpdateUserStep(**common, changes=changes)


def to_reachability(item: Data, common: Data) -> Step:
    common["outputs"] = ["reachable", "not_reachable"]
    purpose = Purpose(item.get("purpose") or Purpose.INFORMATION.value)
    return ReachabilityStep(**common, channel=item["channel"], purpose=purpose)


def to_go_to_journey(item: Data, common: Data) -> Step:
    return GoToJourneyStep(**{**common, "outputs": []}, journey_id=strawberry.ID(item["journey"]))


FLOW_STEPS: list[type[Step]] = [WaitStep, UpdateUserStep, ReachabilityStep, GoToJourneyStep]
FLOW_KINDS = {
    "wait": to_wait,
    "update_user": to_update_user,
    "reachability": to_reachability,
    "go_to_journey": to_go_to_journey,
}
