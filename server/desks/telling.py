"""What operators are told of templates and sender profiles, as notices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from server.alimtalk.lifecycle import News
from server.clock import DAY, Instant
from server.store import uses
from server.store.notices import Told
from server.store.sessions import ReadSession

KINDS = {
    News.APPROVED: "alimtalk_approved",
    News.REJECTED: "alimtalk_rejected",
    News.STOPPED: "alimtalk_stopped",
    News.BLOCKED: "alimtalk_stopped",
    News.DORMANT: "alimtalk_dormant",
}
DORMANT_SOON, UNSENDABLE, UNSETTLED = "alimtalk_dormant_soon", "alimtalk_unsendable", "alimtalk_unsettled"
GONE, FULL = "alimtalk_gone", "alimtalk_full"
PROFILE_BLOCKED, PROFILE_DORMANT = "sender_profile_blocked", "sender_profile_dormant"
PROFILE_DORMANT_SOON = "sender_profile_dormant_soon"
_TEXTS = {
    News.APPROVED: "{what} was approved at “{where}”: it can be sent.",
    News.REJECTED: "{what} was rejected at “{where}”: {why} Change it and ask again, or answer the reviewer.",
    News.STOPPED: "{what} was stopped at “{where}”: it is not sent any more.",
    News.BLOCKED: "KakaoTalk has sanctioned {what} at “{where}”: it is not sent any more. Only its support "
    "can help.",
    News.DORMANT: "{what} is dormant at “{where}” after a year without a message: it is not sent until it is "
    "released.",
}


@dataclass(frozen=True, slots=True)
class Whose:
    """A connection, of which something is told."""

    project_id: int
    connection_id: int
    name: str


def of_template(whose: Whose, row: Any, news: News, why: str, at: Instant) -> Told:
    """`row` is the registration; `why` what the reviewer said last."""
    reason = f"“{why}”." if why else "the relay gives no reason."
    text = _TEXTS[news].format(what=named(row), where=whose.name, why=reason)
    cause = f"alimtalk {news.value} {row.id} {at}"
    return _told(whose, KINDS[news], cause, text, at)


def template_sleeps(whose: Whose, row: Any, sleeps_at: Instant, days: int, now: Instant) -> Told:
    left = max(1, (sleeps_at - now) // DAY)
    text = f"{named(row)} will be dormant at “{whose.name}” in {left} day(s), unless a message is sent."
    return _told(whose, DORMANT_SOON, f"alimtalk sleeps {row.id} {sleeps_at} {days}", text, now)


def profile_sleeps(whose: Whose, sleeps_at: Instant, days: int, now: Instant) -> Told:
    left = max(1, (sleeps_at - now) // DAY)
    text = f"The sender profile of “{whose.name}” will be dormant in {left} day(s), unless a message is sent."
    return _told(
        whose, PROFILE_DORMANT_SOON, f"profile sleeps {whose.connection_id} {sleeps_at} {days}", text, now
    )


def profile_is_out(whose: Whose, kind: str, detail: str, at: Instant) -> Told:
    """`kind` is PROFILE_BLOCKED or PROFILE_DORMANT."""
    how = "was blocked by KakaoTalk" if kind == PROFILE_BLOCKED else "is dormant"
    text = f"The sender profile of “{whose.name}” {how}: nothing is sent through it. {detail}".rstrip()
    return _told(whose, kind, f"{kind} {whose.connection_id} {at}", text, at)


def unsettled(whose: Whose, row: Any, act: str, at: Instant) -> Told:
    text = f"“{whose.name}” never got our wish about {named(row)} ({act}): ask again."
    return _told(whose, UNSETTLED, f"alimtalk unsettled {row.id} {at}", text, at)


def gone(whose: Whose, row: Any, at: Instant) -> Told:
    text = f"“{whose.name}” does not have {named(row)} any more: it was deleted there, and is not sent."
    return _told(whose, GONE, f"alimtalk gone {row.id} {at}", text, at)


def full(whose: Whose, left: int, at: Instant) -> list[Told]:
    """Of what a relay has and the project has no room for; nothing if there is room."""
    text = f"{left} template(s) of “{whose.name}” are not taken over: the project has as many as it may have."
    return [_told(whose, FULL, f"alimtalk full {whose.connection_id} {left}", text, at)] if left else []


async def unsendable(
    session: ReadSession, whose: Whose, keys: Sequence[str], names: Mapping[str, str], at: Instant
) -> list[Told]:
    """One notice for each journey whose template can be sent no more."""
    found = []
    for key in keys:
        for journey_id, title in await uses.journeys(session, whose.project_id, partial(sends, key)):
            text = f"The journey “{title}” sends the template “{names[key]}”, which cannot be sent any more."
            cause = f"alimtalk unsendable {journey_id} {key} {at}"
            found.append(_told(whose, UNSENDABLE, cause, text, at, journey_id))
    return found


def sends(key: str, graph: Mapping[str, Any]) -> bool:
    """Whether a step of this graph names this key: as a template of the project, or as the relay's own code,
    which is lost with it."""
    return any(step.get("kind") == "alimtalk" and step.get("template") == key for step in graph["steps"])


def named(row: Any) -> str:
    return f"version {row.number} of the template “{row.key}”"


def _told(whose: Whose, kind: str, cause: str, text: str, at: Instant, journey_id: int | None = None) -> Told:
    text = text[0].upper() + text[1:]
    return Told(
        whose.project_id, kind, cause, text, at, journey_id=journey_id, connection_id=whose.connection_id
    )
