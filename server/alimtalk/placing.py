"""Which version a relay means when it tells of a code. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from channels.alimtalk.desk import Inspection, Registered
from channels.alimtalk.template import Template

from .likeness import Likeness, likeness


@dataclass(frozen=True, slots=True)
class Held:
    """A version that is registered under a code."""

    number: int
    inspection: Inspection
    template: Template | None


def meant(told: Registered, held: Sequence[Held], not_told: Collection[str] = ()) -> int | None:
    """The number of the version that is told of, of those under its code; None if that cannot be said.

    Where a relay takes revisions, several versions share a code, and it tells of the approved one and of the
    one under review. An approved one is the version that is most like it, if one is; `not_told` are the
    fields that this relay never tells.
    """
    newest_first = sorted(held, key=lambda one: -one.number)
    if len(newest_first) == 1:
        return None if told.is_revision else newest_first[0].number
    waiting = newest_first[0]
    if told.is_revision or told.inspection is not Inspection.APPROVED:
        return waiting.number
    if waiting.inspection is Inspection.APPROVED:
        return waiting.number
    if told.template is None or waiting.template is None:
        return None
    like = {one.number: likeness(told.template, one.template, not_told) for one in held if one.template}
    most = [number for number, found in like.items() if found is max(like.values())]
    if max(like.values()) is not Likeness.OTHER:
        return most[0] if len(most) == 1 else None
    # Somebody has changed it at the relay's console.
    return next((one.number for one in newest_first if one.inspection is Inspection.APPROVED), None)
