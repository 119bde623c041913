"""Users: found by whatever leads to them."""

from collections.abc import Sequence
from dataclasses import dataclass

from channels.phone import region_of, to_e164
from server.context import Context
from server.store import projects, runs, users
from server.store.paging import Page, Slice
from server.store.same_address import same_address
from server.store.sessions import ReadSession
from server.store.tables import Endpoint, Identity, User
from server.store.users import UserKey


@dataclass(frozen=True, slots=True)
class Wanted:
    """One thing that leads to a user: one of `KINDS`, and its value."""

    kind: str
    value: str


IDENTITIES = ("user_id", "anonymous_id")
_NUMBERED = ("sms", "whatsapp", "kakao", "brand_message")
_CHANNELS = {"email": ("email",), "phone": _NUMBERED, "token": ("push",)}
_SCHEMES = ("apns:", "fcm:", "webpush:")
KINDS = (*IDENTITIES, *_CHANNELS)
"""Everything that leads to users."""


async def by_key(context: Context, key: UserKey) -> User | None:
    return await context.loaders.user_by_key.load(key)


async def person(context: Context, key: UserKey) -> User | None:
    """The user whom this one turned out to be; itself, mostly."""
    return await context.loaders.person_by_key.load(key)


async def by_identity(context: Context, wanted: Wanted) -> User | None:
    """The user, or the one whom it turned out to be."""
    async with context.db.read() as session:
        key = await find(session, context, wanted)
        return None if key is None else (await users.by_keys(session, context.project_id, [key])).get(key)


async def find(session: ReadSession, context: Context, wanted: Wanted) -> UserKey | None:
    """The user to whom this leads; of several who have or had an address, the one who got it last."""
    return next(iter(await find_all(session, context, [wanted])), None)


async def find_all(session: ReadSession, context: Context, wanted: Sequence[Wanted]) -> list[UserKey]:
    """Everybody to whom one of these leads: those who have an address before those who had it."""
    found: list[UserKey] = []
    for one in wanted:
        found += await _lead(session, context, one)
    now = await users.finals(session, context.project_id, found)
    known = await users.by_keys(session, context.project_id, list(now.values())) if found else {}
    return list(dict.fromkeys(now[key] for key in found if now[key] in known))


async def _lead(session: ReadSession, context: Context, wanted: Wanted) -> list[UserKey]:
    project_id, shards = context.project_id, context.shards
    if wanted.kind in IDENTITIES:
        key = await users.by_identity(session, project_id, shards, wanted.kind, wanted.value)
        return [] if key is None else [key]
    zone = (await projects.by_id(session, project_id)).time_zone if wanted.kind == "phone" else ""
    written = _as_written(wanted, zone)
    return await users.by_addresses(session, project_id, shards, _CHANNELS[wanted.kind], written)


def _as_written(wanted: Wanted, zone: str) -> list[str]:
    """The ways in which the address may be written down: people leave out countries, and whose a token is."""
    value = wanted.value.strip()
    if wanted.kind == "phone":
        return [to_e164(value, region_of(zone)) or value]
    if wanted.kind == "token":
        bare = not value.startswith(_SCHEMES)
        return [value, *(f"{scheme}{value}" for scheme in _SCHEMES if bare)]
    return list(dict.fromkeys((value, same_address(wanted.kind, value))))


async def identities(context: Context, key: UserKey) -> list[Identity]:
    return await context.loaders.identities_by_user.load(key) or []


async def endpoints(context: Context, key: UserKey) -> list[Endpoint]:
    return await context.loaders.endpoints_by_user.load(key) or []


async def runs_page(context: Context, key: UserKey, page: Page) -> Slice:
    """The runs of a user and of all who turned out to be it."""
    async with context.db.read() as session:
        family = await users.family(session, context.project_id, context.shards, key)
        return await runs.page_of_users(session, context.project_id, family, page)
