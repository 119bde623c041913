"""Consents: listed, and changed through the inbox of the user's shard."""

import orjson

from server.clock import Instant
from server.context import Context
from server.store import consents, inbox
from server.store.consents import BASES, DECIDE, LONGEST_NOTE, LONGEST_WORD, PURPOSES, Decision, Wanted
from server.store.paging import Page, Slice
from server.store.same_address import same_channel
from server.store.sessions import WriteSession
from server.store.users import UserKey

from . import users
from .once import Answer, once
from .records import Consent
from .refusals import Invalid, Missing


async def page(context: Context, wanted: Wanted, page: Page) -> Slice:
    async with context.db.read() as session:
        return await consents.page(session, context.project_id, context.shards, wanted, page)


async def of_user(context: Context, key: UserKey) -> list[Consent]:
    return await context.loaders.consents_by_user.load(key) or []


async def decide(
    context: Context, who: users.Wanted, decision: Decision, key: str | None, *, is_now: bool
) -> Answer:
    """Keeps a decision for the engine to work in. Raises Missing, Invalid, IdempotencyConflict.

    `is_now` says that its time is that of the request, which another try of the same wish may not share.
    """
    decision = checked(decision, context.clock.now())

    async def work(session: WriteSession) -> Answer:
        found = await users.find(session, context, who)
        if found is None:
            raise Missing("Nobody in this project has this identity.", ("input", "identity"))
        payload = orjson.dumps({"number": found[1], "decision": list(decision)})
        now = context.clock.now()
        await inbox.append(session, [inbox.Entry(found[0], context.project_id, DECIDE, payload, now)])
        return {"user": list(found), "decision": list(decision)}

    answer = await once(context, key, _wish(who, decision, is_now), work)
    context.wake()
    return answer


def _wish(who: users.Wanted, decision: Decision, is_now: bool) -> tuple[str, list[object]]:
    asked = decision._replace(decided_at=-1) if is_now else decision
    return "setConsent", [who.kind, who.value, *asked]


def checked(decision: Decision, now: Instant) -> Decision:
    """The decision with its channel as it is stored. Raises Invalid that says what is wrong with it."""
    channel = same_channel(decision.channel)
    if channel is None:
        found = decision.channel[:LONGEST_WORD]
        raise Invalid(f"A channel like email or sms was wanted, found {found!r}.", ("input", "channel"))
    if decision.purpose not in PURPOSES:
        raise Invalid(f"One of {', '.join(PURPOSES)} was wanted.", ("input", "purpose"))
    if decision.basis not in ("", *BASES):
        raise Invalid(f"One of {', '.join(BASES)} was wanted.", ("input", "basis"))
    if decision.until is not None and decision.until <= decision.decided_at:
        raise Invalid("It has to hold for a while: `until` is later than the decision.", ("input", "until"))
    if decision.decided_at > now:
        raise Invalid("A decision cannot lie in the future.", ("input", "decidedAt"))
    for name in ("source", "evidence"):
        value = getattr(decision, name)
        if len(value) > LONGEST_NOTE or "\0" in value:
            raise Invalid(f"At most {LONGEST_NOTE} characters and no NUL.", ("input", name))
    return decision._replace(channel=channel)
