"""Which runs of a journey are listed."""

from datetime import datetime

import strawberry

from server.errors import BadInput
from server.journey.marks import Mark
from server.resolvers.refusals import Refusal
from server.resolvers.runs import Asked

from .path_words import RunMark
from .suppressions import to_instant
from .users import IdentityInput, to_wanted
from .words import EndReason, RunState

MOST_STEPS = 100


@strawberry.input(description="Which runs: those to which all of this applies.")
class RunFilter:
    identity: IdentityInput | None = strawberry.field(
        default=None,
        description="Of the person to whom this leads; of an address, of everybody who has or had it.",
    )
    search: str | None = strawberry.field(
        default=None,
        description="Of everybody to whom this leads, whatever it is: a user id, the id of a device (HWID), "
        "an e-mail address, a telephone number, or a device's token. The whole of it.",
    )
    state: RunState | None = strawberry.field(default=None, description="Inside, or ended.")
    marks: list[RunMark] | None = strawberry.field(default=None, description="Marked with one of these.")
    end_reasons: list[EndReason] | None = strawberry.field(
        default=None, description="Ended for one of these reasons."
    )
    version: int | None = strawberry.field(default=None, description="Of the version of this number.")
    last_steps: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Waiting or ended at one of these steps; at most 100."
    )
    entered_from: datetime | None = strawberry.field(default=None, description="Entered then or later.")
    entered_until: datetime | None = strawberry.field(default=None, description="Entered before.")
    ended_from: datetime | None = strawberry.field(default=None, description="Ended then or later.")
    ended_until: datetime | None = strawberry.field(default=None, description="Ended before.")


def to_asked(wanted: RunFilter) -> Asked:
    """Raises BadInput for what cannot be asked."""
    if len(wanted.last_steps or ()) > MOST_STEPS:
        raise BadInput(f"At most {MOST_STEPS} steps at once, found {len(wanted.last_steps or ())}.")
    try:
        return Asked(
            identity=to_wanted(wanted.identity) if wanted.identity else None,
            search=wanted.search,
            inside=None if wanted.state is None else wanted.state is RunState.INSIDE,
            marks=None if wanted.marks is None else [Mark(mark.value) for mark in wanted.marks],
            end_reasons=tuple(reason.value for reason in wanted.end_reasons or ()),
            version=wanted.version,
            last_steps=tuple(wanted.last_steps or ()),
            entered=(
                to_instant(wanted.entered_from, "enteredFrom"),
                to_instant(wanted.entered_until, "enteredUntil"),
            ),
            ended=(to_instant(wanted.ended_from, "endedFrom"), to_instant(wanted.ended_until, "endedUntil")),
        )
    except Refusal as error:
        raise BadInput(error.message) from error
