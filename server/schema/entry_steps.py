"""Entries by audience and by API of a stored graph."""

from typing import Any

import strawberry

from .entry_inputs import AT
from .entry_words import IfMomentPassed, LaunchZone, ScheduleKind
from .steps import Step
from .time_words import Weekday

Data = dict[str, Any]


@strawberry.type(description="The days and the time at which an audience is let in.")
class Schedule:
    kind: ScheduleKind = strawberry.field(description="How often.")
    at: str = strawberry.field(description=AT)
    dates: list[str] = strawberry.field(
        description="The days of ONCE and DATES, as YYYY-MM-DD.", metadata={"list_size": 5}
    )
    every: int = strawberry.field(description="How many days or weeks from one to the next.")
    weekdays: list[Weekday] = strawberry.field(
        description="The days of EVERY_WEEKS.", metadata={"list_size": 2}
    )
    start: str | None = strawberry.field(description="The first day, of what comes again and again.")
    until: str | None = strawberry.field(description="The last day on which it may be; null for ever.")


@strawberry.type(description="A coupon that can be used, which whoever is let in has to have.")
class EntryCoupon:
    coupons: list[str] = strawberry.field(
        description="Codes or names; any if empty.", metadata={"list_size": 3}
    )
    expires_within_seconds: int | None = strawberry.field(
        description="It ends at most so long after the moment of the launch."
    )
    expires_within_days: int | None = strawberry.field(
        description="Its last day is today (0) or one of the next so many."
    )
    expires_in_days: int | None = strawberry.field(
        description="Its last day is exactly so many days from today."
    )


@strawberry.type(description="Lets in everybody, or everybody of a segment or of a list.")
class EntryAudienceStep(Step):
    segment: str | None = strawberry.field(description="The name of a segment.")
    list: str | None = strawberry.field(description="The name of an uploaded list.")
    coupon: EntryCoupon | None = strawberry.field(description="Only who has such a coupon.")
    members: bool = strawberry.field(description="Only users with a user id.")
    when: Schedule | None = strawberry.field(description="At which times; null for once at the start.")
    zone: LaunchZone = strawberry.field(description="In which zone the times are meant.")
    if_passed: IfMomentPassed = strawberry.field(
        description="What becomes of a person whose time of that day has passed when the journey starts."
    )
    relaunches: bool = strawberry.field(
        description="Whether a new version, or the end of a pause, lets those in again who have been let in."
    )


@strawberry.type(description="Lets in those whom `enterJourney` names.")
class EntryApiStep(Step):
    pass


def to_entry_audience(item: Data, common: Data) -> Step:
    return EntryAudienceStep(
        **common,
        segment=item.get("segment") or None,
        list=item.get("list") or None,
        coupon=_coupon(item.get("coupon")),
        members=bool(item.get("members")),
        when=_schedule(item.get("when")),
        zone=LaunchZone(item.get("zone") or "project"),
        if_passed=IfMomentPassed(item.get("if_passed") or "at_once"),
        relaunches=bool(item.get("relaunches")),
    )


def to_entry_api(item: Data, common: Data) -> Step:
    return EntryApiStep(**common)


def _coupon(coupon: Data | None) -> EntryCoupon | None:
    if coupon is None:
        return None
    within = coupon.get("expires_within_ms")
    return EntryCoupon(
        coupons=coupon.get("coupons") or [],
        expires_within_seconds=None if within is None else within // 1000,
        expires_within_days=coupon.get("expires_within_days"),
        expires_in_days=coupon.get("expires_in_days"),
    )


def _schedule(when: Data | None) -> Schedule | None:
    if when is None or when.get("kind") == "at_once":
        return None
    return Schedule(
        kind=ScheduleKind(when["kind"]),
        at=when.get("at") or "00:00",
        dates=when.get("dates") or ([when["date"]] if when.get("date") else []),
        every=when.get("every") or 1,
        weekdays=[Weekday(one) for one in when.get("weekdays") or ()],
        start=when.get("start"),
        until=when.get("until"),
    )


ENTRY_STEPS: list[type[Step]] = [EntryAudienceStep, EntryApiStep]
ENTRY_KINDS = {"entry_audience": to_entry_audience, "entry_api": to_entry_api}
