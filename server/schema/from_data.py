"""The steps of a stored graph, made of its plain data."""

from typing import Any

import strawberry

from server.journey.steps import MESSAGES, channel_of
from server.journey.steps.sending import key_of
from server.journey.steps.split import OTHERWISE

from .chance_steps import AbSplitStep, RandomSplitStep, ab_split, random_split
from .entry_steps import ENTRY_KINDS, ENTRY_STEPS
from .fallbacks import to_fallback
from .flow_from_data import FLOW_KINDS, FLOW_STEPS
from .named_texts import named_texts
from .outcomes import outcome_of, to_outcome
from .predicates import predicate, predicates, to_did
from .sending_rules import rules_of
from .sending_steps import (
    AlimtalkStep,
    BrandMessageStep,
    EmailStep,
    InAppStep,
    MessageStep,
    PushStep,
    SendingStep,
    SmsStep,
    WebhookStep,
    WhatsappStep,
)
from .steps import (
    Branch,
    Condition,
    EntryEventStep,
    ExitStep,
    InSegment,
    Position,
    SplitStep,
    Step,
)
from .times import DelayStep, TimeWindowStep, to_delay, to_time_window
from .words import ChannelName, Match, Purpose, word

Data = dict[str, Any]

_MESSAGES: dict[str, type[SendingStep]] = {
    "email": EmailStep,
    "push": PushStep,
    "sms": SmsStep,
    "whatsapp": WhatsappStep,
    "alimtalk": AlimtalkStep,
    "brand_message": BrandMessageStep,
    "in_app": InAppStep,
    "webhook": WebhookStep,
    "message": MessageStep,
}

_STEPS: list[type[Step]] = [EntryEventStep, DelayStep, TimeWindowStep, SplitStep]
_BY_CHANCE: list[type[Step]] = [AbSplitStep, RandomSplitStep]
STEPS = [*_STEPS, *ENTRY_STEPS, *_BY_CHANCE, *FLOW_STEPS, *_MESSAGES.values(), ExitStep]


def to_step(item: Data) -> Step:
    """The step in this data; kinds that take more than what all steps have bring their own."""
    position = item.get("position")
    common: Data = {
        "key": strawberry.ID(item["key"]),
        "title": item.get("title") or item["key"],
        "position": Position(x=position["x"], y=position["y"]) if position else None,
        "outputs": ["next"],
    }
    return _KINDS[item["kind"]](item, common)


def _entry_event(item: Data, common: Data) -> Step:
    return EntryEventStep(
        **common,
        event=item["event"],
        where=predicates(item),
        users_in=item.get("users_in") or None,
    )


def _split(item: Data, common: Data) -> Step:
    branches = [_branch(branch) for branch in item.get("branches") or ()]
    common["outputs"] = [*(branch.output for branch in branches), OTHERWISE]
    return SplitStep(**common, branches=branches)


def _message(item: Data, common: Data) -> Step:
    kind = item["kind"]
    step, texts = _MESSAGES[kind], MESSAGES[kind].texts
    own: Data = {name: item.get(name) or "" for name in map(key_of, texts)}
    if step is MessageStep:
        own = {"channel_name": item["channel"], "content": named_texts(item, "content")}
    expires = item.get("expires_after_ms")
    common["outputs"] = list(outcome_of(item).outputs())
    return step(
        **common,
        **own,
        outcome=to_outcome(item),
        channel=word(ChannelName, channel_of(item) or "", ChannelName.OTHER),
        connection=item.get("connection") or None,
        purpose=Purpose(item.get("purpose") or Purpose.INFORMATION.value),
        expires_after_seconds=None if expires is None else expires // 1000,
        variables=named_texts(item, "variables"),
        options=item.get("options"),
        **rules_of(item),
        fallback=to_fallback(item),
    )


def _exit(item: Data, common: Data) -> Step:
    return ExitStep(**{**common, "outputs": []})


_KINDS = {
    "entry_event": _entry_event,
    "delay": to_delay,
    "time_window": to_time_window,
    "split": _split,
    "ab_split": ab_split,
    "random_split": random_split,
    "exit": _exit,
    **ENTRY_KINDS,
    **FLOW_KINDS,
    **dict.fromkeys(_MESSAGES, _message),
}


def _branch(item: Data) -> Branch:
    conditions = [_condition(condition) for condition in item.get("conditions") or ()]
    return Branch(output=item["output"], match=Match(item.get("match") or "all"), conditions=conditions)


def _condition(item: Data) -> Condition:
    about = item["about"]
    return Condition(
        attribute=predicate(item) if about == "attribute" else None,
        property=predicate(item) if about == "property" else None,
        did=to_did(item) if about == "did" else None,
        segment=InSegment(segment=item["segment"], is_in=item.get("is_in", True))
        if about == "segment"
        else None,
    )
