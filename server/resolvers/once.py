"""Does something once for an idempotency key, however often it is asked for."""

from collections.abc import Awaitable, Callable
from hashlib import blake2b
from typing import Any

import orjson

from server.context import Context
from server.store import idempotency
from server.store.sessions import WriteSession

from .refusals import IdempotencyConflict, Invalid

Answer = dict[str, Any]
LONGEST_KEY = 200


async def once(
    context: Context,
    key: str | None,
    wish: tuple[str, Any],
    work: Callable[[WriteSession], Awaitable[Answer]],
) -> Answer:
    """One transaction of `work`, and its answer; or the answer that the key has already.

    `wish` is what is asked for, its name and its input: the same key for another wish raises
    IdempotencyConflict. A refusal leaves the key free.
    """
    if key is None:
        async with context.db.write() as session:
            return await work(session)
    _check(key)
    fingerprint = _fingerprint(context, wish)
    async with context.db.write() as session:
        taken_by = await idempotency.claim(session, context.project_id, key, fingerprint, context.clock.now())
        if taken_by is not None:
            if taken_by != fingerprint:
                raise IdempotencyConflict
            return dict(orjson.loads(await idempotency.answer(session, context.project_id, key)))
        answer = await work(session)
        await idempotency.keep(session, context.project_id, key, orjson.dumps(answer).decode())
        return answer


async def repeatable(
    context: Context, key: str | None, wish: tuple[str, Any], work: Callable[[], Awaitable[Answer]]
) -> Answer:
    """As `once`, for work of several transactions that changes nothing if it is done again."""
    if key is not None:
        _check(key)
        async with context.db.read() as session:
            found = await idempotency.find(session, context.project_id, key)
        if found is not None:
            if found[0] != _fingerprint(context, wish):
                raise IdempotencyConflict
            return dict(orjson.loads(found[1]))
    done = await work()

    async def keep(session: WriteSession) -> Answer:
        return done

    return await once(context, key, wish, keep)


def _check(key: str) -> None:
    if not 0 < len(key) <= LONGEST_KEY:
        raise Invalid(f"An idempotency key has 1 to {LONGEST_KEY} characters.", ("input", "idempotencyKey"))


def _fingerprint(context: Context, wish: tuple[str, Any]) -> str:
    text = orjson.dumps(wish, option=orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATACLASS, default=str)
    # With a key of ours: a wish may hold a password, which a plain hash would let others guess.
    return blake2b(text, digest_size=16, key=context.settings.secrets[0][:64]).hexdigest()
