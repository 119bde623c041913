"""Why a template can be sent nowhere, connection by connection, and what to do about it."""

from collections.abc import Iterator, Mapping

from channels.alimtalk.desk import Inspection, Operation
from server.journey.moment import Path, Problem
from server.store.alimtalk_sendable import Known, Standing

NOT_SENDABLE = "template_not_sendable"
"""What keeps a draft from being published, and not from being rehearsed."""
_INSPECTIONS = {
    Inspection.DRAFT: "is a draft: ask for its review (`requestAlimtalkReview`)",
    Inspection.REQUESTED: "waits for its review: publish once it is approved",
    Inspection.IN_REVIEW: "is in review: publish once it is approved",
    Inspection.REJECTED: "was rejected: read the comments, save a version that heeds them, and ask again",
}


def unsendable(here: Path, known: Known, places: Mapping[int, str]) -> Iterator[Problem]:
    """A problem if none of these connections, named by their ids, may send the template now."""
    path = (*here, "template")
    if known.is_archived:
        yield Problem(path, f"The template {known.key!r} is archived: nobody sends it.", NOT_SENDABLE)
    elif places and not any(one.is_sendable and one.connection_id in places for one in known.standings):
        told = "; ".join(f"at {name!r} {_told(known, number)}" for number, name in places.items())
        message = f"No connection of the step may send the template {known.key!r} now: {told}."
        yield Problem(path, message, NOT_SENDABLE)


def _told(known: Known, connection_id: int) -> str:
    newest = next((one for one in known.standings if one.connection_id == connection_id), None)
    if newest is None:
        return "it is not registered: ask for its review there (`requestAlimtalkReview`)"
    return f"version {newest.number} {standing(newest)}"


def standing(one: Standing) -> str:
    """How a version stands at a connection, in words, with what to do."""
    inspection = Inspection(one.inspection)
    if inspection in _INSPECTIONS:
        return _INSPECTIONS[inspection]
    if one.is_sendable:
        return "can be sent"
    if one.operation == Operation.STOPPED:
        return "is stopped: take it into use again (`reuseAlimtalkTemplate`)"
    if one.is_dormant:
        return "is dormant, because nobody has sent it for long: wake it (`releaseAlimtalkTemplate`)"
    if one.is_blocked:
        return "is blocked by KakaoTalk: its relay can say why"
    if one.is_replaced:
        return "was replaced by a later version"
    return "is approved, and its sender profile may not send: look at `senderProfiles`"
