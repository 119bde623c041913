"""What a campaign would come to before it goes: to how many, to whom not and why, and what it costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

import orjson
from pyroaring import BitMap

from channels.alimtalk.filling import bare, fill, variables_of
from channels.alimtalk.limits import KAKAO
from channels.alimtalk.lint import lint_filled
from channels.alimtalk.reading import read_template
from channels.alimtalk.template import Template
from server.alimtalk.declaration import Declaration, read_declaration
from server.clock import Instant
from server.context import Context
from server.delivery.alimtalk.writing import errors
from server.journey.audience import EVERYBODY, AllOf, InList, Person, Question
from server.journey.audience.coupons import HasCoupon, told
from server.journey.local_time import day_of
from server.journey.reading import Reader as DataReader
from server.journey.steps import EntryAudience
from server.segments import reading, sets
from server.segments.commerce import told_of_coupon
from server.store import alimtalk_reach, commerce, prices, sender_profiles, user_lists
from server.store.alimtalk_reach import Sets
from server.store.alimtalk_sendable import Known
from server.store.prices import ListPrice
from server.store.sessions import ReadSession
from server.store.users import UserKey

from .alimtalk_values import Reader, values_of
from .campaigns import ENTRY, Campaign, drawn, wanted
from .refusals import Invalid

KAKAO_CHANNEL, KIND, INFORMATION, BENEFIT_NOTICE = "kakao", "alimtalk", "information", "benefit_notice"
SMS, SMS_KIND = "sms", "lms"
SAMPLE = 20
"""So many recipients are filled as they would be."""
USABLE, OPTED_OUT = "usable", "opted_out"


class Left(StrEnum):
    """Why somebody of the audience gets nothing; of several the first counts."""

    NOT_MEMBER = "not_member"
    NO_PHONE = "no_phone"
    OPTED_OUT = "opted_out"
    INVALID = "invalid_address"
    SUPPRESSED = "suppressed"
    NO_CONSENT = "no_consent"


@dataclass(frozen=True, slots=True)
class Sampled:
    """What filling some recipients showed."""

    filled: int = 0
    no_value: int = 0
    """Something had no value for one of them."""
    unfit: int = 0
    """Filled it would be refused, as one that is too long is."""
    example: str = ""


@dataclass(frozen=True, slots=True)
class Estimate:
    audience: int
    recipients: int
    left_out: Mapping[Left, int]
    sample: Sampled
    price: ListPrice | None
    fallback_price: ListPrice | None
    daily_cap: int | None
    last_day: date
    """On which the last would leave under the profile's daily cap."""


