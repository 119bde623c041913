"""Who may come again: the rules beside the word `reentry`, as they come in and as they are shown."""

from typing import Any

import strawberry

from .words import ReentrySince

AFTER = "So much time has to pass before the next entry; none if left out."
MOST = "So many entries of a person at most in `withinSeconds`; any number if left out."
WITHIN = "The period of `most`."
ONE_PER = (
    "A property of what lets people in that tells their runs apart: each value has a run of its own, "
    "beside others, up to 25 at once. `reentry` and `afterSeconds` then look at runs of the same value."
)


@strawberry.input(description="Rules for those who may come again.")
class ReentryRulesInput:
    after_seconds: int | None = strawberry.field(default=None, description=AFTER)
    since: ReentrySince = strawberry.field(
        default=ReentrySince.LEAVING, description="From when on `afterSeconds` count."
    )
    most: int | None = strawberry.field(default=None, description=MOST)
    within_seconds: int | None = strawberry.field(default=None, description=WITHIN)
    one_per: str | None = strawberry.field(default=None, description=ONE_PER)


@strawberry.type(description="Rules for those who may come again.")
class ReentryRules:
    after_seconds: int | None = strawberry.field(description=AFTER)
    since: ReentrySince = strawberry.field(description="From when on `afterSeconds` count.")
    most: int | None = strawberry.field(description=MOST)
    within_seconds: int | None = strawberry.field(description=WITHIN)
    one_per: str | None = strawberry.field(description=ONE_PER)


def to_reentry_rules(data: dict[str, Any]) -> ReentryRules | None:
    """The rules of a stored graph; none if it has none."""
    rules = data.get("reentry_rules")
    if rules is None:
        return None
    return ReentryRules(
        after_seconds=_seconds(rules.get("after_ms")),
        since=ReentrySince(rules.get("since") or "leaving"),
        most=rules.get("most"),
        within_seconds=_seconds(rules.get("within_ms")),
        one_per=rules.get("one_per"),
    )


def _seconds(milliseconds: int | None) -> int | None:
    return None if milliseconds is None else milliseconds // 1000
