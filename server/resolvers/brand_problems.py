"""What a relay would refuse of a Brand Message, seen when its step is drawn."""

from collections.abc import Iterator
from typing import Any

from channels.alimtalk.brand import WithBrand
from channels.alimtalk.lint.brand import lint_brand
from channels.contract import AnyChannel
from server.journey.moment import Path, Problem
from server.journey.steps import MessageStep

_OF_THE_STEP = ("text", "template", "variables")


def brand_problems(here: Path, step: MessageStep, adapter: AnyChannel) -> Iterator[Problem]:
    """Nothing for adapters that send no Brand Messages. Texts that are templates are not measured."""
    if not isinstance(adapter, WithBrand):
        return
    about: dict[str, Any] = {**step.options, **step.content, "variables": step.variables}
    for one in lint_brand(about, adapter.brand_can):
        inside = () if one.path[:1] and one.path[0] in _OF_THE_STEP else ("options",)
        yield Problem((*here, *inside, *one.path), f"{one.message_en} {one.remedy_en}", "brand_message")