async def estimate(context: Context, campaign: Campaign) -> Estimate:
    """Raises Missing, Invalid. It looks at the snapshot of one moment, and changes nothing."""
    async with context.db.read() as session:
        known = await wanted(session, context, campaign.template)
        graph = await drawn(session, context, campaign)
        entry, at = _entry(campaign), context.clock.now()
        zone = await reading.zone_of(session, context.project_id)
        people = await _audience(session, context, entry, at)
        declaration = read_declaration(orjson.loads(known.declaration))
        reached, left = await _sift(session, context, people, entry, declaration, at)
        connection_id = _connection(known)
        price = await _price(session, context, (KAKAO_CHANNEL, connection_id, KIND), at)
        instead = await _price(session, context, (SMS, None, SMS_KIND), at)
        cap = await sender_profiles.daily_cap(session, context.project_id, connection_id)
        chosen = _some(reached)
        brought = await _brought(session, context, entry, chosen, at, zone)
    said = {bare(name): text for name, text in orjson.loads(known.bindings).items()}
    said |= {bare(name): text for name, text in graph["steps"][1]["variables"].items()}
    recipients = _size(reached)
    days = max(0, -(-recipients // cap) - 1) if cap else 0
    return Estimate(
        audience=_size(people),
        recipients=recipients,
        left_out=left,
        sample=await _fill(context, known, said, chosen, brought),
        price=price,
        fallback_price=instead,
        daily_cap=cap,
        last_day=day_of(at, zone) + timedelta(days=days),
    )


def _entry(campaign: Campaign) -> EntryAudience:
    reader = DataReader({**campaign.entry, "kind": EntryAudience.kind, "key": ENTRY})
    entry = EntryAudience.read(reader)
    if reader.problems:
        raise Invalid(reader.problems[0].message, ("input", "audience"))
    return entry


async def _audience(session: ReadSession, context: Context, entry: EntryAudience, at: Instant) -> Sets:
    lists = await user_lists.names(session, context.project_id)
    question: Question = EVERYBODY
    if entry.list:
        if entry.list not in lists:
            raise Invalid(f"There is no list {entry.list!r}.", ("input", "audience", "list"))
        question = InList(entry.list)
    elif entry.segment:
        found = await reading.stored(session, context.project_id, entry.segment)
        if found is None:
            raise Invalid(f"There is no segment {entry.segment!r}.", ("input", "audience", "segment"))
        question = found.question
    if entry.coupon is not None:
        question = AllOf((question, entry.coupon))
    return await sets.members(session, context.project_id, context.shards, question, lists, at)


async def _sift(
    session: ReadSession,
    context: Context,
    people: Sets,
    entry: EntryAudience,
    declaration: Declaration,
    at: Instant,
) -> tuple[Sets, dict[Left, int]]:
    """Who is left, and how many were taken out for what, one reason after the other."""
    about = (session, context.project_id, KAKAO_CHANNEL)
    states = await alimtalk_reach.by_state(*about)
    usable = states.get(USABLE, {})
    steps: list[tuple[Left, Sets, bool]] = []
    if (entry.members and not entry.list) or declaration.is_of_benefit:
        steps.append((Left.NOT_MEMBER, await alimtalk_reach.not_members(session, context.project_id), False))
    steps += [
        (Left.OPTED_OUT, _without(states.get(OPTED_OUT, {}), usable), False),
        (Left.INVALID, _without(_others(states), usable), False),
        (Left.NO_PHONE, usable, True),
        (Left.SUPPRESSED, await alimtalk_reach.suppressed(*about, INFORMATION, at), False),
    ]
    if declaration.demands:
        agreed = await alimtalk_reach.consenting(*about, BENEFIT_NOTICE, at)
        steps.append((Left.NO_CONSENT, agreed, True))
    left: dict[Left, int] = {}
    for reason, those, keeps in steps:
        kept = _among(people, those) if keeps else _without(people, those)
        if gone := _size(people) - _size(kept):
            left[reason] = gone
        people = kept
    return people, left


def _others(states: Mapping[str, Sets]) -> Sets:
    found: Sets = {}
    for state, people in states.items():
        if state not in (USABLE, OPTED_OUT):
            shards = found.keys() | people.keys()
            found = {n: found.get(n, BitMap()) | people.get(n, BitMap()) for n in shards}
    return found


def _without(people: Sets, those: Sets) -> Sets:
    return {shard: numbers - those.get(shard, BitMap()) for shard, numbers in people.items()}


def _among(people: Sets, those: Sets) -> Sets:
    return {shard: numbers & those.get(shard, BitMap()) for shard, numbers in people.items()}


def _size(people: Sets) -> int:
    return sum(map(len, people.values()))


def _some(people: Sets) -> list[UserKey]:
    return [(shard, number) for shard in sorted(people) for number in people[shard][:SAMPLE]][:SAMPLE]


def _connection(known: Known) -> int | None:
    """Through which it would leave first."""
    return next((one.connection_id for one in known.standings if one.is_sendable), None)


async def _price(
    session: ReadSession, context: Context, slot: tuple[str, int | None, str], at: Instant
) -> ListPrice | None:
    return await prices.price_at(session, context.project_id, *slot, at)


async def _brought(
    session: ReadSession,
    context: Context,
    entry: EntryAudience,
    people: Sequence[UserKey],
    at: Instant,
    zone: str,
) -> dict[UserKey, dict[str, Any]]:
    """What these would bring along: their lines, their coupons."""
    found: dict[UserKey, dict[str, Any]] = {key: {} for key in people}
    if not people:
        return found
    if entry.list:
        list_id = (await user_lists.names(session, context.project_id))[entry.list]
        for key, line in (await user_lists.lines_of(session, list_id, people)).items():
            found[key]["row"] = orjson.loads(line or "{}")
    if entry.coupon is not None:
        known = await commerce.coupons(session, context.project_id, people, 50)
        for key in people:
            coupon = _coupon(entry.coupon, key, known.get(key, ()), at, zone)
            found[key] |= {} if coupon is None else {"coupon": coupon}
    return found


def _coupon(
    asked: HasCoupon, key: UserKey, rows: Sequence[Any], at: Instant, zone: str
) -> Mapping[str, Any] | None:
    facts = [told_of_coupon(key[1], row.code, row).past for row in rows]
    coupon = asked.first(Person(at, {}, lambda wanted: facts, zone=zone))
    return None if coupon is None else told(coupon, zone)


async def _fill(
    context: Context,
    known: Known,
    said: Mapping[str, str],
    people: Sequence[UserKey],
    brought: Mapping[UserKey, Mapping[str, Any]],
) -> Sampled:
    template, _ = read_template(orjson.loads(known.content))
    if template is None:
        return Sampled()
    filled = no_value = unfit = 0
    example = ""
    for key in people:
        found = await values_of(context, said, Reader(key, properties=brought[key]))
        whole = all(found.said.get(name, "").strip() for name in variables_of(template))
        seen = fill(template, found.said)
        filled += 1
        no_value += not whole
        unfit += whole and bool(errors(lint_filled(template, seen, KAKAO)))
        example = example or (_shown(seen) if whole else "")
    return Sampled(filled, no_value, unfit, example)


def _shown(template: Template) -> str:
    return template.body
