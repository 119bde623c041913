"""Which version a relay means when it tells of a code. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from channels.alimtalk.desk import Inspection, Registered
from channels.alimtalk.template import Template

from .likeness import is_same


@dataclass(frozen=True, slots=True)
class Held:
    """A version that is registered under a code."""

    number: int
    inspection: Inspection
    template: Template | None


def meant(told: Registered, held: Sequence[Held]) -> int | None:
    """The number of the version that is told of, of those under its code; None if that cannot be said.

    Where a relay takes revisions, several versions share a code, and it tells of the approved one and of the
    one under review.
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
    if is_same(told.template, waiting.template):
        return waiting.number
    return next((one.number for one in newest_first if one.inspection is Inspection.APPROVED), None)
